// A kept session whose client comes back as another: another user, or through another listener. What it may not have it does not get.

import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import type { ListenerPolicy } from '../../../src/broker/options.ts';
import type { Authorizer, Requester } from '../../../src/broker/ports.ts';
import { MemoryStore } from '../../store/memory-store.ts';
import { startTestBroker, type TestBroker, testOrigin } from '../../support/broker/test-broker.ts';
import { WirePeer } from '../../support/clients/wire-peer.ts';

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

for (const [what, kept, from, to] of [
  ['a subscription', "82 [ 0001 {} 'x' 01 ]", '', 'guest/area/'],
  ['a shared subscription', "82 [ 0001 {} '$share/g/x' 01 ]", '', 'guest/area/'],
  ['a subscription below a mount point', "82 [ 0001 {} 'x' 01 ]", 'guest/area/', ''],
  ['a subscription below another mount point', "82 [ 0001 {} 'x' 01 ]", 'guest/', 'guest/area/'],
] as const) {
  test(`session with ${what} begins anew when its client comes through a listener that has another mount point`, async () => {
    await using broker = await startTestBroker();
    const first = come(broker, 'alice', { mountPoint: from });
    await first.expect('20 [ 00 00 { ... } ]');
    first.send(kept);
    await first.expect('90 [ 0001 {} 01 ]');
    first.abort();
    const second = come(broker, 'alice', { mountPoint: to });
    await second.expect('20 [ 00 00 { ... } ]');
    const publisher = await broker.connect({ clientId: 'pub' });
    publisher.send("30 [ 'x' {} |1| ] 30 [ 'guest/x' {} |2| ] 30 [ 'guest/area/x' {} |3| ]");
    await publisher.settle();
    await second.expectSilence();
  });
}

for (const [what, mountPoint, connack] of [
  ['goes on below its mount point', 'guest/', '20 [ 01 00 { ... } ]'],
  ['begins anew below another one', 'guest/area/', '20 [ 00 00 { ... } ]'],
] as const) {
  test(`session from before a restart ${what}`, async () => {
    const store = new MemoryStore();
    const openStore = async () => store;
    const before = await startTestBroker({ openStore });
    const first = come(before, 'alice', { mountPoint: 'guest/' });
    await first.expect('20 [ 00 00 { ... } ]');
    first.send("82 [ 0001 {} '+/x' 01 '$share/g/x' 01 ]");
    await first.expect('90 [ 0001 {} 01 01 ]');
    await before.stop();
    await using after = await startTestBroker({ openStore });
    const second = come(after, 'alice', { mountPoint });
    await second.expect(connack);
  });
}

test('session begins anew when what it has in flight has no place below the mount point that its client comes through', async () => {
  await using broker = await startTestBroker();
  const publisher = await broker.connect({ clientId: 'pub' });
  const first = come(broker, 'alice');
  await first.expect('20 [ 00 00 { ... } ]');
  first.send("82 [ 0001 {} '#' 01 ]");
  await first.expect('90 [ 0001 {} 01 ]');
  publisher.send("32 [ 'house/alarm/code' 0001 {} |1| ]");
  await first.expect("32 [ 'house/alarm/code' 0001 {} |1| ]");
  first.send("A2 [ 0002 {} '#' ]");
  await first.expect('B0 [ 0002 {} 00 ]');
  first.abort();
  const second = come(broker, 'alice', { mountPoint: 'guest/area/' });
  await second.expect('20 [ 00 00 { ... } ]');
  await second.expectSilence();
});

test('session goes on when its client comes through another listener that has the same mount point', async () => {
  await using broker = await startTestBroker();
  const first = come(broker, 'alice', { mountPoint: 'guest/' });
  await first.expect('20 [ 00 00 { ... } ]');
  first.send("82 [ 0001 {} 'x' 01 '$share/g/+/y' 01 ]");
  await first.expect('90 [ 0001 {} 01 01 ]');
  first.abort();
  const publisher = await broker.connect({ clientId: 'pub' });
  publisher.send("32 [ 'guest/x' 0001 {} |1| ] 32 [ 'guest/a/y' 0002 {} |2| ]");
  await publisher.expect('40 [ 0001 ]');
  await publisher.expect('40 [ 0002 ]');
  const second = come(broker, 'alice', { mountPoint: 'guest/', name: '1884', port: 1884 });
  await second.expect('20 [ 01 00 { ... } ]');
  await second.expect("32 [ 'x' 0001 {} |1| ]");
  await second.expect("32 [ 'a/y' 0002 {} |2| ]");
});

