// A database with tables, triggers or views that midge does not make: nothing of them runs, and what can be read of our rows is kept.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { migrate, SCHEMA_VERSION } from '../../src/store/schema.ts';
import { schemaFault } from '../../src/store/schema-check.ts';
import { UnsoundRows } from '../../src/store/set-aside.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { durably, loadState, storedDelivery, storedMessage, storedSession, storedSubscription } from '../support/store/stored.ts';

const ENDLESS = 'WITH RECURSIVE endless(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM endless)';
const COLUMNS = 'topic_name, key, payload, qos, retain, properties, expires_at, source_client_id, source_username, source_listener';

interface Foreign {
  readonly what: string;
  readonly sql: string;
  readonly reason: RegExp;
  /** Sessions and retained messages that are kept; 1 and 1 where nothing is lost. */
  readonly kept?: readonly [sessions: number, retained: number];
}

const FOREIGN: readonly Foreign[] = [
  {
    what: 'a trigger',
    sql: 'CREATE TRIGGER theirs AFTER INSERT ON session BEGIN DELETE FROM retained; END',
    reason: /trigger "theirs" that midge does not make/,
  },
  { what: 'a view', sql: 'CREATE VIEW theirs AS SELECT * FROM session', reason: /view "theirs"/ },
  { what: 'an index', sql: 'CREATE INDEX theirs ON retained (abs(qos))', reason: /index "theirs"/ },
  { what: 'another table', sql: 'CREATE TABLE theirs (a)', reason: /table "theirs"/ },
  { what: 'a virtual table', sql: "CREATE VIRTUAL TABLE theirs USING fts5 (a); INSERT INTO theirs VALUES ('a')", reason: /"theirs/ },
  {
    what: 'a table to set aside of another shape',
    sql: 'CREATE TABLE set_aside_v3_retained (a)',
    reason: /table "set_aside_v3_retained" is not as/,
  },
  {
    what: 'an endless view in the place of a table',
    sql: `DROP TABLE retained; CREATE VIEW retained AS ${ENDLESS} SELECT n AS topic_name, n AS key FROM endless`,
    reason: /view "retained" is not as midge makes it/,
    kept: [1, 0],
  },
  {
    what: 'a column that is computed at great cost',
    sql: `ALTER TABLE session ADD COLUMN more BLOB GENERATED ALWAYS AS (zeroblob(900000000))`,
    reason: /table "session" is not as/,
  },
  {
    what: 'a virtual table in the place of a table',
    sql: `DROP TABLE retained; CREATE VIRTUAL TABLE retained USING fts5 (${COLUMNS})`,
    reason: /"retained/,
    kept: [1, 0],
  },
  {
    what: 'a table without types, with rows that fit and rows that do not',
    sql: `CREATE TABLE loose (${COLUMNS}); INSERT INTO loose SELECT ${COLUMNS} FROM retained;
      INSERT INTO loose SELECT 'x', 'no number', payload, qos, retain, properties, expires_at, NULL, NULL, NULL FROM retained;
      DROP TABLE retained; ALTER TABLE loose RENAME TO retained`,
    reason: /table "retained" is not as/,
  },
  { what: 'a table with a column less', sql: 'ALTER TABLE session DROP COLUMN listener', reason: /table "session" is not as/ },
  {
    what: 'a table that lacks a column that is needed',
    sql: 'ALTER TABLE retained DROP COLUMN key',
    reason: /table "retained"/,
    kept: [1, 0],
  },
  { what: 'a table too few', sql: 'DROP TABLE incoming', reason: /it has no "incoming"/ },
  { what: 'a check of its own', sql: `ALTER TABLE message ADD COLUMN more INTEGER CHECK (abs(qos) < 9)`, reason: /"message"/ },
  { what: 'a negative version', sql: 'PRAGMA user_version = -7', reason: /its version is -7/ },
  { what: 'a version that it is not of', sql: 'PRAGMA user_version = 1', reason: /is not as midge makes it/ },
];

for (const { what, sql, reason, kept = [1, 1] } of FOREIGN) {
  test(`openStore keeps what it can of a database with ${what}`, async (t) => {
    const folder = await filled(t);
    change(folder.file, sql);
    const store = await folder.open();
    const { state, damage } = store.health();
    assert.equal(state, 'ok');
    assert.match(damage ?? '', reason);
    assert.equal(folder.log.lines.length, 1, folder.log.lines.join('\n'));
    assert.equal(readdirSync(folder.path).filter((name) => /^midge\.db\.corrupt-[^-]*$/.test(name)).length, 1);
    const { sessions, retained } = await loadState(store);
    assert.deepEqual([sessions.length, retained.length], kept);
    store.saveSession(storedSession('tablet'));
    assert.equal(await durably(store), 'durable');
  });
}

test('openStore takes numbers beyond 2^53 from a foreign table for invalid rows, and the rest for sound', async (t) => {
  const folder = await filled(t);
  change(folder.file, "CREATE TABLE theirs (a); UPDATE message SET expires_at = 9223372036854775807; UPDATE session SET username = 'u'");
  const store = await folder.open();
  assert.match(store.health().damage ?? '', /table "theirs".*invalid rows/);
  const { sessions } = await loadState(store);
  assert.equal(sessions.length, 1);
});

test('schemaFault finds nothing in a database of any version, nor in one with rows set aside, nor in its copy', () => {
  for (let version = 1; version <= SCHEMA_VERSION; version++) {
    const database = new DatabaseSync(':memory:');
    migrate(database, version);
    assert.equal(schemaFault(database), null);
    migrate(database);
    database.exec("INSERT INTO retained VALUES ('#', 1, x'', 7, 1, x'', 0, NULL, NULL, NULL)");
    new UnsoundRows(database).move();
    assert.equal(database.prepare(`SELECT count(*) AS n FROM set_aside_v${SCHEMA_VERSION}_retained`).get()?.['n'], 1);
    assert.equal(schemaFault(database), null);
    database.close();
  }
});

function change(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

/** One session with one of everything, and one retained message. */
async function filled(t: TestContext): Promise<StoreFolder> {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  store.saveSubscription('phone', storedSubscription('home/#'));
  store.saveDelivery('phone', storedDelivery(1), storedMessage(1));
  store.saveIncoming('phone', 9, 99);
  store.saveRetained(storedMessage(2, { topicName: 'home/door', retain: true }), true);
  assert.equal(await durably(store), 'durable');
  await store.stop();
  return folder;
}
