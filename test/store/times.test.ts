// How long commits take, and those who wait for them: for whoever wants to know, and for nobody else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StoreFolder } from '../support/store/open-store.ts';
import { durably, storedSession } from '../support/store/stored.ts';

test('DurableStore tells each commit and each that waited for it while it is watched', async (t) => {
  const store = await new StoreFolder(t).open();
  const told: string[] = [];
  const tell = (what: string) => (seconds: number) => void told.push(seconds > 0 && seconds < 600 ? what : `${what} of ${seconds} s`);
  store.watch({ commit: tell('commit'), wait: tell('wait') });
  store.saveSession(storedSession('phone'));
  assert.deepEqual(await Promise.all([durably(store), durably(store)]), ['durable', 'durable']);
  assert.deepEqual(told.toSorted(), ['commit', 'wait', 'wait']);
  store.watch(null);
  store.saveSession(storedSession('lamp'));
  assert.equal(await durably(store), 'durable');
  assert.equal(told.length, 3);
});
