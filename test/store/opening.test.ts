// Opening what a power cut, another program or another broker left: never a refusal but for what a person must decide.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { OperatorError } from '../../src/base/errors.ts';
import { IGNORED, StoreFolder } from '../support/store/open-store.ts';
import { durably, loadState, storedDelivery, storedMessage, storedSession, storedSubscription } from '../support/store/stored.ts';
import { familyLocations } from './family-locations.ts';

const PAGE = 4096;
const SESSIONS = 50;
const VALUES = 400;

test('openStore makes folder and files for their owner only', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  assert.equal(await durably(store), 'durable');
  assert.equal(statSync(folder.path).mode & 0o777, 0o700);
  const modes = readdirSync(folder.path).map((name) => [name, (statSync(join(folder.path, name)).mode & 0o777).toString(8)]);
  assert.deepEqual(modes, [
    ['midge.db', '600'],
    ['midge.db-wal', '600'],
  ]);
});

test('openStore refuses when another store uses the folder', async (t) => {
  const folder = new StoreFolder(t);
  await folder.open();
  await assert.rejects(folder.open(), /^OperatorError: Cannot open database ".*midge\.db": database is locked - another broker uses it/);
});

test('openStore refuses when another process uses the folder', async (t) => {
  const folder = new StoreFolder(t);
  await folder.open();
  const script = `const { openStore } = await import(process.argv[1]); const { STORE_DEFAULTS } = await import(process.argv[2]);
    const clock = { now: Date.now, monotonic: () => performance.now() };
    const log = { enabled: {}, log: () => {} };
    await openStore({ ...STORE_DEFAULTS, folder: process.argv[3] }, { clock, log }).then(() => console.log('opened'), (e) => console.log(e.message));`;
  const file = (name: string) => join(import.meta.dirname, '../../src/store', name);
  const words = ['--input-type=module', '-e', script, file('store.ts'), file('options.ts'), folder.path];
  assert.match(execFileSync(process.execPath, words, { encoding: 'utf8' }), /another broker uses it/);
});

test('openStore refuses when the database is of a newer version, and leaves it as it was', async (t) => {
  const folder = await filled(t);
  const database = new DatabaseSync(folder.file);
  database.exec('PRAGMA user_version = 99');
  database.close();
  const before = readFileSync(folder.file);
  await assert.rejects(
    folder.open(),
    /^OperatorError: Cannot open database ".*": it has version 99 of a newer midge, this one knows \d+ - start the newer midge/,
  );
  assert.deepEqual(readFileSync(folder.file), before);
});

