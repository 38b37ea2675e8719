// Rows that no midge wrote: set aside at the start, named, kept, and never in the way of the others.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import fc from 'fast-check';
import { PackedReader } from '../../src/store/packed.ts';
import { loadPieces } from '../../src/store/read-database.ts';
import { migrate, SCHEMA_VERSION } from '../../src/store/schema.ts';
import { UnsoundRows } from '../../src/store/set-aside.ts';
import { WorkerStore } from '../../src/store/worker-store.ts';

/** Two sessions with everything that can hang on them. */
const SOUND_ROWS = `
INSERT INTO session VALUES (1, 'a', 'u', 5, 60, NULL, 'w/t', x'01', 1, 1, x'', ''), (2, 'b', NULL, 4, 4294967295, 5, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO subscription VALUES (1, 'a/#', 'a/#', NULL, 1, 0, 0, 0), (2, '$share/g/x', 'x', 'g', 2, 0, 1, 7);
INSERT INTO message VALUES (1, 'a/b', x'00', 1, 0, x'0101', 0, 'p', NULL, ''), (2, 'x', x'', 2, 0, x'', 9, NULL, NULL, NULL);
INSERT INTO delivery VALUES (1, 1, 1, 1, 0, 0, '7,8', 1, 1), (1, 2, 2, 2, 0, 0, NULL, 2, 2), (1, 3, 2, 1, 0, 0, NULL, 0, 0);
INSERT INTO incoming VALUES (1, 9, 0), (2, 65535, 77);
INSERT INTO retained VALUES ('r/1', 3, x'41', 1, 1, x'', 0, NULL, NULL, NULL);
`;

/** [what is wrong, the damage, rows set aside by table] */
const DAMAGE: readonly (readonly [string, string, Record<string, number> | null])[] = [
  ['nothing', 'SELECT 1', null],
  ['equal packet identifiers', 'UPDATE delivery SET packet_id = 1 WHERE position = 2', { delivery: 1 }],
  ['a packet identifier out of range', 'UPDATE delivery SET packet_id = 65536 WHERE position = 2', { delivery: 1 }],
  ['a malformed will property', "UPDATE session SET will_properties = x'ff' WHERE id = 1", { will: 1 }],
  ['a number beyond 2^53 in what is no will', 'UPDATE session SET will_qos = 9007199254740993 WHERE id = 2', { will: 1 }],
  ['a will with a wildcard in its topic', "UPDATE session SET will_topic = '#' WHERE id = 1", { will: 1 }],
  [
    'a session whose name is too long',
    'UPDATE session SET client_id = hex(zeroblob(40000)) WHERE id = 2',
    { session: 1, subscription: 1, incoming: 1 },
  ],
  [
    'a bad will of one session, and another session',
    "UPDATE session SET will_qos = 9 WHERE id = 1; UPDATE session SET version = 7, will_topic = '#' WHERE id = 2",
    { session: 1, will: 1, subscription: 1, incoming: 1 },
  ],
  ['a text with NUL', "UPDATE retained SET topic_name = 'a' || char(0)", { retained: 1 }],
  ['a negative integer', 'UPDATE retained SET expires_at = -1', { retained: 1 }],
  ['an integer beyond 2^53', 'UPDATE message SET key = 9223372036854775807 WHERE key = 1', { message: 1, delivery: 1 }],
  ['a topic with a wildcard', "UPDATE retained SET topic_name = 'a/#'", { retained: 1 }],
  ['a topic that is not UTF-8', "UPDATE retained SET topic_name = CAST(x'ff41' AS TEXT)", { retained: 1 }],
  ['a QoS of 3', 'UPDATE subscription SET qos = 3 WHERE session = 2', { subscription: 1 }],
  ['a row of a session that is not there', 'UPDATE incoming SET session = 77 WHERE session = 2', { incoming: 1 }],
  ['a negative digest', 'UPDATE incoming SET digest = -1 WHERE session = 2', { incoming: 1 }],
  ['a negative position', 'UPDATE delivery SET position = -5 WHERE position = 3', { delivery: 1 }],
];

function soundDatabase(): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  migrate(database);
  database.exec(SOUND_ROWS);
  return database;
}

for (const [what, damage, expected] of DAMAGE) {
  test(`set aside takes out ${what}, and keeps it`, () => {
    const database = soundDatabase();
    database.exec(damage);
    const rows = new UnsoundRows(database);
    assert.deepEqual(Object.fromEntries(rows.found.map(({ what: kind, count }) => [kind, count])), expected ?? {});
    const before = loaded(database, rows);
    rows.move();
    for (const [kind, count] of Object.entries(expected ?? {})) {
      const table = kind === 'will' || kind === 'session' ? 'session' : kind;
      const wanted = table === 'session' ? (expected?.['session'] ?? 0) + (expected?.['will'] ?? 0) : count;
      assert.equal(database.prepare(`SELECT count(*) AS n FROM set_aside_v${SCHEMA_VERSION}_${table}`).get()?.['n'], wanted);
    }
    const left = new UnsoundRows(database);
    assert.deepEqual(left.found, [], 'what is left is sound');
    assert.deepEqual(loaded(database, left), before, 'the same is loaded whether they were moved or not');
    database.close();
  });
}

test('a database with any value in any column opens, is read to its end, and is written', () => {
  const folder = mkdtempSync(join(tmpdir(), 'midge-set-aside-'));
  const columns = columnNames();
  const value = fc.oneof(
    fc.constantFrom(
      '-1',
      '3',
      '65536',
      '4294967296',
      '9223372036854775807',
      '-9223372036854775808',
      'NULL',
      "x'ff'",
      "x'26ffff'",
      "''",
      "'a/#'",
    ),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => `x'${Buffer.from(bytes).toString('hex')}'`),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => `CAST(x'${Buffer.from(bytes).toString('hex')}' AS TEXT)`),
  );
  let run = 0;
  try {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...columns), value), { minLength: 1, maxLength: 4 }), (changes) => {
        const path = join(folder, `${++run}.db`);
        const database = new DatabaseSync(path);
        migrate(database);
        database.exec(SOUND_ROWS);
        for (const [[table, column], literal] of changes)
          database.exec(
            `UPDATE OR IGNORE ${table} SET ${column} = CASE typeof(${column}) WHEN typeof(${literal}) THEN ${literal} ELSE ${column} END`,
          );
        database.close();
        const store = new WorkerStore();
        const report = store.open({ path, synchronous: 'FULL', mayCopy: false, isOwnFolder: true, inode: null, now: 0 });
        assert.equal(report.damage, null);
        for (let piece = store.load(); piece !== null; piece = store.load()) assert.equal(new PackedReader(piece).isAtEnd, false);
        store.commit(new Uint8Array(0));
        store.close();
      }),
      { numRuns: 100 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function loaded(database: DatabaseSync, rows: UnsoundRows): string[] {
  return [...loadPieces(database, rows.sourceOf)].map((piece) => Buffer.from(piece).toString('hex'));
}

function columnNames(): [string, string][] {
  const database = soundDatabase();
  const tables = ['session', 'subscription', 'message', 'delivery', 'incoming', 'retained'];
  const names = tables.flatMap((table) =>
    database
      .prepare(`PRAGMA table_info(${table})`)
      .all()
      .map((row): [string, string] => [table, String(row['name'])]),
  );
  database.close();
  return names;
}
