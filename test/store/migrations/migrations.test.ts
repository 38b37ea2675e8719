// Each migration against its pair: the database before it and the database after it, as SQL that people can read.
//
//   0001/before.sql   a database of version 0, with rows     0001/after.sql   the same of version 1: its tables and its rows
//
// A pair is never changed once its version is released. A new migration brings a new folder.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { APPLICATION_ID, migrate, readNumber, SCHEMA_VERSION, TABLES } from '../../../src/store/schema.ts';

const PAIRS = readdirSync(import.meta.dirname).filter((name) => /^\d{4}$/.test(name));

test('every migration has a pair', () => {
  assert.deepEqual(
    PAIRS,
    Array.from({ length: SCHEMA_VERSION }, (_, index) => String(index + 1).padStart(4, '0')),
  );
});

for (const pair of PAIRS) {
  test(`migrate makes the database after ${pair} when it is given the one before`, () => {
    const [migrated, expected] = [read(pair, 'before.sql'), read(pair, 'after.sql')];
    migrate(migrated, Number(pair));
    assert.deepEqual(dump(migrated), dump(expected));
    assert.equal(readNumber(migrated, 'user_version'), Number(pair));
    assert.equal(readNumber(migrated, 'application_id'), APPLICATION_ID);
  });
}

test('migrate changes nothing when the database is of this version', () => {
  const database = new DatabaseSync(':memory:');
  migrate(database);
  const before = readNumber(database, 'schema_version');
  migrate(database);
  assert.equal(readNumber(database, 'schema_version'), before);
});

test('TABLES names every table and its key', () => {
  const database = new DatabaseSync(':memory:');
  migrate(database);
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  assert.deepEqual(tables.map(({ name }) => name).sort(), TABLES.map(({ name }) => name).sort());
  for (const { name, key } of TABLES) {
    const columns = database.prepare(`SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk`).all(name);
    assert.equal(columns.map((column) => column['name']).join(', '), key);
  }
});

function read(pair: string, file: string): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  database.exec(readFileSync(join(import.meta.dirname, pair, file), 'utf8'));
  return database;
}

function dump(database: DatabaseSync): unknown {
  const schema = database.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name').all();
  const tables = schema.filter(({ type }) => type === 'table').map(({ name }) => String(name));
  const rows = tables.map((table) => [table, database.prepare(`SELECT * FROM ${table}`).all()]);
  return { schema: schema.map(({ name, sql }) => [name, String(sql).replace(/\s+/g, ' ')]), rows };
}
