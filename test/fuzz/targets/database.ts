// The broker's own database with damage in its values and in its pages: it opens, loads what is sound, and closes, or is refused in words that are ours.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { systemClock } from '../../../src/base/clock.ts';
import { OperatorError } from '../../../src/base/errors.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { dryLoad } from '../../../src/store/dry-load.ts';
import { faultOf } from '../../../src/store/faults.ts';
import { STORE_DEFAULTS } from '../../../src/store/options.ts';
import { RecordAssembler } from '../../../src/store/record-assembler.ts';
import { readRecords } from '../../../src/store/records.ts';
import { SCHEMA_VERSION, TABLES } from '../../../src/store/schema.ts';
import { openStore } from '../../../src/store/store.ts';
import { WorkerStore } from '../../../src/store/worker-store.ts';
import { startTestBroker } from '../../support/broker/test-broker.ts';
import { type Mutation, mutate, mutation } from '../../support/protocol/random-packets.ts';
import { durably, storedDelivery, storedMessage, storedSession, storedSubscription } from '../../support/store/stored.ts';
import type { Target } from '../target.ts';

/** Change sets one value of one row of one table; tables, columns and rows are taken modulo their number. */
interface Change {
  readonly table: number;
  readonly column: number;
  readonly row: number;
  readonly value: null | number | bigint | string | Uint8Array;
  /** Whatever type its column has: a STRICT table does not take it, but a file may hold it. */
  readonly isLoose: boolean;
}

const change: fc.Arbitrary<Change> = fc.record({
  table: fc.nat(20),
  column: fc.nat(20),
  row: fc.nat(20),
  value: fc.oneof(
    fc.constantFrom(null, 0, 1, -1, 2, 255, 65_535, 65_536, 1.5, 2n ** 31n, 2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n),
    fc.constantFrom('', 'home/door', 'home\u0000door', '1,2,x', '-1', '1e300', '#', '\u0000', '\ud800', '$share/g/a', 'x'.repeat(70_000)),
    fc.uint8Array({ maxLength: 40 }),
  ),
  isLoose: fc.boolean(),
});

/** SCHEMA_CHANGES by a stranger; `%t` is a table of ours, `%c` one of its columns. */
const SCHEMA_CHANGES = [
  'CREATE TRIGGER theirs BEFORE DELETE ON %t BEGIN DELETE FROM session; END',
  'CREATE TRIGGER theirs AFTER INSERT ON %t BEGIN SELECT RAISE(FAIL, 1); END',
  'CREATE VIEW theirs AS SELECT * FROM %t',
  'CREATE VIEW theirs AS SELECT no_such(1) FROM nowhere',
  `DROP TABLE %t; CREATE VIEW %t AS ${endless('%c')}`,
  `ALTER TABLE %t RENAME TO theirs; CREATE VIEW %t AS SELECT * FROM theirs`,
  'CREATE TABLE loose AS SELECT * FROM %t; DROP TABLE %t; ALTER TABLE loose RENAME TO %t',
  'CREATE TABLE loose AS SELECT *, 1 AS more FROM %t; DROP TABLE %t; ALTER TABLE loose RENAME TO %t',
  'DROP TABLE %t; CREATE TABLE %t (%c)',
  'DROP TABLE %t; CREATE TABLE %t (%c GENERATED ALWAYS AS (hex(zeroblob(9000000))), a)',
  'DROP TABLE %t; CREATE VIRTUAL TABLE %t USING fts5 (%c)',
  'DROP TABLE %t; CREATE VIRTUAL TABLE %t USING rtree (id, a, b)',
  'DROP TABLE %t',
  'ALTER TABLE %t ADD COLUMN more INTEGER CHECK (more > 0)',
  'ALTER TABLE %t ADD COLUMN more BLOB GENERATED ALWAYS AS (zeroblob(9000000)) VIRTUAL',
  'ALTER TABLE %t DROP COLUMN %c',
  'ALTER TABLE %t RENAME COLUMN %c TO theirs',
  'CREATE UNIQUE INDEX theirs ON %t (%c)',
  'CREATE INDEX theirs ON %t (%c COLLATE NOCASE) WHERE %c IS NULL',
  `CREATE TABLE set_aside_v${SCHEMA_VERSION}_%t (a)`,
  `CREATE VIEW set_aside_v${SCHEMA_VERSION}_%t AS SELECT 1`,
  `CREATE TABLE set_aside_v${SCHEMA_VERSION}_%t AS SELECT * FROM %t`,
  'ANALYZE',
  'PRAGMA user_version = 1',
  'PRAGMA user_version = -1',
  'PRAGMA user_version = 2147483647',
  'PRAGMA application_id = 1',
  "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '%c', 'theirs')",
  'PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 2',
  "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 0 WHERE name = '%t'",
  "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET type = 'view' WHERE name = '%t'",
  'PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM sqlite_schema',
];