test('openStore refuses when the user may not write the database', async (t) => {
  const folder = await filled(t);
  chmodSync(folder.file, 0o400);
  const isRoot = process.getuid?.() === 0; // who may write everything
  if (isRoot) process.seteuid?.(65_534);
  try {
    await assert.rejects(folder.open(), /make folder and file writable/);
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

/** Faults of a file and, where the rest can be read, how much of it must be there afterwards. */
const DAMAGES: readonly { readonly name: string; readonly salvaged: boolean; damage(file: string): void }[] = [
  { name: 'full of zeros', salvaged: false, damage: (file) => writeFileSync(file, Buffer.alloc(statSync(file).size)) },
  { name: 'zeros from its second page', salvaged: false, damage: (file) => zero(file, PAGE, statSync(file).size) },
  {
    name: 'zeros in one page in the middle',
    salvaged: true,
    damage: (file) => zero(file, leafOf(file, 'retained'), leafOf(file, 'retained') + PAGE),
  },
  { name: 'cut in the middle', salvaged: false, damage: (file) => truncateSync(file, 3 * PAGE + 100) },
  { name: 'cut in its first page', salvaged: false, damage: (file) => truncateSync(file, 50) },
  { name: 'text', salvaged: false, damage: (file) => writeFileSync(file, 'this is no database\n'.repeat(1000)) },
];

/** What stands in the place of the database and is not ours: `own` tells whether in a folder of our own it would be a damaged one. */
const FOREIGN: readonly { readonly name: string; readonly reason: RegExp; readonly own: boolean; put(file: string): void }[] = [
  { name: "another program's database", reason: /it is the database of another program/, own: false, put: makeForeign },
  {
    name: "mosquitto's database",
    reason: /it is mosquitto's database/,
    own: false,
    put: (file) => writeFileSync(file, Buffer.from('00b5006d6f7371756974746f20646200000000', 'hex')),
  },
  { name: 'a folder', reason: /it is a folder/, own: false, put: (file) => mkdirSync(file) },
  { name: 'a FIFO', reason: /it is a FIFO/, own: false, put: (file) => execFileSync('mkfifo', [file]) },
  { name: 'a link', reason: /it is a link to "\/nowhere\/shadow"/, own: false, put: (file) => symlinkSync('/nowhere/shadow', file) },
  {
    name: 'a hard link',
    reason: /it has other names/,
    own: false,
    put: (file) => {
      writeFileSync(`${file}.victim`, '');
      linkSync(`${file}.victim`, file);
    },
  },
  {
    name: 'one with a link in the place of its log',
    reason: /midge\.db-wal" belongs to it, and it is a link/,
    own: false,
    put: (file) => symlinkSync('/nowhere/shadow', `${file}-wal`),
  },
  {
    name: 'in a folder where every user may replace it',
    reason: /every user may replace it in/,
    own: false,
    put: (file) => {
      writeFileSync(file, '', { mode: 0o600 });
      chmodSync(dirname(file), 0o777);
    },
  },
  { name: 'a file of text', reason: /it is not a database of midge/, own: true, put: (file) => writeFileSync(file, 'root:x:0:0\n') },
];

for (const { name, reason, own, put } of FOREIGN) {
  test(`openStore refuses and changes nothing when the database is ${name}`, async (t) => {
    for (const isOwnFolder of own ? [false] : [true, false]) {
      const folder = new StoreFolder(t, { isOwnFolder });
      mkdirSync(folder.path, { mode: 0o755 });
      put(folder.file);
      const before = shape(folder);
      await assert.rejects(folder.open(), (error: OperatorError) => {
        assert.match(error.message, reason);
        assert.match(error.message, / - name another file with persistence_file$/);
        return error.exitCode === 3;
      });
      assert.deepEqual(shape(folder), before);
    }
  });
}

test('openStore takes a database of its own beside the files of others, and a wiped one of its own is moved aside', async (t) => {
  const folder = new StoreFolder(t, { isOwnFolder: false });
  await (await folder.open()).stop();
  await (await folder.open()).stop();
  writeFileSync(folder.file, Buffer.alloc(2 * PAGE));
  assert.match((await folder.open()).health().damage ?? '', /is damaged/);
});

test('openStore says in one sentence what to do when the first database can not be made', async (t) => {
  const folder = new StoreFolder(t, { folder: '/proc/midge' });
  await assert.rejects(folder.open(), (error: OperatorError) => {
    assert.match(
      error.message,
      /^Cannot make database "\/proc\/midge\/midge\.db": .+ - name another place with persistence_location or persistence_file$/,
    );
    return error.exitCode === 3;
  });
  assert.deepEqual(folder.log.lines, []);
});

/** Names, kinds, modes, owners and content. */
function shape({ path }: StoreFolder) {
  return readdirSync(path).map((name) => {
    const file = join(path, name);
    const { mode, uid, gid, mtimeMs } = lstatSync(file);
    return [name, mode, uid, gid, mtimeMs, lstatSync(file).isFile() ? createHash('sha256').update(readFileSync(file)).digest('hex') : null];
  });
}

for (const { name, salvaged, damage } of DAMAGES) {
  test(`openStore moves the database aside and starts when it is ${name}`, async (t) => {
    const folder = await filled(t);
    damage(folder.file);
    const bad = readFileSync(folder.file);
    const store = await folder.open();
    const [aside = ''] = readdirSync(folder.path).filter((each) => /^midge\.db\.corrupt-\d{8}T\d{6}Z$/.test(each));
    assert.deepEqual(readFileSync(join(folder.path, aside)), bad, 'what was moved aside was changed');
    assert.equal(folder.log.lines.length, 1, folder.log.lines.join('\n'));
    assert.match(folder.log.lines[0] ?? '', /is damaged \(.+\)\. It was moved to ".*corrupt-.*"; (nothing could be read|kept from it)/);
    assert.equal(store.health().damage, folder.log.lines[0]);
    assert.equal(store.health().state, 'ok');
    const { sessions, retained } = await loadState(store);
    if (salvaged) {
      assert.equal(sessions.length, SESSIONS);
      assert.ok(retained.length > VALUES / 2 && retained.length < VALUES, `${retained.length} retained`);
    }
    store.saveSession(storedSession('new'));
    assert.equal(await durably(store), 'durable');
    await store.stop();
    assert.equal((await loadState(await folder.open())).sessions.length, sessions.length + 1);
    assert.deepEqual(
      readdirSync(folder.path).filter((each) => each.includes('salvage')),
      [],
    );
  });
}

test('openStore keeps what can be read of a damaged database that has locations only, and says how many', async (t) => {
  const folder = new StoreFolder(t);
  const first = await folder.open();
  await first.load(IGNORED);
  const family = { phones: 3, perDay: 1440, from: Date.UTC(2026, 0, 1) };
  for (const records of familyLocations(family, 400)) for (const record of records) first.locations.append(record);
  await first.stop();
  zero(folder.file, leafOf(folder.file, 'location'), leafOf(folder.file, 'location') + PAGE);
  const { locations } = await folder.open();
  const [, kept = ''] = /kept from it: 0 sessions, .*, (\d+) locations of phones; the rest is lost/.exec(folder.log.lines[0] ?? '') ?? [];
  assert.ok(Number(kept) > 600 && Number(kept) < 1200, folder.log.lines[0]);
  let sum = 0;
  for (const { topic } of await locations.phones()) sum += await locations.count({ topic, from: 0, to: 8.64e15 });
  assert.equal(sum, Number(kept));
});

test('openStore gives locations of a damaged database to no other phone than theirs', async (t) => {
  const folder = new StoreFolder(t);
  await (await folder.open()).stop();
  const database = new DatabaseSync(folder.file);
  database.exec(`INSERT INTO phone VALUES (2, 'owntracks/tom/phone'); CREATE TABLE foreign_table (id INTEGER);
    INSERT INTO location (phone, at, kind, delay) VALUES (1, 1, 0, 0), (2, 1, 0, 0)`);
  database.close();
  const { locations } = await folder.open();
  assert.match(folder.log.lines[0] ?? '', /, 1 locations of phones; the rest is lost/);
  assert.deepEqual(await locations.phones(), [{ topic: 'owntracks/tom/phone', first: 1, last: 1 }]);
});

test('openStore keeps the log with the database when it moves both aside', async (t) => {
  const folder = await filled(t);
  const crashed = new StoreFolder(t);
  await (await crashed.open()).stop();
  const running = await folder.open();
  running.saveSession(storedSession('in the log'));
  assert.equal(await durably(running), 'durable');
  copyFileSync(`${folder.file}-wal`, `${crashed.file}-wal`); // what a power cut leaves
  truncateSync(crashed.file, 0);
  const store = await crashed.open();
  assert.match(store.health().damage ?? '', /the file is empty, but its log is not/);
  const names = readdirSync(crashed.path).filter((each) => each.includes('corrupt'));
  assert.deepEqual(names.map((each) => each.replace(/\d{8}T\d{6}Z/, 'T')).sort(), ['midge.db.corrupt-T', 'midge.db.corrupt-T-wal']);
});

test('openStore begins empty when the file is empty, as a first start that was cut off leaves it', async (t) => {
  const folder = new StoreFolder(t);
  await (await folder.open()).stop();
  truncateSync(folder.file, 0);
  const store = await folder.open();
  assert.deepEqual(await loadState(store), { sessions: [], retained: [] });
  assert.deepEqual(folder.log.lines, []);
});

async function filled(t: TestContext): Promise<StoreFolder> {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  for (let n = 0; n < SESSIONS; n++) {
    store.saveSession(storedSession(`client-${n}`));
    store.saveSubscription(`client-${n}`, storedSubscription('#'));
    store.saveDelivery(`client-${n}`, storedDelivery(1), storedMessage(n));
  }
  for (let n = 0; n < VALUES; n++) {
    store.saveRetained(storedMessage(n, { topicName: `home/${String(n).padStart(4, '0')}`, payload: Buffer.alloc(200, 'v') }), true);
  }
  await store.stop();
  return folder;
}

/** A leaf in the middle of a table: where its pages are is asked of SQLite itself. */
function leafOf(file: string, table: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  const rows = database.prepare(`SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path`).all(table);
  database.close();
  return (Number(rows[Math.floor(rows.length / 2)]?.['pageno']) - 1) * PAGE;
}

function zero(file: string, from: number, to: number): void {
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(0, from, to));
}

function makeForeign(file: string): void {
  writeFileSync(file, '');
  const database = new DatabaseSync(file);
  database.exec('CREATE TABLE states (id INTEGER)');
  database.close();
  assert.ok(existsSync(file));
}
