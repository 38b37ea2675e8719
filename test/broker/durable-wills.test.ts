// Wills of a broker with a store that stops in order or loses its power, and after it has come back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredMessage } from '../../src/broker/ports.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { startTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { WirePeer } from '../support/clients/wire-peer.ts';
import { TestClock } from '../support/ports/test-clock.ts';

const clock = new TestClock();
const start = (store: MemoryStore): Promise<TestBroker> => startTestBroker({ openStore: async () => store, clock });

function pass(broker: TestBroker, seconds: number): void {
  for (let second = 0; second < seconds; second++) {
    clock.advance(1000);
    broker.broker.wheel.advance();
  }
}

/** A session that is kept, and gets all wills. */
async function connectWatcher(broker: TestBroker, clientId = 'watcher'): Promise<WirePeer> {
  const watcher = await broker.connect({ clientId, cleanStart: false });
  watcher.send("82 [ 0001 {} 'gone' 01 ]");
  await watcher.expect('90 [ 0001 {} 01 ]');
  return watcher;
}

test('broker says a will when it stops, and a kept session gets it after the restart [MQTT-3.1.2-8]', async () => {
  const store = new MemoryStore();
  const before = await start(store);
  await connectWatcher(before);
  const peer = before.open();
  peer.send("10 [ PROTOCOL 0E 0000 {} 'a' {} 'gone' 'bye' ]");
  await peer.expect('20 [ 00 00 { ... } ]');
  await before.stop();
  await peer.expect('E0 [ 8B ]');
  await peer.expectClosed();

  await using after = await start(store);
  const watcher = await after.connect({ clientId: 'watcher', cleanStart: false });
  await watcher.expect("32 [ 'gone' @id {} |bye| ]");
});

test('broker says a retained will when it stops, and has it after the restart [MQTT-3.1.2-15]', async () => {
  const store = new MemoryStore();
  const before = await start(store);
  const peer = before.open();
  peer.send("10 [ PROTOCOL 2E 0000 {} 'a' {} 'gone' 'bye' ]");
  await peer.expect('20 [ 00 00 { ... } ]');
  await before.stop();

  await using after = await start(store);
  const watcher = await after.connect({ clientId: 'watcher' });
  watcher.send("82 [ 0001 {} 'gone' 00 ]");
  await watcher.expect('90 [ 0001 {} 00 ]');
  await watcher.expect("31 [ 'gone' {} |bye| ]");
});

test('broker says a delayed will after a restart when its client does not come back [MQTT-3.1.2-8]', async () => {
  const store = new MemoryStore();
  await stopWithDelayedWill(store);
  await using after = await start(store);
  const watcher = await after.connect({ clientId: 'watcher', cleanStart: false });
  pass(after, 5);
  await watcher.expectSilence();
  pass(after, 7);
  await watcher.expect("32 [ 'gone' @id {} |bye| ]");
});

test('broker says no delayed will after a restart when its client comes back in time [MQTT-3.1.3-9]', async () => {
  const store = new MemoryStore();
  await stopWithDelayedWill(store);
  await using after = await start(store);
  const watcher = await after.connect({ clientId: 'watcher', cleanStart: false });
  const peer = await after.connect({ clientId: 'a', cleanStart: false });
  pass(after, 60);
  await watcher.expectSilence();
  await peer.expectSilence();
});

test('broker counts the delay of a will by the wall clock when it is away itself', async () => {
  const store = new MemoryStore();
  await stopWithDelayedWill(store);
  clock.advance(9_000);
  await using after = await start(store);
  const watcher = await after.connect({ clientId: 'watcher', cleanStart: false });
  await watcher.expectSilence();
  pass(after, 3);
  await watcher.expect("32 [ 'gone' @id {} |bye| ]");
});

test('broker says a delayed will once, however often it is started anew [MQTT-3.1.2-8]', async () => {
  const store = new MemoryStore();
  await stopWithDelayedWill(store);
  const second = await start(store);
  pass(second, 12);
  await second.stop();
  await using third = await start(store);
  pass(third, 12);
  const watcher = await third.connect({ clientId: 'watcher', cleanStart: false });
  await watcher.expect("32 [ 'gone' @id {} |bye| ]");
  await watcher.expectSilence();
});

test('broker says the will of a client that was connected when the power went, over the value that the client had retained [MQTT-3.1.2-8]', async () => {
  const card = await cutPower();
  await using after = await start(card);
  const reader = await after.connect({ clientId: 'reader' });
  reader.send("82 [ 0001 {} 'gone' 00 ]");
  await reader.expect('90 [ 0001 {} 00 ]');
  await reader.expect("31 [ 'gone' {} |bye| ]");
});

test('broker says the will of a client that was connected when the power went to sessions that it takes back before and after that one', async () => {
  const card = await cutPower();
  await using after = await start(card);
  for (const clientId of ['early', 'late']) {
    const watcher = await after.connect({ clientId, cleanStart: false });
    await watcher.expect("32 [ 'gone' @id {} |bye| ]");
  }
});