test('client below a mount point does not get the level of the mount point itself, which has no name there', async () => {
  await using broker = await startTestBroker();
  const publisher = await broker.connect({ clientId: 'pub' });
  publisher.send("31 [ 'guest' {} |kept| ]");
  const guest = come(broker, 'alice', { mountPoint: 'guest/' });
  await guest.expect('20 [ 00 00 { ... } ]');
  guest.send("82 [ 0001 {} '#' 01 ]");
  await guest.expect('90 [ 0001 {} 01 ]');
  publisher.send("30 [ 'guest' {} |0| ] 32 [ 'guest' 0001 {} |1| ] 32 [ 'guest/x' 0002 {} |2| ]");
  await guest.expect("32 [ 'x' 0002 {} |2| ]");
  guest.send('40 [ 0002 ]');
  await guest.expectSilence();
});

test('session of a user who has an account is neither taken over nor discarded when another user brings its client id', async () => {
  const accounts = new Set(['alice', 'bob']);
  const authenticator = { authenticate: () => 'accepted' as const, hasAccount: (_: string, username: string) => accounts.has(username) };
  await using broker = await startTestBroker({ authenticator });
  const alice = come(broker, 'alice');
  await alice.expect('20 [ 00 00 { ... } ]');
  alice.send("82 [ 0001 {} 'news' 01 ]");
  await alice.expect('90 [ 0001 {} 01 ]');
  const thief = come(broker, 'bob');
  await thief.expect('20 [ 00 85 {} ]');
  await thief.expectClosed();
  await alice.expectSilence();
  alice.abort();
  const publisher = await broker.connect({ clientId: 'pub' });
  publisher.send("32 [ 'news' 0001 {} |kept| ]");
  await publisher.expect('40 02 0001');
  const [near, far] = duplexPair({ allowHalfOpen: false });
  broker.broker.handle(far, testOrigin());
  const cleaner = new WirePeer(near, { version: 4 });
  cleaner.send(`10 [ PROTOCOL 82 0000 'one' 'bob' ]`);
  await cleaner.expect('20 02 00 02');
  await cleaner.expectClosed();
  const again = come(broker, 'alice');
  await again.expect('20 [ 01 00 { ... } ]');
  await again.expect("32 [ 'news' 0001 {} |kept| ]");
  again.abort();
  accounts.delete('alice');
  const heir = come(broker, 'bob');
  await heir.expect('20 [ 01 00 { ... } ]');
});

test('session of an account is not taken over through a listener that does not check the name, nor by a name that a certificate does not give', async () => {
  const hasAccount = (listener: string, username: string) => listener === 'checked' && username === 'alice';
  await using broker = await startTestBroker({ authenticator: { authenticate: () => 'accepted', hasAccount } });
  const alice = come(broker, 'alice', { name: 'checked' });
  await alice.expect('20 [ 00 00 { ... } ]');
  const namesake = come(broker, 'alice', { name: 'open' });
  await namesake.expect('20 [ 00 85 {} ]');
  await namesake.expectClosed();
  await alice.expectSilence();
  alice.abort();
  const again = come(broker, 'alice', { name: 'checked' });
  await again.expect('20 [ 01 00 { ... } ]');
});

test('session without a user, or of a name that was not checked, goes on when its client has got an account', async () => {
  const hasAccount = (listener: string, username: string) => listener === 'checked' && username === 'alice';
  await using broker = await startTestBroker({ authenticator: { authenticate: () => 'accepted', hasAccount } });
  const before = come(broker, 'anybody', { name: 'open' });
  await before.expect('20 [ 00 00 { ... } ]');
  before.abort();
  const alice = come(broker, 'alice', { name: 'checked' });
  await alice.expect('20 [ 01 00 { ... } ]');
});
