// Options whose effect needs more than a conversation: rights that change, time, a client that does not read, the log.

import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { MemoryStore } from '../store/memory-store.ts';
import { startTestBroker, type TestBroker, testOrigin } from '../support/broker/test-broker.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { TestClock } from '../support/ports/test-clock.ts';
import { connectTemplate } from '../support/protocol/connect-template.ts';
import { hex } from '../support/protocol/hex-template.ts';

for (const checkRetainSource of [true, false]) {
  const verb = checkRetainSource ? 'withholds' : 'sends';
  test(`broker ${verb} a retained message whose publisher lost its right when check_retain_source is ${checkRetainSource}`, async () => {
    let mayPublish = true;
    const authorizer = { mayPublish: () => mayPublish, mayReceive: () => true, maySubscribe: () => true };
    await using broker = await startTestBroker({ options: { checkRetainSource }, authorizer });
    const publisher = await broker.connect({ clientId: 'pub' });
    publisher.send("31 [ 't' {} |x| ]");
    await publisher.settle();
    mayPublish = false;
    const peer = await broker.connect({ clientId: 'sub' });
    peer.send("82 [ 0001 {} 't' 00 ]");
    await peer.expect('90 [ 0001 {} 00 ]');
    if (!checkRetainSource) await peer.expect("31 [ 't' {} |x| ]");
    await peer.expectSilence();
  });
}

test('broker drops expired retained messages, also from the store, every retain_expiry_interval', async () => {
  const clock = new TestClock();
  const store = new MemoryStore();
  await using broker = await startTestBroker({ options: { retainExpiryInterval: 60 }, clock, openStore: async () => store });
  await retainShort(broker);
  pass(broker, clock, 30);
  assert.deepEqual([broker.broker.retained.count, await retainedIn(store)], [2, 2]);
  pass(broker, clock, 31);
  assert.deepEqual([broker.broker.retained.count, await retainedIn(store)], [1, 1]);
});

test('broker begins to sweep retained messages, and ends, when retain_expiry_interval changes', async () => {
  const clock = new TestClock();
  await using broker = await startTestBroker({ clock });
  await retainShort(broker);
  pass(broker, clock, 120);
  assert.equal(broker.broker.retained.count, 2);
  broker.broker.setOptions({ ...broker.broker.options, retainExpiryInterval: 60 });
  pass(broker, clock, 61);
  assert.equal(broker.broker.retained.count, 1);
  broker.broker.setOptions({ ...broker.broker.options, retainExpiryInterval: 0 });
  await retainShort(broker);
  pass(broker, clock, 120);
  assert.equal(broker.broker.retained.count, 2);
});

for (const [maxOutgoingBytes, drops] of [
  [50_000, true],
  [1_000_000, false],
] as const) {
  const verb = drops ? 'drops and counts' : 'keeps';
  test(`broker ${verb} QoS 0 messages for a client that does not read when max_outgoing_bytes is ${maxOutgoingBytes}`, async () => {
    const log = recordingLog();
    await using broker = await startTestBroker({ options: { maxOutgoingBytes }, log });
    const [near, far] = duplexPair();
    broker.broker.handle(far, testOrigin());
    near.write(Buffer.concat([hex(connectTemplate({ clientId: 'frozen' })), hex("82 [ 0001 {} 't' 00 ]")]));
    const publisher = await broker.connect({ clientId: 'pub' });
    for (let sent = 0; sent < 400_000; sent += 8000) {
      publisher.send("30 [ 't' {} |0123456789|*800 ]");
      await publisher.settle();
    }
    assert.equal(broker.broker.counters.publishDropped > 0, drops);
    const told = log.lines.filter((line) => line === 'Outgoing messages are being dropped for client frozen.');
    assert.equal(told.length, Number(drops));
    near.destroy();
  });
}

for (const connectionMessages of [true, false]) {
  test(`broker logs ${connectionMessages ? 'who comes and goes' : 'nothing of it'} when connection_messages is ${connectionMessages}`, async () => {
    const log = recordingLog();
    await using broker = await startTestBroker({ options: { connectionMessages }, log });
    const peer = await broker.connect({ clientId: 'a' });
    peer.send('E0 00');
    await peer.expectClosed();
    const lines = log.lines.filter((line) => /^(New connection|New client connected|Client a .* disconnected)/.test(line));
    assert.equal(lines.length, connectionMessages ? 3 : 0, lines.join('\n'));
  });
}

test('broker closes the one connection whose packet it cannot process for a fault of its own [3.1.1 MQTT-4.8.0-2]', async () => {
  const authorizer = {
    mayPublish: (_: unknown, topicName: string) => {
      if (topicName === 'fault') throw new Error('out of order');
      return true;
    },
    mayReceive: () => true,
    maySubscribe: () => true,
  };
  await using broker = await startTestBroker({ authorizer });
  const other = await broker.connect({ clientId: 'other' });
  const peer = await broker.connect({ clientId: 'a', version: 4 });
  peer.send("32 [ 'fault' 0001 |x| ]");
  await peer.expectClosed();
  await other.expectSilence();
});

/** Two retained messages, one of which lasts for 10 seconds. */
async function retainShort(broker: TestBroker): Promise<void> {
  const publisher = await broker.connect({ clientId: 'pub' });
  publisher.send("31 [ 'short' { 02 0000000A } |x| ] 31 [ 'long' {} |x| ]");
  await publisher.settle();
  publisher.abort();
  await turn();
}

async function retainedIn(store: MemoryStore): Promise<number> {
  let count = 0;
  await store.load({ session: () => {}, retained: () => count++ });
  return count;
}

function pass(broker: TestBroker, clock: TestClock, seconds: number): void {
  clock.advance(seconds * 1000);
  broker.broker.wheel.advance();
}
