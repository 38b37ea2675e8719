// Retained values that change while the card takes nothing: they cost no memory without bound, and the card has the last of each in the end.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { RetainedSource, StoredMessage } from '../../src/broker/ports.ts';
import type { DurableStore } from '../../src/store/durable-store.ts';
import type { Store } from '../../src/store/store.ts';
import { heldBytes } from '../support/process/memory.ts';
import { IGNORED, StoreFolder } from '../support/store/open-store.ts';
import { durably, loadState, storedMessage, storedSession } from '../support/store/stored.ts';

const SQLITE_FULL = 13;
/** Topics that get a value and lose it, or keep it. */
const CROWD = 100_000;
const KEPT = 3000;

/** Model is what a broker has in memory. */
class Model implements RetainedSource {
  readonly values: Map<string, string>;
  readonly #store: Store;
  #key: number;

  constructor(store: Store) {
    this.values = new Map();
    this.#store = store;
    this.#key = 0;
  }

  *retained(): Generator<StoredMessage> {
    for (const [topicName, value] of this.values) yield this.#message(topicName, value);
  }

  hasRetained(topicName: string): boolean {
    return this.values.has(topicName);
  }

  set(topicName: string, value: string | null, qos: 0 | 1 = 0): void {
    if (value === null) {
      this.values.delete(topicName);
      this.#store.dropRetained(topicName, qos > 0);
    } else {
      this.values.set(topicName, value);
      this.#store.saveRetained(this.#message(topicName, value, qos), qos > 0);
    }
  }

  #message(topicName: string, value: string, qos: 0 | 1 = 0): StoredMessage {
    return storedMessage(++this.#key, { topicName, payload: Buffer.from(value), qos, retain: true });
  }
}

async function begin(t: TestContext): Promise<{ folder: StoreFolder; store: Store; model: Model }> {
  const folder = new StoreFolder(t, { writeBehind: 50 });
  const store = await folder.openTroubled();
  const model = new Model(store);
  await store.load(IGNORED, model);
  for (let at = 0; at < KEPT; at++) model.set(`before/${at}`, 'old', 1);
  assert.equal(await durably(store), 'durable');
  return { folder, store, model };
}

/** What a restart finds is what the model has. */
async function check(folder: StoreFolder, model: Model): Promise<void> {
  const { retained } = await loadState(await folder.open());
  const found = (retained as { topicName: string; payload: string }[]).map((one) => [one.topicName, one.payload] as const); // what loadState makes
  const wanted = Array.from(model.values, ([name, value]) => [name, Buffer.from(value).toString('hex')] as const);
  assert.deepEqual(new Map(found), new Map(wanted));
}

test('DurableStore bounds what it notes of retained values while the disk is full, and has the last of each when there is space', async (t) => {
  const { folder, store, model } = await begin(t);
  folder.trouble.set(SQLITE_FULL);
  store.saveSession(storedSession('phone'));
  assert.equal(await durably(store), 'full');
  const before = heldBytes();
  for (let at = 0; at < CROWD; at++) {
    const topicName = `crowd/${at}/${'deep/'.repeat(80)}`;
    model.set(topicName, 'value');
    model.set(topicName, null, at % 2 === 0 ? 0 : 1);
    if (at % 1000 === 0) assert.equal(await durably(store), 'full'); // turns pass
  }
  for (let at = 0; at < KEPT; at++) {
    if (at % 3 === 0) model.set(`before/${at}`, null);
    if (at % 3 === 1) model.set(`before/${at}`, 'new', at % 2 === 0 ? 0 : 1);
    model.set(`during/${at}`, `value ${at}`);
  }
  const held = heldBytes() - before;
  assert.ok(held < 20_000_000, `${(held / 1e6).toFixed(0)} MB are held for ${CROWD} topics that have no value any more`);
  folder.trouble.set(0);
  await folder.log.line(/is written again/);
  model.set('after', 'the end');
  await store.stop();
  await check(folder, model);
});

test('DurableStore catches up with retained values that change while it does', async (t) => {
  const { folder, store, model } = await begin(t);
  folder.trouble.set(SQLITE_FULL);
  store.saveSession(storedSession('phone'));
  assert.equal(await durably(store), 'full');
  for (let at = 0; at < 40_000; at++) model.set(`crowd/${at}`, `value ${at}`);
  folder.trouble.set(0);
  await folder.log.line(/is written again/);
  for (let round = 0; round < 60; round++) {
    for (let at = round; at < 40_000; at += 500) model.set(`crowd/${at}`, round % 3 === 0 ? null : `round ${round}`);
    model.set(`before/${round}`, null, 1);
    assert.equal(await durably(store), 'durable');
  }
  await store.stop();
  await check(folder, model);
});

test('DurableStore forgets no value on the card that it could not read at the start', async (t) => {
  const folder = new StoreFolder(t, { writeBehind: 50 });
  const first = await folder.open();
  first.saveRetained(storedMessage(1, { topicName: 'unread', retain: true }), true);
  await first.stop();
  folder.trouble.set(SQLITE_FULL);
  const store = await folder.openTroubled();
  (store as DurableStore).trouble({ kind: 'failed', reason: 'the card cannot be read' });
  const model = new Model(store);
  await store.load(IGNORED, model);
  for (let at = 0; at < 40_000; at++) model.set(`crowd/${at}`, `value ${at}`);
  folder.trouble.set(0);
  await folder.log.line(/is written again/);
  await store.stop();
  model.values.set('unread', 'message 1');
  await check(folder, model);
});
