// A kept session whose client comes back as another: another user, or through another listener. What it may not have it does not get.

import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import type { ListenerPolicy } from '../../src/broker/options.ts';
import type { Authorizer, Requester } from '../../src/broker/ports.ts';
import { startTestBroker, type TestBroker, testOrigin } from '../support/test-broker.ts';
import { WirePeer } from '../support/wire-peer.ts';

/** come connects client "one", whose session is kept, as a user and through a listener. */
function come({ broker }: TestBroker, username: string, policy: Partial<ListenerPolicy> = {}): WirePeer {
  const [near, far] = duplexPair({ allowHalfOpen: false });
  broker.handle(far, testOrigin(policy));
  const peer = new WirePeer(near);
  peer.send(`10 [ PROTOCOL 80 0000 { 11 FFFFFFFF } 'one' '${username}' ]`);
  return peer;
}

/** allowing lets who is right receive `secret`, and everybody everything else. */
function allowing(isRight: (requester: Requester) => boolean): Authorizer {
  const yes = () => true;
  return { mayPublish: yes, mayReceive: (requester, topicName) => topicName !== 'secret' || isRight(requester), maySubscribe: yes };
}

for (const [what, isRight, username, policy] of [
  ['another user', ({ username }: Requester) => username === 'alice', 'bob', {}],
  ['the same user through another listener', ({ listener }: Requester) => listener === '1883', 'alice', { name: '1884' }],
] as const) {
  test(`session does not get what its client may not receive when it comes back as ${what}, also from topics that are known`, async () => {
    await using broker = await startTestBroker({ authorizer: allowing(isRight) });
    const publisher = await broker.connect({ clientId: 'pub' });
    const first = come(broker, 'alice');
    await first.expect('20 [ 00 00 { ... } ]');
    first.send("82 [ 0001 {} '#' 01 ]");
    await first.expect('90 [ 0001 {} 01 ]');
    publisher.send("30 [ 'secret' {} |known| ]");
    await first.expect("30 [ 'secret' {} |known| ]");
    first.abort();
    const second = come(broker, username, policy);
    await second.expect('20 [ 01 00 { ... } ]');
    publisher.send("30 [ 'secret' {} |q0| ] 32 [ 'secret' 0001 {} |q1| ] 30 [ 'open' {} |q0| ]");
    await second.expect("30 [ 'open' {} |q0| ]");
    await second.expectSilence();
    second.abort();
    const third = come(broker, 'alice');
    await third.expect('20 [ 01 00 { ... } ]');
    publisher.send("30 [ 'secret' {} |again| ]");
    await third.expect("30 [ 'secret' {} |again| ]");
  });
}

test('session sends nothing again that its client may not receive any more, and brings QoS 2 to its end', async () => {
  await using broker = await startTestBroker({ authorizer: allowing(({ username }) => username === 'alice') });
  const publisher = await broker.connect({ clientId: 'pub' });
  const first = come(broker, 'alice');
  await first.expect('20 [ 00 00 { ... } ]');
  first.send("82 [ 0001 {} '#' 02 ]");
  await first.expect('90 [ 0001 {} 02 ]');
  publisher.send("32 [ 'secret' 0001 {} |1| ] 34 [ 'secret' 0002 {} |2| ] 32 [ 'open' 0003 {} |3| ]");
  await first.expect("32 [ 'secret' 0001 {} |1| ]");
  await first.expect("34 [ 'secret' 0002 {} |2| ]");
  await first.expect("32 [ 'open' 0003 {} |3| ]");
  first.abort();
  const second = come(broker, 'bob');
  await second.expect('20 [ 01 00 { ... } ]');
  await second.expect('62 [ 0002 ]');
  await second.expect("3A [ 'open' 0003 {} |3| ]");
  second.send('70 [ 0002 92 ] 40 [ 0003 ]');
  await second.expectSilence();
  second.abort();
  const third = come(broker, 'alice');
  await third.expect('20 [ 01 00 { ... } ]');
  await third.expectSilence();
});
