// What the engine promises when it has a store: nothing is acknowledged before it is kept, and a restart takes up where the power went.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoadSink, RetainedSource } from '../../src/broker/ports.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { startTestBroker, type TestBroker, type TestBrokerOptions } from '../support/broker/test-broker.ts';
import { until } from '../support/broker/turns.ts';
import type { WirePeer } from '../support/clients/wire-peer.ts';
import { TestClock } from '../support/ports/test-clock.ts';
import { HeldStore } from '../support/store/held-store.ts';

const start = (store: MemoryStore, more: TestBrokerOptions = {}): Promise<TestBroker> =>
  startTestBroker({ openStore: async () => store, ...more });

/** A session that is kept, subscribed to everything, and away. */
async function keep(broker: TestBroker, clientId: string, qos: string): Promise<void> {
  const peer = await broker.connect({ clientId, cleanStart: false });
  peer.send(`82 [ 0001 {} '#' ${qos} ]`);
  await peer.expect(`90 [ 0001 {} ${qos} ]`);
  peer.send('E0 00');
  await peer.expectClosed();
}

const back = (broker: TestBroker, clientId: string): Promise<WirePeer> => broker.connect({ clientId, cleanStart: false });

test('PUBACK waits for the commit when a kept session is away [MQTT-4.3.2-4]', async () => {
  const store = new HeldStore();
  await using broker = await start(store);
  await keep(broker, 'kept', '01');
  store.holds = true;
  const publisher = await broker.connect({ clientId: 'pub' });
  publisher.send("32 [ 't' 0001 {} |m| ]");
  await publisher.expectSilence();
  store.commit();
  await publisher.expect('40 [ 0001 * ]');
});

test('PUBACK goes out without a commit when every kept session has acknowledged', async () => {
  const store = new HeldStore();
  await using broker = await start(store);
  const kept = await broker.connect({ clientId: 'kept', cleanStart: false });
  kept.send("82 [ 0001 {} '#' 01 ]");
  await kept.expect('90 [ 0001 {} 01 ]');
  store.holds = true;
  const publisher = await broker.connect({ clientId: 'pub' });
  publisher.send("32 [ 't' 0007 {} |m| ]");
  await publisher.expectSilence();
  await kept.expect("32 [ 't' 0001 {} |m| ]");
  kept.send('40 02 0001');
  await publisher.expect('40 [ 0007 * ]');
});

for (const [kind, cleanStart] of [
  ['is kept', false],
  ['ends with its connection', true],
] as const) {
  for (const [qos, subscribe, publish, ack, own] of [
    ['1', '01', "32 [ 't' 0001 {} |m| ]", '40 [ 0001 * ]', "32 [ 't' 0001 {} |m| ]"],
    ['2', '02', "34 [ 't' 0001 {} |m| ]", '50 [ 0001 * ]', "34 [ 't' 0001 {} |m| ]"],
    ['1, delivered with 0', '00', "32 [ 't' 0001 {} |m| ]", '40 [ 0001 * ]', "30 [ 't' {} |m| ]"],
  ] as const) {
    test(`a client gets PUBACK or PUBREC before its own message when that waits for the commit: QoS ${qos}, its session ${kind}`, async () => {
      const store = new HeldStore();
      await using broker = await start(store);
      await keep(broker, 'kept', '02');
      const both = await broker.connect({ clientId: 'both', cleanStart });
      both.send(`82 [ 0001 {} '#' ${subscribe} ]`);
      await both.expect(`90 [ 0001 {} ${subscribe} ]`);
      store.holds = true;
      both.send(publish);
      both.send("30 [ 'other' {} |between| ]");
      await both.expect("30 [ 'other' {} |between| ]");
      await both.expectSilence();
      store.commit();
      await both.expect(ack);
      await both.expect(own);
      await both.expectSilence();
    });
  }
}

test('a client that publishes to itself in a kept session gets every PUBACK in order, each before its message', async () => {
  const store = new HeldStore();
  await using broker = await start(store, { options: { maxInflightMessages: 1 } });
  const both = await broker.connect({ clientId: 'both', cleanStart: false });
  both.send("82 [ 0001 {} '#' 01 ]");
  await both.expect('90 [ 0001 {} 01 ]');
  store.holds = true;
  both.send("32 [ 't' 0001 {} |1| ]");
  await both.expectSilence();
  store.commit();
  await both.expect('40 [ 0001 * ]');
  await both.expect("32 [ 't' 0001 {} |1| ]");
  both.send("32 [ 't' 0002 {} |2| ]"); // queued: the window is full
  await both.expectSilence();
  both.send('40 02 0001'); // and now it has room, but the PUBACK still waits
  await both.expectSilence();
  store.commit();
  await both.expect('40 [ 0002 * ]');
  await both.expect("32 [ 't' 0002 {} |2| ]");
});

