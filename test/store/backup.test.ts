// Backups that the store's thread makes while it is asked for one commit after the other.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { PackedWriter } from '../../src/store/packed.ts';
import { recordWriter } from '../../src/store/records.ts';
import { startStoreWorker, WorkerLink } from '../../src/store/worker-link.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { storedMessage } from '../support/store/stored.ts';

const ROUNDS = 20;
const VALUES = 50;
const COMMITS = 10;

/** One transaction's worth of retained values, from the number `first` on. */
function records(first: number): Uint8Array<ArrayBuffer> {
  const out = new PackedWriter(1000);
  const visitor = recordWriter(out);
  for (let key = first; key < first + VALUES; key++)
    visitor.retainedSaved(storedMessage(key, { topicName: `topic/${key}`, payload: Buffer.alloc(1000) }));
  return out.finish();
}

test('store worker makes every backup at the first go, of whole commits, when commits wait behind it', async (t) => {
  const path = join(temporaryFolder(t), 'midge.db');
  const link = new WorkerLink(startStoreWorker);
  t.after(() => link.terminate());
  await link.ask({
    kind: 'open',
    request: { path, synchronous: 'NORMAL', mayCopy: false, isOwnFolder: true, inode: null, now: systemClock.now() },
  });
  let key = 1;
  const commit = () => {
    const asked = link.ask({ kind: 'commit', records: records(key) });
    key += VALUES;
    return asked;
  };
  await Promise.all(Array.from({ length: COMMITS }, commit));
  for (let round = 1; round <= ROUNDS; round++) {
    const copy = `${path}.${round}`;
    const before = key - 1;
    await Promise.all([link.ask({ kind: 'backup', file: copy }), ...Array.from({ length: COMMITS }, commit)]);
    const found = count(copy);
    assert.ok(found >= before && found % VALUES === 0, `${found} values in the copy, ${before} before it`);
  }
  assert.equal(link.work.commits, COMMITS * (ROUNDS + 1));
});

function count(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return Number(database.prepare('SELECT count(*) AS n FROM retained').get()?.['n']);
  } finally {
    database.close();
  }
}
