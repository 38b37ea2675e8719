// What a start would make of a database, told without changing it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { dryLoad, dryLoadText } from '../../src/store/dry-load.ts';
import { migrate } from '../../src/store/schema.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { durably, storedMessage, storedSession } from '../support/store/stored.ts';

const RETAINED = 'INSERT INTO retained (topic_name, key, payload, qos, retain, properties, expires_at) VALUES';

test('dryLoad counts and names what a start would leave out, and changes nothing', (t) => {
  for (const version of [1, undefined]) {
    const path = make(t, version, `${RETAINED} ('home/door', 1, x'', 1, 1, x'', 0), ('#', 2, x'', 1, 1, x'', 0)`);
    const before = contents(path);
    const found = dryLoad(path);
    assert.deepEqual(found, { rows: 2, unsound: [{ what: 'retained', count: 1, examples: ['#'] }] });
    assert.equal(dryLoadText(found), '1 of 2 rows of the database are invalid (retained 1 ("#")). midge leaves them out.');
    assert.deepEqual(contents(path), before);
  }
});

test('dryLoad reads what is in the log only, and leaves it there', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  store.saveRetained(storedMessage(1), true);
  assert.equal(await durably(store), 'durable');
  await folder.killWorker();
  const before = contents(folder.file);
  const found = dryLoad(folder.file);
  assert.deepEqual(found, { rows: 2, unsound: [] });
  assert.equal(dryLoadText(found), null);
  assert.deepEqual(contents(folder.file), before);
});

test('dryLoad refuses what a start would refuse or move aside', (t) => {
  const foreign = make(t, undefined, 'CREATE TRIGGER theirs AFTER INSERT ON session BEGIN SELECT 1; END');
  assert.throws(() => dryLoad(foreign), /^StoreFault: it has a trigger "theirs" that midge does not make/);
  const newer = make(t, undefined, 'PRAGMA user_version = 99');
  assert.throws(() => dryLoad(newer), /version 99 of a newer midge/);
  const cut = make(t, undefined, `${RETAINED} ('a', 1, zeroblob(100000), 1, 1, x'', 0)`);
  truncateSync(cut, 40_000);
  assert.throws(() => dryLoad(cut), /malformed|not sound|page/);
  assert.throws(() => dryLoad(join(dirname(cut), 'absent', 'midge.db')));
});

function make(t: TestContext, version: number | undefined, sql: string): string {
  const folder = join(temporaryFolder(t), 'a folder with ? and #');
  mkdirSync(folder);
  const path = join(folder, 'midge.db');
  const database = new DatabaseSync(path);
  migrate(database, version);
  database.exec(sql);
  database.close();
  return path;
}

function contents(path: string): [string, string][] {
  const folder = dirname(path);
  return readdirSync(folder).map((name) => [
    name,
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex'),
  ]);
}