test('a message to its own publisher is there after the connection is lost before its PUBACK', async () => {
  const store = new HeldStore();
  await using broker = await start(store);
  const early = await broker.connect({ clientId: 'both', cleanStart: false });
  early.send("82 [ 0001 {} '#' 01 ]");
  await early.expect('90 [ 0001 {} 01 ]');
  store.holds = true;
  early.send("32 [ 't' 0001 {} |m| ]");
  await early.expectSilence();
  const late = await back(broker, 'both');
  await late.expectSilence();
  store.commit();
  await late.expect("32 [ 't' 0001 {} |m| ]");
});

test('a v5 client may not have more QoS 1 messages waiting for their PUBACK than Receive Maximum, a 3.1.1 client may [MQTT-3.3.4-7]', async () => {
  const store = new HeldStore();
  await using broker = await start(store);
  await keep(broker, 'kept', '01');
  store.holds = true;
  const five = await broker.connect({ clientId: 'five' });
  const four = await broker.connect({ clientId: 'four', version: 4 });
  const id = (number: number) => number.toString(16).padStart(4, '0');
  for (let number = 1; number <= 20; number++) five.send(`32 [ 't' ${id(number)} {} |m| ]`);
  for (let number = 1; number <= 25; number++) four.send(`32 [ 't' ${id(number)} |m| ]`);
  await five.expectSilence();
  await four.expectSilence();
  store.commit();
  for (let number = 1; number <= 20; number++) await five.expect(`40 [ ${id(number)} * ]`);
  for (let number = 1; number <= 25; number++) await four.expect(`40 [ ${id(number)} ]`);
  for (let number = 1; number <= 21; number++) five.send(`32 [ 't' ${id(number)} {} |m| ]`);
  await five.expect('E0 [ 93 ]');
  await five.expectClosed();
});

test('a client that returns may open as many QoS 2 exchanges as Receive Maximum, whatever it left open before [MQTT-4.9.0-1]', async () => {
  await using broker = await start(new MemoryStore());
  const id = (number: number) => number.toString(16).padStart(4, '0');
  for (const first of [1, 21]) {
    const peer = await broker.connect({ clientId: 'kept', cleanStart: false });
    for (let number = first; number < first + 20; number++) peer.send(`34 [ 't' ${id(number)} {} |m| ]`);
    for (let number = first; number < first + 20; number++) await peer.expect(`50 [ ${id(number)} ]`);
    peer.abort();
  }
});

test('keep alive does not run out while the broker reads nothing because its store is slow [MQTT-3.1.2-22]', async () => {
  const store = new HeldStore();
  const clock = new TestClock();
  await using broker = await start(store, { clock });
  await keep(broker, 'kept', '01');
  store.holds = true;
  const peer = await broker.connect({ clientId: 'fast', version: 4, keepAlive: 10 });
  const packet = Buffer.from('3206000161000178', 'hex');
  for (let count = 0; count < 5000; count++) peer.send(packet);
  await until(() => broker.broker.sessions.get('fast')?.connection?.reading.waitsForUs === true);
  const pass = (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1000);
      broker.broker.wheel.advance();
    }
  };
  pass(60);
  assert.equal(broker.broker.sessions.get('fast')?.connection?.state, 'connected');
  store.holds = false;
  store.commit();
  for (let count = 0; count < 5000; count++) await peer.expect('40 [ 0001 ]');
  pass(14);
  await peer.expectSilence();
  pass(16);
  await peer.expectClosed();
});

