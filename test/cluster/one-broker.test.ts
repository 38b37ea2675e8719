// Two CONNECTs of one client id at one broker, which wait for what the other brokers say: the later one goes on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../bridges/scene.ts';
import { type Network, PRESENT, twoEnds, WANDERER } from './two-ends.ts';

const NEW = '20 [ 00 00 { ... } ]';

/** held has claims wait until `release` is called. */
function held(): { network: Network; asked: () => number; release: () => void } {
  const { promise, resolve } = Promise.withResolvers<null>();
  let asked = 0;
  const now: Network['now'] = ({ ask }) => {
    if (ask !== 'claim') return null;
    asked++;
    return promise;
  };
  return { network: { now }, asked: () => asked, release: () => resolve(null) };
}

test('cluster turns the earlier of two CONNECTs at one broker away while both wait for the other brokers [MQTT-3.1.4-3]', async (t) => {
  const { network, asked, release } = held();
  const [, b] = await twoEnds(t, network);
  const earlier = b.midge.open();
  earlier.send("10 [ PROTOCOL 00 0000 {} 'wanderer' ]");
  await eventually(() => asked() === 1, 'the other broker is asked');
  const later = b.midge.open();
  later.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'wanderer' ]");
  await earlier.expectClosed(); // without CONNACK
  release();
  await later.expect(NEW);
  await later.expectSilence();
  assert.equal(b.midge.broker.connectedClients, 1);
});

test('cluster lets the later of two CONNECTs at one broker have the session that the earlier one has asked for', async (t) => {
  const { network, asked, release } = held();
  const [a, b] = await twoEnds(t, network);
  network.isApart = true;
  const first = await a.midge.connect(WANDERER);
  first.abort();
  await eventually(() => a.midge.broker.sessions.get('wanderer')?.connection === null, 'it is away');
  network.isApart = false;
  const earlier = b.midge.open();
  earlier.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'wanderer' ]");
  await eventually(() => asked() === 1, 'the other broker is asked');
  const later = b.midge.open();
  later.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'wanderer' ]");
  await earlier.expectClosed();
  release();
  await later.expect(PRESENT);
  assert.equal(a.midge.broker.sessions.get('wanderer'), null);
});

test('cluster refuses another user the client id of one who waits for the other brokers', async (t) => {
  const { network, asked, release } = held();
  const authenticator = { authenticate: () => 'accepted' as const, hasAccount: () => true };
  const [, b] = await twoEnds(t, network, () => ({ authenticator }));
  const owner = b.midge.open();
  owner.send("10 [ PROTOCOL 82 0000 {} 'wanderer' 'ann' ]");
  await eventually(() => asked() === 1, 'the other broker is asked');
  const other = b.midge.open();
  other.send("10 [ PROTOCOL 82 0000 {} 'wanderer' 'bob' ]");
  await other.expect('20 [ 00 85 { ... } ]');
  release();
  await owner.expect(NEW);
  await owner.expectSilence();
});
