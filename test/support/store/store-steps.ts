// Judges what a store-writer left: the state after some step, and none that is older than what was confirmed.

import assert from 'node:assert/strict';
import { systemClock } from '../../../src/base/clock.ts';
import type { LoadedSession, StoredMessage } from '../../../src/broker/ports.ts';
import { RecordAssembler } from '../../../src/store/record-assembler.ts';
import { readRecords } from '../../../src/store/records.ts';
import { WorkerStore } from '../../../src/store/worker-store.ts';
import { KEPT, TOPICS } from './store-writer.ts';

/** stepFound opens the database in this thread and gives the step whose state it holds, 0 = empty. Fails when it is no step's state, or was damaged. */
export function stepFound(path: string): number {
  const store = new WorkerStore();
  const { damage } = store.open({ path, synchronous: 'FULL', mayCopy: false, isOwnFolder: true, inode: null, now: systemClock.now() });
  assert.equal(damage, null, `it was taken for damaged: ${damage?.reason}`);
  const sessions: LoadedSession[] = [];
  const retained: StoredMessage[] = [];
  const loader = new RecordAssembler({
    session: (loaded) => void sessions.push(loaded),
    retained: (message) => void retained.push(message),
  });
  for (let piece = store.load(); piece !== null; piece = store.load()) {
    readRecords(piece, loader);
    loader.endPiece();
  }
  store.close();
  return stepOf(sessions, retained);
}

function stepOf(sessions: readonly LoadedSession[], retained: readonly StoredMessage[]): number {
  const orders = sessions.flatMap(({ deliveries }) => deliveries.map(({ delivery }) => delivery.order));
  const step = orders.at(-1) ?? 0;
  const expected = (count: number) => Array.from({ length: Math.min(step, count) }, (_, index) => step - Math.min(step, count) + 1 + index);
  assert.deepEqual(orders, expected(KEPT), `deliveries of no step: ${orders}`);
  const keys = retained.map(({ key }) => key).sort((a, b) => a - b);
  assert.deepEqual(keys, expected(TOPICS), `retained values of another step than ${step}: ${keys}`);
  for (const { key, payload } of [...retained, ...sessions.flatMap(({ deliveries }) => deliveries.map(({ message }) => message))]) {
    assert.ok(payload.equals(Buffer.alloc(payload.length, String(key))) && payload.length > 0, `the payload of ${key} is not its own`);
  }
  return step;
}

/** lastConfirmed reads the file that a store-writer leaves: the greatest step that was called durable. A line cut off by the end does not count. */
export function lastConfirmed(text: string): number {
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .trim()
    .split('\n')
    .filter((line) => line !== '');
  assert.deepEqual(
    lines.filter((line) => !/^durable \d+$/.test(line)),
    [],
  );
  return Math.max(0, ...lines.map((line) => Number(line.slice('durable '.length))));
}