test('PUBACKs keep the order of their messages when only the first must wait [MQTT-4.6.0-2]', async () => {
  const store = new HeldStore();
  await using broker = await start(store);
  const kept = await broker.connect({ clientId: 'kept', cleanStart: false });
  kept.send("82 [ 0001 {} 'kept' 01 ]");
  await kept.expect('90 [ 0001 {} 01 ]');
  store.holds = true;
  kept.send('E0 00');
  await kept.expectClosed();
  const publisher = await broker.connect({ clientId: 'pub' });
  publisher.send("32 [ 'kept' 0001 {} |m| ]");
  publisher.send("32 [ 'other' 0002 {} |m| ]");
  await publisher.expectSilence();
  store.commit();
  await publisher.expect('40 [ 0001 * ]');
  await publisher.expect('40 [ 0002 * ]');
});

test('a retained QoS 1 message is acknowledged after its commit, a QoS 0 one delays nobody', async () => {
  const store = new HeldStore();
  await using broker = await start(store);
  store.holds = true;
  const publisher = await broker.connect({ clientId: 'pub' });
  publisher.send("31 [ 't' {} |zero| ]");
  publisher.send("33 [ 't' 0001 {} |one| ]");
  await publisher.expectSilence();
  store.commit();
  await publisher.expect('40 [ 0001 * ]');
});

test('queued messages, subscriptions and retained messages are there again after a restart', async () => {
  const store = new MemoryStore();
  const before = await start(store);
  await keep(before, 'kept', '01');
  const publisher = await before.connect({ clientId: 'pub' });
  publisher.send("32 [ 'a' 0001 {} |one| ]");
  publisher.send("33 [ 'b' 0002 { 03 'text', 26 'k' 'v' } |two| ]");
  await publisher.settle();
  await before.stop();

  await using after = await start(store);
  const kept = await back(after, 'kept');
  await kept.expect("32 [ 'a' @first {} |one| ]");
  await kept.expect("32 [ 'b' @second { 03 'text', 26 'k' 'v' } |two| ]");
  const newcomer = await after.connect({ clientId: 'new' });
  newcomer.send("82 [ 0001 {} 'b' 00 ]");
  await newcomer.expect('90 [ 0001 {} 00 ]');
  await newcomer.expect("31 [ 'b' { 03 'text', 26 'k' 'v' } |two| ]");
});

test('a message in flight is sent again with DUP and its identifier after a restart [MQTT-4.4.0-1]', async () => {
  const store = new MemoryStore();
  const before = await start(store);
  await keep(before, 'kept', '02');
  const publisher = await before.connect({ clientId: 'pub' });
  for (const id of ['0001', '0002']) publisher.send(`34 [ 't' ${id} {} |${id}| ]`);
  await publisher.settle();
  const early = await back(before, 'kept');
  await early.expect("34 [ 't' 0001 {} |0001| ]");
  await early.expect("34 [ 't' 0002 {} |0002| ]");
  early.send('50 02 0001');
  await early.expect('62 02 0001');
  await before.stop();

  await using after = await start(store);
  const late = await back(after, 'kept');
  await late.expect("3C [ 't' 0002 {} |0002| ]");
  await late.expect('62 02 0001');
});

test('a QoS 2 message goes out to a kept session only when its identifier is durable', async () => {
  const store = new HeldStore();
  await using broker = await start(store);
  const kept = await broker.connect({ clientId: 'kept', cleanStart: false });
  kept.send("82 [ 0001 {} '#' 02 ]");
  await kept.expect('90 [ 0001 {} 02 ]');
  store.holds = true;
  const publisher = await broker.connect({ clientId: 'pub' });
  publisher.send("34 [ 't' 0001 {} |m| ]");
  await publisher.expectSilence();
  await kept.expectSilence();
  store.commit();
  await kept.expect("34 [ 't' 0001 {} |m| ]");
  kept.send('50 02 0001');
  await kept.expectSilence();
  store.commit();
  await kept.expect('62 02 0001');
});

test('a QoS 2 message that is repeated after a restart is not delivered twice [MQTT-4.3.3-10]', async () => {
  const store = new MemoryStore();
  const before = await start(store);
  await keep(before, 'kept', '02');
  const publisher = await before.connect({ clientId: 'pub', cleanStart: false });
  publisher.send("34 [ 't' 0005 {} |m| ]");
  await publisher.expect('50 [ 0005 * ]');
  await before.stop();

  await using after = await start(store);
  const again = await back(after, 'pub');
  again.send("3C [ 't' 0005 {} |m| ]");
  await again.expect('50 [ 0005 * ]');
  again.send('62 02 0005');
  await again.expect('70 02 0005');
  const kept = await back(after, 'kept');
  await kept.expect("34 [ 't' 0001 {} |m| ]");
  await kept.expectSilence();
  again.send("34 [ 't' 0005 {} |new| ]");
  await again.expect('50 [ 0005 * ]');
});

