// The way back from an upgrade: the database as it was before a newer version changed it.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { copyName, putBackCopy } from '../../src/store/earlier-version.ts';
import { APPLICATION_ID, migrate, readNumber, SCHEMA_VERSION } from '../../src/store/schema.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { durably, loadState, storedMessage, storedSession } from '../support/store/stored.ts';

const DAY_MS = 86_400_000;

/** A database of the first version with one row. */
function makeEarlier(folder: StoreFolder): void {
  mkdirSync(folder.path, { recursive: true });
  const database = new DatabaseSync(folder.file);
  migrate(database, 1);
  database.exec("INSERT INTO retained VALUES ('as/it/was', 1, x'', 1, 1, x'', 0, NULL, NULL)");
  database.close();
}

/** What a newer midge does to a database. */
function makeNewer(file: string): void {
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  database.close();
}

test('openStore keeps a database as it was when it brings it to this version, for its owner only, and says so', async (t) => {
  const folder = new StoreFolder(t);
  makeEarlier(folder);
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  assert.equal(await durably(store), 'durable');
  const copy = copyName(folder.file, 1);
  assert.equal(statSync(copy).mode & 0o777, 0o600);
  const kept = new DatabaseSync(copy, { readOnly: true });
  assert.deepEqual({ ...kept.prepare('SELECT topic_name FROM retained').get() }, { topic_name: 'as/it/was' });
  assert.deepEqual([readNumber(kept, 'application_id'), readNumber(kept, 'user_version')], [APPLICATION_ID, 1]);
  kept.close();
  assert.deepEqual(folder.log.lines.length, 1);
  assert.match(
    folder.log.lines[0] ?? '',
    /was converted from version 1 to the version of this midge\. midge keeps the old database in ".*midge\.db\.version-1" for a week/,
  );
});

test('openStore keeps no copy of a new database, or of one that is of this version', async (t) => {
  const folder = new StoreFolder(t);
  await (await folder.open()).stop();
  await (await folder.open()).stop();
  assert.deepEqual(readdirSync(folder.path), ['midge.db']);
});

test('openStore forgets a copy a week later', async (t) => {
  const folder = new StoreFolder(t);
  makeEarlier(folder);
  await (await folder.open()).stop();
  const copy = copyName(folder.file, 1);
  const age = (days: number) => utimesSync(copy, new Date(), new Date(Date.now() - days * DAY_MS));
  age(6);
  await (await folder.open()).stop();
  assert.ok(existsSync(copy));
  age(8);
  await (await folder.open()).stop();
  assert.ok(!existsSync(copy));
});

test('putBackCopy puts the copy of this version in place of a newer database, which is kept', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  store.saveRetained(storedMessage(1, { topicName: 'home/lamp' }), true);
  assert.equal(await durably(store), 'durable');
  await store.backup(copyName(folder.file));
  assert.throws(() => putBackCopy(folder.file, Date.now()), /database is locked/);
  await store.stop();
  assert.equal(putBackCopy(folder.file, Date.now()), null, 'it is not newer');

  makeNewer(folder.file);
  await assert.rejects(folder.open(), /of a newer midge.*"midge restore --before-upgrade" puts back what was there before/);
  const done = putBackCopy(folder.file, Date.now());
  assert.equal(done?.newer, SCHEMA_VERSION + 1);
  assert.match(done?.aside ?? '', /midge\.db\.newer-\d{8}T\d{6}Z$/);
  const { retained } = await loadState(await folder.open());
  assert.equal(retained.length, 1);
  const newer = new DatabaseSync(done?.aside ?? '', { readOnly: true });
  assert.equal(readNumber(newer, 'user_version'), SCHEMA_VERSION + 1);
  newer.close();
});

test('putBackCopy changes nothing when there is no copy, or no database', async (t) => {
  const folder = new StoreFolder(t);
  assert.equal(putBackCopy(folder.file, Date.now()), null);
  await (await folder.open()).stop();
  makeNewer(folder.file);
  assert.throws(
    () => putBackCopy(folder.file, Date.now()),
    /it has version \d+ of a newer midge, and there is no copy of version \d+ beside it/,
  );
  assert.deepEqual(readdirSync(folder.path), ['midge.db']);
});
