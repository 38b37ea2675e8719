// A clean start over a session that is on the card: CONNACK, which says that there is none, comes when a power cut brings it back no more.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker, type TestBroker, type TestBrokerOptions } from '../support/broker/test-broker.ts';
import { until } from '../support/broker/turns.ts';
import { HeldStore } from '../support/store/held-store.ts';

const CLEAN_START = "10 [ PROTOCOL 02 0000 {} 'kept' ]";
const NEW_SESSION = '20 [ 00 00 { ... } ]';

/** A broker that has the session 'kept' on its card; from now on its commits are ended by hand. */
async function startWithKept(store: HeldStore, more: TestBrokerOptions = {}): Promise<TestBroker> {
  const broker = await startTestBroker({ openStore: async () => store, ...more });
  const peer = await broker.connect({ clientId: 'kept', cleanStart: false });
  peer.send('E0 00');
  await peer.expectClosed();
  store.holds = true;
  return broker;
}

test('CONNACK of a clean start waits until the session that it ends is off the card [MQTT-3.1.2-4]', async () => {
  const store = new HeldStore();
  await using broker = await startWithKept(store);
  const peer = broker.open();
  peer.send(CLEAN_START);
  peer.send("82 [ 0001 {} 'a' 00 ]");
  await until(() => store.sessions.size === 0);
  const other = await broker.connect({ clientId: 'other' });
  await other.settle();
  assert.deepEqual(peer.waiting, []);
  store.commit();
  await peer.expect(NEW_SESSION);
  await peer.expect('90 [ 0001 {} 00 ]');
  peer.send("30 [ 'a' {} |m| ]");
  await peer.expect("30 [ 'a' {} |m| ]");
});

test('CONNACK of a clean start waits for nothing when no session was kept', async () => {
  const store = new HeldStore();
  await using broker = await startWithKept(store);
  const peer = await broker.connect({ clientId: 'other' });
  await peer.settle();
});

test('packets that come right behind a clean start are handled once when authenticator and store both take their time', async () => {
  const store = new HeldStore();
  await using broker = await startWithKept(store, { authenticator: { authenticate: async () => 'accepted' as const } });
  const peer = broker.open();
  peer.send(`${CLEAN_START} C0 00`);
  await until(() => store.sessions.size === 0);
  store.commit();
  await peer.expect(NEW_SESSION);
  await peer.expect('D0 00');
  await peer.expectSilence();
});

test('a clean start that waits for the card gives way to a connection that came later [MQTT-3.1.4-3]', async () => {
  const store = new HeldStore();
  await using broker = await startWithKept(store);
  const early = broker.open();
  early.send(CLEAN_START);
  await until(() => store.sessions.size === 0);
  const late = broker.open();
  late.send(CLEAN_START);
  await early.expectClosed();
  await (await broker.connect({ clientId: 'other' })).settle();
  assert.deepEqual(late.waiting, [], 'the session is on the card still');
  store.commit();
  await late.expect(NEW_SESSION);
  await late.settle();
});

test('the last of three clean starts that keep their sessions is the one that stays [MQTT-3.1.4-3]', async () => {
  const store = new HeldStore();
  await using broker = await startWithKept(store);
  const peers = Array.from({ length: 3 }, () => broker.open());
  for (const peer of peers) peer.send("10 [ PROTOCOL 02 0000 { 11 0000003C } 'kept' ]");
  const [first, second, last] = peers;
  await first?.expectClosed();
  await second?.expectClosed();
  store.commit();
  await last?.expect(NEW_SESSION);
  await last?.settle();
  assert.equal(broker.broker.sessions.count, 1);
});

test('a message for a clean start that waits for the card, and its end, do not come before CONNACK [MQTT-3.2.0-1]', async () => {
  const store = new HeldStore();
  await using broker = await startWithKept(store);
  const peer = broker.open();
  peer.send(`${CLEAN_START} 30 [ 'a' {} |early| ] 82 [ 0001 {} 'a' 00 ] 30 [ 'a' {} |late| ]`);
  await until(() => store.sessions.size === 0);
  const other = await broker.connect({ clientId: 'other' });
  other.send("82 [ 0001 {} '#' 00 ]");
  await other.expect('90 [ 0001 {} 00 ]');
  await other.settle();
  assert.deepEqual([...other.waiting, ...peer.waiting], []);
  store.commit();
  await peer.expect(NEW_SESSION);
  await peer.expect('90 [ 0001 {} 00 ]');
  await peer.expect("30 [ 'a' {} |late| ]");
  await other.expect("30 [ 'a' {} |early| ]");
  await other.expect("30 [ 'a' {} |late| ]");
});