test('PUBREC and PUBCOMP wait for the commit also when a client comes back and repeats its packets before it', async () => {
  const store = new HeldStore();
  await using broker = await start(store);
  const first = await broker.connect({ clientId: 'pub', cleanStart: false });
  store.holds = true;
  first.send("34 [ 't' 0005 {} |m| ]");
  await first.settle();
  const second = await back(broker, 'pub');
  second.send("3C [ 't' 0005 {} |m| ]");
  await second.expectSilence();
  store.commit();
  await second.expect('50 [ 0005 * ]');
  second.send('62 02 0005');
  await second.settle();
  const third = await back(broker, 'pub');
  third.send('62 02 0005');
  await third.expectSilence();
  store.commit();
  await third.expect('70 [ 0005 92 * ] or 70 [ 0005 ]');
});

test('PUBREL waits for the commit also when a client comes back before it', async () => {
  const store = new HeldStore();
  await using broker = await start(store);
  await keep(broker, 'kept', '02');
  store.holds = true;
  const publisher = await broker.connect({ clientId: 'pub' });
  publisher.send("34 [ 't' 0001 {} |m| ]");
  await publisher.settle();
  const first = await back(broker, 'kept');
  await first.settle();
  store.commit();
  await first.expect("34 [ 't' 0001 {} |m| ]");
  first.send('50 02 0001');
  await first.expectSilence();
  const second = await back(broker, 'kept');
  await second.expectSilence();
  store.commit();
  await second.expect('62 02 0001');
});

test('a session expires by the wall clock also while the power is off [MQTT-3.1.2-23]', async () => {
  const store = new MemoryStore();
  const clock = new TestClock();
  const before = await start(store, { clock });
  const peer = await before.connect({ clientId: 'short', cleanStart: false, sessionExpiryInterval: 60 });
  peer.send('E0 00');
  await peer.expectClosed();
  await before.stop();
  clock.advance(61_000);
  await using after = await start(store, { clock });
  after.broker.wheel.advance();
  clock.advance(1000);
  after.broker.wheel.advance();
  assert.equal(after.broker.sessions.get('short'), null);
  assert.equal(store.sessions.size, 0);
});

test('nothing is acknowledged that a full disk could not take: 0x97 for MQTT 5, silence before', async () => {
  const store = new HeldStore();
  await using broker = await start(store);
  await keep(broker, 'kept', '01');
  store.holds = true;
  const five = await broker.connect({ clientId: 'five' });
  const four = await broker.connect({ clientId: 'four', version: 4 });
  five.send("32 [ 't' 0001 {} |m| ]");
  four.send("32 [ 't' 0001 |m| ]");
  await five.settle();
  await four.settle();
  store.commit('full');
  await five.expect('40 [ 0001 97 * ]');
  await four.expectSilence();
});

test('a QoS 2 message that is on the card is known by its identifier also when the card takes no more [MQTT-4.3.3-10]', async () => {
  const store = new HeldStore();
  await using broker = await start(store);
  await keep(broker, 'kept', '02');
  const first = await broker.connect({ clientId: 'pub', cleanStart: false });
  store.holds = true;
  first.send("34 [ 't' 0005 {} |m| ]");
  await first.settle();
  store.commit();
  await first.expect('50 [ 0005 * ]');
  for (const _ of [1, 2]) {
    const again = await back(broker, 'pub');
    again.send("3C [ 't' 0005 {} |m| ]");
    await again.settle();
    store.commit('full');
    await again.expect('50 [ 0005 ]');
  }
  store.holds = false;
  const kept = await back(broker, 'kept');
  await kept.expect("34 [ 't' 0001 {} |m| ]");
  await kept.expectSilence();
});

test('the identifier of a QoS 2 message that a full disk could not take is free again, after a restart too [MQTT-4.3.3-9]', async () => {
  const store = new HeldStore();
  const before = await start(store);
  const publisher = await before.connect({ clientId: 'pub', cleanStart: false });
  store.holds = true;
  publisher.send("34 [ 't' 0005 {} |m| ]");
  await publisher.settle();
  store.commit('full');
  await publisher.expect('50 [ 0005 97 * ]');
  const card = store.copy();
  await before.stop();

  await using after = await start(card);
  const again = await back(after, 'pub');
  again.send("82 [ 0001 {} '#' 00 ]");
  await again.expect('90 [ 0001 {} 00 ]');
  again.send("34 [ 't' 0005 {} |new| ]");
  await again.expect('50 [ 0005 ]');
  await again.expect("30 [ 't' {} |new| ]");
});

