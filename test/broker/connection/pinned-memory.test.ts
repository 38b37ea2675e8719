// What a small thing that is kept for long may keep alive with it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TopicCache } from '../../../src/broker/topic.ts';
import { MemoryStore } from '../../store/memory-store.ts';
import { startTestBroker } from '../../support/broker/test-broker.ts';
import { until } from '../../support/broker/turns.ts';
import { collectGarbage, heldBytes } from '../../support/process/memory.ts';

const MIB = 1_048_576;

/** Passes as much through Node's pool of small buffers as it has. */
function stirPool(): void {
  for (let at = 0; at < 80; at++) Buffer.from('x'.repeat(1000));
}

test('topic cache holds its names and not the pool they were cut from', () => {
  const cache = new TopicCache();
  const before = heldBytes();
  for (let at = 0; at < 500; at++) {
    cache.named(`sensor/${at}`);
    stirPool();
  }
  const held = heldBytes() - before;
  assert.ok(held < 2 * MIB, `${held} bytes for 500 topics`);
  assert.ok(cache.named('sensor/0'));
});

test('queue of an absent client holds its messages and not the pool they were cut from', async () => {
  await using broker = await startTestBroker();
  const kept = await broker.connect({ clientId: 'kept', cleanStart: false });
  kept.send("82 [ 0001 {} '#' 01 ]");
  await kept.expect('90 [ 0001 {} 01 ]');
  kept.abort();
  const publisher = await broker.connect({ clientId: 'publisher' });
  await until(() => broker.broker.sessions.get('kept')?.connection === null);
  const before = heldBytes();
  for (let at = 1; at <= 500; at++) {
    const id = at.toString(16).padStart(4, '0');
    publisher.send(`32 [ 't' ${id} {} |m| ]`);
    await publisher.expect(`40 [ ${id} * ]`);
    stirPool();
  }
  await until(() => broker.broker.sessions.get('kept')?.outgoing.backlog.length === 500);
  const held = heldBytes() - before;
  assert.ok(held < 4 * MIB, `${held} bytes for 500 messages`);
});

test('message that waits for an absent client does not hold the connection it came by', async () => {
  await using broker = await startTestBroker({ openStore: async () => new MemoryStore() });
  const kept = await broker.connect({ clientId: 'kept', cleanStart: false });
  kept.send("82 [ 0001 {} '#' 01 ]");
  await kept.expect('90 [ 0001 {} 01 ]');
  kept.abort();
  const left: WeakRef<object>[] = [];
  for (let at = 0; at < 20; at++) left.push(await publishAndGo(broker, `guest${at}`));
  await until(() => broker.broker.connections.size === 0);
  collectGarbage();
  assert.equal(broker.broker.sessions.get('kept')?.outgoing.backlog.length, 20);
  const connections = left.filter((reference) => reference.deref() !== undefined).length;
  assert.ok(connections <= 2, `${connections} of 20 connections are still there`);
});

async function publishAndGo(broker: Awaited<ReturnType<typeof startTestBroker>>, clientId: string): Promise<WeakRef<object>> {
  const peer = await broker.connect({ clientId });
  peer.send("32 [ 't' 0001 {} |m| ]");
  await peer.expect('40 [ 0001 * ]');
  const reference = new WeakRef(broker.broker.sessions.get(clientId)!.connection!);
  peer.send('E0 00');
  await peer.expectClosed();
  return reference;
}