function endless(column: string): string {
  return `WITH RECURSIVE endless(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM endless) SELECT n AS ${column} FROM endless`;
}

interface SchemaChange {
  readonly change: number;
  readonly table: number;
  readonly column: number;
}

const schemaChange: fc.Arbitrary<SchemaChange> = fc.record({
  change: fc.nat(SCHEMA_CHANGES.length - 1),
  table: fc.nat(20),
  column: fc.nat(20),
});

/** A whole broker starts on each so many'th input; the others are read as its store does. */
const INPUTS_PER_START = 10;

type Damage = { readonly values: readonly Change[]; readonly schema: readonly SchemaChange[]; readonly bytes: readonly Mutation[] };

const none = fc.constant([]);

export const DATABASE: Target<Damage> = {
  name: 'database',
  what: 'the database of kept state, damaged in its values or in its pages',
  input: fc.oneof(
    { weight: 4, arbitrary: fc.record({ values: fc.array(change, { minLength: 1, maxLength: 4 }), schema: none, bytes: none }) },
    {
      weight: 2,
      arbitrary: fc.record({
        values: fc.array(change, { maxLength: 2 }),
        schema: fc.array(schemaChange, { minLength: 1, maxLength: 2 }),
        bytes: none,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        values: none,
        schema: none,
        bytes: fc.array(
          fc.tuple(mutation, fc.nat(60_000)).map(([one, at]) => ({ ...one, at })),
          { minLength: 1, maxLength: 4 },
        ),
      }),
    },
  ),
  async open() {
    const home = mkdtempSync(join(tmpdir(), 'midge-fuzz-'));
    const sound = await makeSound(join(home, 'sound'));
    let count = 0;
    return {
      async feed({ values, schema, bytes }) {
        const folder = join(home, String(count++));
        mkdirSync(folder, { mode: 0o700 });
        const file = join(folder, STORE_DEFAULTS.file);
        copyFileSync(sound, file);
        if (schema.length > 0) changeSchema(file, schema);
        if (values.length > 0) changeValues(file, values);
        if (bytes.length > 0) writeFileSync(file, bytes.reduce(mutate, readFileSync(file)));
        if (count % INPUTS_PER_START === 0) await startAndStop(folder);
        else openAndClose(file);
        rmSync(folder, { recursive: true });
        return 1;
      },
      close: () => rmSync(home, { recursive: true }),
    };
  },
};

/** A broker that starts on the folder serves a client that meets what was loaded. */
async function startAndStop(folder: string): Promise<void> {
  const isExpectedSound = isSound(join(folder, STORE_DEFAULTS.file));
  const openBrokerStore = () => openStore({ ...STORE_DEFAULTS, folder, synchronous: 'NORMAL' }, { clock: systemClock, log: silentLogger });
  let store: Awaited<ReturnType<typeof openBrokerStore>> | null = null;
  try {
    const house = await startTestBroker({
      openStore: async () => {
        store = await openBrokerStore();
        assert.equal(
          store.health().damage === null,
          isExpectedSound,
          store.health().damage ?? 'a dry load found something, the start did not',
        );
        return store;
      },
    });
    const witness = await house.connect({ clientId: 'witness', version: 4 });
    witness.send(`82 [ 0001 '#' 02 ] 30 [ 'home/door' |here| ] C0 00`);
    for (let packet = await witness.next(); !(packet instanceof Buffer && packet[0] === 0xd0); packet = await witness.next());
    witness.abort();
    await house.stop();
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
  } finally {
    await (store as { stop(): Promise<void> } | null)?.stop(); // its thread would go on, and write the database anew in its place
  }
}