test('a clean start whose client goes while it waits for the card leaves nothing', async () => {
  const store = new HeldStore();
  await using broker = await startWithKept(store);
  const peer = broker.open();
  peer.send(CLEAN_START);
  await until(() => store.sessions.size === 0);
  for (const connection of broker.broker.connections) connection.destroy();
  await peer.expectClosed();
  store.commit();
  assert.equal(broker.broker.sessions.count, 0);
});

test('a session that begins anew because the card could not be read has nothing of the old one after a restart', async () => {
  const store = new HeldStore();
  const first = await startTestBroker({ openStore: async () => store });
  const peer = await first.connect({ clientId: 'kept', cleanStart: false });
  peer.send("82 [ 0001 {} 'old' 00 ]");
  await peer.expect('90 [ 0001 {} 00 ]');
  await first.stop();

  const load = store.load.bind(store);
  store.load = async () => {};
  store.mayHoldMore = true;
  const second = await startTestBroker({ openStore: async () => store });
  const stranger = second.open();
  stranger.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'kept' ]");
  await stranger.expect(NEW_SESSION);
  await second.stop();

  store.load = load;
  store.mayHoldMore = false;
  await using third = await startTestBroker({ openStore: async () => store });
  assert.equal(third.broker.sessions.count, 1);
  assert.equal(third.broker.tree.count, 0);
});

test('a session that is not kept leaves no trace in the store, and one of its name that could not be read goes', async () => {
  for (const mayHoldMore of [false, true]) {
    const store = new HeldStore();
    const dropped: string[] = [];
    store.mayHoldMore = mayHoldMore;
    store.dropSession = (clientId) => void dropped.push(clientId);
    await using broker = await startTestBroker({ openStore: async () => store });
    const guest = await broker.connect({ clientId: 'guest' });
    guest.send('E0 00');
    await guest.expectClosed();
    assert.deepEqual(dropped, mayHoldMore ? ['guest'] : []);
  }
});

test('CONNACK of a new session that is kept waits for its row, and that of one that is there already does not', async () => {
  const store = new HeldStore();
  await using broker = await startWithKept(store);
  const fresh = broker.open();
  fresh.send("10 [ PROTOCOL 00 0000 { 11 0000003C } 'fresh' ]");
  await until(() => store.sessions.has('fresh'));
  await (await broker.connect({ clientId: 'other' })).settle();
  assert.deepEqual(fresh.waiting, []);
  const known = broker.open();
  known.send("10 [ PROTOCOL 00 0000 { 11 0000003C } 'kept' ]");
  await known.expect('20 [ 01 00 { ... } ]');
  store.commit();
  await fresh.expect(NEW_SESSION);
});

test('messages for a resumed session whose CONNACK waits for the card come behind it, those in flight first [MQTT-3.2.0-1] [MQTT-4.6.0-1]', async () => {
  const store = new HeldStore();
  await using broker = await startWithKept(store);
  store.holds = false;
  const RESUME = "10 [ PROTOCOL 04 0000 { 11 0000003C } 'kept' {} 'will' 'gone' ]";
  const before = broker.open();
  before.send(RESUME);
  await before.expect('20 [ 01 00 { ... } ]');
  before.send("82 [ 0001 {} 'a' 01 ]");
  await before.expect('90 [ 0001 {} 01 ]');
  const publisher = await broker.connect({ clientId: 'publisher' });
  publisher.send("32 [ 'a' 0001 {} |first| ]");
  await publisher.expect('40 02 0001');
  await before.expect("32 [ 'a' 0001 {} |first| ]");
  before.abort();
  await before.expectClosed();
  store.holds = true;
  const again = broker.open();
  again.send(RESUME);
  await until(() => broker.broker.sessions.get('kept')?.connection != null);
  publisher.send("30 [ 'a' {} |lost| ] 32 [ 'a' 0002 {} |second| ]");
  await publisher.settle();
  assert.deepEqual(again.waiting, []);
  store.commit();
  await again.expect('20 [ 01 00 { ... } ]');
  await again.expect("3A [ 'a' 0001 {} |first| ]");
  await again.expect("32 [ 'a' 0002 {} |second| ]");
  await again.settle();
});
