// Wills when the broker stops in order, with a store, and after it has come back.

import { test } from 'node:test';
import { MemoryStore } from '../store/memory-store.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { TestClock } from '../support/test-clock.ts';

const clock = new TestClock();
const start = (store: MemoryStore): Promise<TestBroker> => startTestBroker({ openStore: async () => store, clock });

function pass(broker: TestBroker, seconds: number): void {
  for (let second = 0; second < seconds; second++) {
    clock.advance(1000);
    broker.broker.wheel.advance();
  }
}

/** A session that is kept, and gets all wills. */
async function connectWatcher(broker: TestBroker): Promise<void> {
  const watcher = await broker.connect({ clientId: 'watcher', cleanStart: false });
  watcher.send("82 [ 0001 {} 'gone' 01 ]");
  await watcher.expect('90 [ 0001 {} 01 ]');
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

/** A broker that stops while a client with a kept session and a will with a delay of 10 seconds is connected. */
async function stopWithDelayedWill(store: MemoryStore): Promise<void> {
  const before = await start(store);
  await connectWatcher(before);
  const peer = before.open();
  peer.send("10 [ PROTOCOL 0C 0000 { 11 FFFFFFFF } 'a' { 18 0000000A } 'gone' 'bye' ]");
  await peer.expect('20 [ 00 00 { ... } ]');
  await before.stop();
}