/** As the store's thread does it, without the thread. */
function openAndClose(path: string): void {
  const isExpectedSound = isSound(path);
  const store = new WorkerStore();
  try {
    const report = store.open({ path, synchronous: 'NORMAL', mayCopy: false, isOwnFolder: true, inode: null, now: 0 });
    assert.equal(report.damage === null && report.setAside === null, isExpectedSound);
    const loader = new RecordAssembler({ session: () => {}, retained: () => {} });
    for (let piece = store.load(); piece !== null; piece = store.load()) readRecords(piece as Uint8Array<ArrayBuffer>, loader);
    store.commit(new Uint8Array(0));
  } catch (error) {
    if (!['newer', 'foreign'].includes(faultOf(error).kind)) throw error;
  } finally {
    store.close();
  }
}

/** What a dry load says of it, which must say the same as the start. */
function isSound(file: string): boolean {
  try {
    return dryLoad(file).unsound.length === 0;
  } catch {
    return false;
  }
}

async function makeSound(folder: string): Promise<string> {
  const store = await openStore({ ...STORE_DEFAULTS, folder }, { clock: systemClock, log: silentLogger });
  const properties = Buffer.from('01010300016126000162000163', 'hex'); // format, content type "a", user property "b": "c"
  const will = {
    topicName: 'home/gone',
    payload: Buffer.from('gone'),
    qos: 1,
    retain: true,
    properties: Buffer.from('18000000ff0101', 'hex'),
  } as const;
  for (const clientId of ['phone', 'hub', 'sensor']) {
    const fields = clientId === 'phone' ? { disconnectedAt: 1, expiryInterval: 0xffffffff } : { will, username: 'anna' };
    store.saveSession(storedSession(clientId, fields));
    store.saveSubscription(clientId, storedSubscription('home/#', { identifier: 7 }));
    store.saveSubscription(clientId, storedSubscription('$share/g/a', { mountedFilter: 'a', group: 'g' }));
    for (let key = 1; key <= 4; key++)
      store.saveDelivery(
        clientId,
        storedDelivery(key, { packetId: key > 2 ? key : 0, identifiers: [7, 9] }),
        storedMessage(key, { properties }),
      );
    store.saveIncoming(clientId, 9, 99);
  }
  for (let key = 10; key < 20; key++) store.saveRetained(storedMessage(key, { topicName: `home/${key}`, retain: true }), true);
  await durably(store);
  await store.stop();
  return join(folder, STORE_DEFAULTS.file);
}

function changeSchema(file: string, changes: readonly SchemaChange[]): void {
  for (const { change: at, table, column } of changes) {
    const database = new DatabaseSync(file, { defensive: false });
    try {
      const name = TABLES[table % TABLES.length]!.name;
      if (isView(database, name)) continue; // it may be one without an end, which this change would wait for
      const columns = database.prepare(`PRAGMA table_info(${name})`).all();
      const key = String(columns[column % columns.length]?.['name'] ?? 'a');
      database.exec(SCHEMA_CHANGES[at]!.replaceAll('%t', name).replaceAll('%c', key));
    } catch {
      // SQLite does not do it to this table, or what was done before has made the file unreadable.
    } finally {
      database.close();
    }
  }
}

function isView(database: DatabaseSync, name: string): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'view' AND name = ?").get(name) !== undefined;
}

function changeValues(file: string, changes: readonly Change[]): void {
  for (const one of changes) {
    if (one.isLoose) replaceInSchema(file, ' STRICT', ' /*IS*/');
    try {
      changeValue(file, one);
    } catch {
      // A constraint of the table does not allow it, or the file cannot be read any more.
    }
    if (one.isLoose) replaceInSchema(file, ' /*IS*/', ' STRICT');
  }
}

function replaceInSchema(file: string, old: string, text: string): void {
  const database = new DatabaseSync(file, { defensive: false });
  try {
    database.exec(`PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '${old}', '${text}')`);
  } catch {
    // It cannot be read any more.
  } finally {
    database.close();
  }
}

function changeValue(file: string, { table, column, row, value }: Change): void {
  const database = new DatabaseSync(file);
  try {
    const tables = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`).all();
    const { name } = tables[table % tables.length]!;
    const columns = database.prepare(`PRAGMA table_info("${name}")`).all();
    const key = columns[column % columns.length]!['name'];
    const rows = Number(database.prepare(`SELECT count(*) AS n FROM "${name}"`).get()!['n']);
    const first = columns.map((each) => `"${each['name']}"`).join();
    database
      .prepare(`UPDATE "${name}" SET "${key}" = ? WHERE (${first}) IS (SELECT ${first} FROM "${name}" LIMIT 1 OFFSET ?)`)
      .run(value, row % Math.max(rows, 1));
  } finally {
    database.close();
  }
}