test('nothing is written for sessions that end with their connection', async () => {
  const store = new HeldStore();
  await using broker = await start(store);
  store.holds = true;
  const peer = await broker.connect({ clientId: 'clean' });
  peer.send("82 [ 0001 {} '#' 01 ]");
  await peer.expect('90 [ 0001 {} 01 ]');
  store.holds = true;
  peer.send("32 [ 't' 0001 {} |m| ]");
  await peer.expect('40 [ 0001 * ]');
  assert.equal(store.sessions.size, 0);
});

test('a session that was connected when the power went expires once, however often the power goes [MQTT-3.1.2-23]', async () => {
  const store = new MemoryStore();
  const clock = new TestClock();
  await using before = await start(store, { clock });
  await before.connect({ clientId: 'short', cleanStart: false, sessionExpiryInterval: 60 });
  const first = store.copy();
  await using _second = await start(first, { clock });
  const card = first.copy();
  clock.advance(61_000);
  await using third = await start(card, { clock });
  third.broker.wheel.advance();
  clock.advance(1000);
  third.broker.wheel.advance();
  assert.equal(third.broker.sessions.get('short'), null);
});

test('a session from before a restart is kept no longer than persistent_client_expiration allows now', async () => {
  const store = new MemoryStore();
  const clock = new TestClock();
  const before = await start(store, { clock });
  await keep(before, 'old', '01');
  await before.stop();
  await using after = await start(store, { clock, options: { persistentClientExpiration: 60 } });
  const pass = (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1000);
      after.broker.wheel.advance();
    }
  };
  pass(50);
  assert.equal(after.broker.sessions.count, 1);
  pass(12);
  assert.equal(after.broker.sessions.count, 0);
  assert.equal(store.sessions.size, 0);
});

test('a QoS 1 message whose first sending was not yet noted when the power went comes again with DUP 1 [MQTT-3.3.1-1]', async () => {
  const store = new HeldStore();
  const before = await start(store);
  await keep(before, 'kept', '01');
  const publisher = await before.connect({ clientId: 'pub' });
  publisher.send("32 [ 't' 0001 {} |m| ]");
  await publisher.expect('40 [ 0001 ]');
  const kept = await back(before, 'kept');
  await kept.expect("32 [ 't' 0001 {} |m| ]");
  const card = store.copy();
  const [order] = card.sessions.get('kept')?.deliveries.keys() ?? [];
  card.updateDelivery('kept', order ?? 0, 0, 'queued'); // as it is on a card that is written behind
  await before.stop();

  await using after = await start(card);
  await (await back(after, 'kept')).expect("3A [ 't' 0001 {} |m| ]");
});

test('broker tells the store all that it has retained, with a key each, whenever it is asked', async () => {
  const store = new MemoryStore();
  const { load } = store;
  let source: RetainedSource | null = null;
  store.load = (sink: LoadSink, asked?: RetainedSource) => {
    source = asked ?? null;
    return load.call(store, sink);
  };
  await using broker = await start(store);
  const peer = await broker.connect({ clientId: 'sensor' });
  peer.send("33 [ 'a' 0001 {} |one| ] 31 [ 'a/b' {} |two| ] 31 [ '$own/c' {} |three| ] 31 [ 'gone' {} |four| ] 31 [ 'gone' {} || ]");
  await peer.expect('40 [ 0001 * ]');
  await peer.settle();
  const asked = source as RetainedSource | null; // the compiler does not see that it was set
  const all = [...(asked?.retained() ?? [])];
  assert.deepEqual(all.map(({ topicName, payload, qos }) => `${topicName} ${payload} ${qos}`).sort(), [
    '$own/c three 0',
    'a one 1',
    'a/b two 0',
  ]);
  assert.ok(all.every(({ key, source }) => key > 0 && source?.clientId === 'sensor'));
  assert.deepEqual(
    ['a', 'a/b', '$own/c', 'gone', 'a/x'].map((topicName) => asked?.hasRetained(topicName)),
    [true, true, true, false, false],
  );
});