test('broker says the will of a client that was connected when the power went once, however often the power goes', async () => {
  const card = await cutPower();
  await using second = await start(card);
  await using third = await start(card.copy());
  for (const broker of [second, third]) {
    const watcher = await broker.connect({ clientId: 'early', cleanStart: false });
    await watcher.expect("32 [ 'gone' @id {} |bye| ]");
    await watcher.expectSilence();
  }
});

test('broker gives the will that it says after a power cut a key of its own, and the name of its client', async () => {
  const card = await cutPower();
  const before = await retainedValue(card);
  assert.ok(before.key > 0);
  await using _after = await start(card);
  const will = await retainedValue(card);
  assert.ok(will.key > before.key, `${will.key} after ${before.key}`);
  assert.deepEqual(will.source, { clientId: 'phone', username: 'ann', listener: '1883' });
});

test('broker says the will of a client without a kept session that was connected when the power went, once [MQTT-3.1.2-8]', async () => {
  const card = await cutLampsPower(async () => {});
  await using second = await start(card);
  assert.equal(second.broker.sessions.get('lamp'), null);
  await using third = await start(card.copy());
  for (const broker of [second, third]) {
    const watcher = await broker.connect({ clientId: 'watcher', cleanStart: false });
    await watcher.expect("32 [ 'gone' @id {} |bye| ]");
    await watcher.expectSilence();
    watcher.send("82 [ 0002 {} 'gone' 00 ]");
    await watcher.expect('90 [ 0002 {} 00 ]');
    await watcher.expect("31 [ 'gone' {} |bye| ]");
  }
  assert.deepEqual([...card.sessions.keys()], ['watcher']);
});

test('broker says no will after a power cut for a client without a kept session that took its leave, or whose will was said [MQTT-3.1.2-10]', async () => {
  const left = await cutLampsPower(async (lamp) => {
    lamp.send('E0 00');
    await lamp.expectClosed();
  });
  const broken = await cutLampsPower(async (lamp, watcher) => {
    lamp.send('FF 00');
    await lamp.expect('E0 [ 81 ]');
    await lamp.expectClosed();
    await watcher.expect("32 [ 'gone' 0001 {} |bye| ]");
    watcher.send('40 02 0001');
    await watcher.settle();
  });
  for (const card of [left, broken]) {
    await using after = await start(card);
    const watcher = await after.connect({ clientId: 'watcher', cleanStart: false });
    await watcher.expectSilence();
  }
});

/** What is on the card when the power goes while 'lamp', whose session is not kept, is connected with a retained will, or after that. */
async function cutLampsPower(then: (lamp: WirePeer, watcher: WirePeer) => Promise<void>): Promise<MemoryStore> {
  const store = new MemoryStore();
  const before = await start(store);
  const watcher = await connectWatcher(before);
  const lamp = before.open();
  lamp.send("10 [ PROTOCOL 2E 0000 {} 'lamp' { 18 0000000A } 'gone' 'bye' ]"); // a delay cannot outlive the session
  await lamp.expect('20 [ 00 00 { ... } ]');
  await then(lamp, watcher);
  const card = store.copy();
  await before.stop();
  return card;
}

/** What is on the card when the power goes while 'phone' is connected: it has retained "here", and its will is to retain "bye" there. */
async function cutPower(): Promise<MemoryStore> {
  const store = new MemoryStore();
  const before = await start(store);
  await connectWatcher(before, 'early');
  const peer = before.open();
  peer.send("10 [ PROTOCOL AC 0000 { 11 FFFFFFFF } 'phone' {} 'gone' 'bye' 'ann' ]"); // Will QoS 1, retained; no clean start
  await peer.expect('20 [ ?? 00 { ... } ]');
  const publisher = await before.connect({ clientId: 'publisher' });
  publisher.send("33 [ 'gone' 0001 {} |here| ]");
  await publisher.expect('40 [ 0001 * ]');
  await connectWatcher(before, 'late');
  const card = store.copy();
  for (const { deliveries } of card.sessions.values()) deliveries.clear(); // "here" was acknowledged
  await before.stop();
  return card;
}

async function retainedValue(store: MemoryStore): Promise<StoredMessage> {
  const retained: StoredMessage[] = [];
  await store.load({ session: () => {}, retained: (message) => void retained.push(message) });
  assert.equal(retained.length, 1);
  return retained[0]!; // length 1
}

/** A broker that stops while a client with a kept session and a will with a delay of 10 seconds is connected. */
async function stopWithDelayedWill(store: MemoryStore): Promise<void> {
  const before = await start(store);
  await connectWatcher(before);
  const peer = before.open();
  peer.send("10 [ PROTOCOL 0C 0000 { 11 FFFFFFFF } 'a' { 18 0000000A } 'gone' 'bye' ]");
  await peer.expect('20 [ 00 00 { ... } ]');
  await before.stop();
}
