// What the $SYS tree says of the store.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storeTopics } from '../../src/telemetry/store-topics.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { durably, storedMessage } from '../support/store/stored.ts';

test('storeTopics tell state and cost of the store', async (t) => {
  const store = await new StoreFolder(t).open();
  for (const key of [1, 2]) {
    store.saveRetained(storedMessage(key), true);
    await durably(store); // a commit tells of the work up to it
  }
  const texts = new Map(storeTopics(store, 32e9));
  assert.equal(texts.get('$SYS/midge/store/state'), 'ok');
  assert.equal(texts.get('$SYS/midge/store/commits'), '2');
  assert.ok(Number(texts.get('$SYS/midge/store/fsyncs')) > 0);
  assert.ok(Number(texts.get('$SYS/midge/store/bytes/written/day')) > 0);
  assert.match(texts.get('$SYS/midge/store/wear') ?? '', /too early to say/);
});

test('storeTopics are none when nothing outlives the process', () => {
  assert.deepEqual(storeTopics(null, null), []);
});
