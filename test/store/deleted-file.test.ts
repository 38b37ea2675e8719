// The file of the database is deleted while it is open.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Keeper } from '../../src/store/keeper.ts';

test('a database whose file was deleted takes no more commits, and a backup of it is still made', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'midge-deleted-'));
  const path = join(folder, 'midge.db');
  const keeper = new Keeper();
  try {
    keeper.open({ path, synchronous: 'FULL', mayCopy: false, isOwnFolder: true, now: 0 });
    keeper.commit(new Uint8Array(0));
    rmSync(path);
    assert.throws(() => keeper.commit(new Uint8Array(0)), /deleted or replaced/);
    await keeper.backup(join(folder, 'backup.db'));
    assert.ok(existsSync(join(folder, 'backup.db')));
  } finally {
    keeper.close();
    rmSync(folder, { recursive: true });
  }
});
