// The file of the database is deleted or replaced while it is open.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { durably, loadState, storedDelivery, storedMessage, storedSession } from '../support/store/stored.ts';

const DELETIONS: readonly { readonly what: string; readonly hits: (folder: StoreFolder) => void; readonly asides?: number }[] = [
  { what: 'its database is deleted', hits: ({ file }) => rmSync(file) },
  { what: 'its log is deleted', hits: ({ file }) => rmSync(`${file}-wal`) },
  { what: 'database and log are deleted', hits: ({ file }) => ['', '-wal'].forEach((end) => void rmSync(file + end)) },
  { what: 'its folder is moved away', hits: ({ path }) => renameSync(path, `${path}-before`) },
  { what: 'an empty file takes its place', hits: ({ file }) => replace(file, ''), asides: 1 },
  { what: 'a text takes its place', hits: ({ file }) => replace(file, 'no database'.repeat(1000)), asides: 1 },
  { what: 'a FIFO takes its place', hits: ({ file }) => replaceByFifo(file), asides: 1 },
  { what: 'a folder takes its place', hits: ({ file }) => replaceByFolder(file), asides: 1 },
  { what: 'another database takes its place', hits: ({ file }) => replaceByDatabase(file), asides: 1 },
];

for (const { what, hits, asides = 0 } of DELETIONS) {
  test(`DurableStore has everything after a restart when ${what} while it runs`, async (t) => {
    const folder = new StoreFolder(t);
    const store = await begin(folder);
    hits(folder);
    store.saveSession(storedSession('tablet'));
    assert.equal(await durably(store), 'durable');
    store.saveRetained(storedMessage(5, { topicName: 'later' }), true);
    assert.equal(await durably(store), 'durable');
    assert.equal(store.health().state, 'ok');
    assert.match(store.health().damage ?? '', /was deleted or replaced while the broker runs/);
    assert.equal(folder.log.lines.length, 1, folder.log.lines.join('\n'));
    assert.equal(readdirSync(folder.path).filter((name) => /^midge\.db\.replaced-[^-]*$/.test(name)).length, asides);
    await folder.killWorker(); // as a power cut
    const { sessions, retained } = await loadState(await otherStore(t, folder));
    assert.deepEqual([sessions.length, retained.length], [2, 2]);
  });
}

test('DurableStore writes its database anew when nothing else is to be written', async (t) => {
  const folder = new StoreFolder(t, { watch: 5 });
  await begin(folder);
  rmSync(folder.file);
  await folder.log.line(/was deleted or replaced/);
  const copy = `${folder.path}-copy`; // as it is at a power cut
  cpSync(folder.path, copy, { recursive: true });
  assert.equal((await loadState(await new StoreFolder(t, { folder: copy }).open())).sessions.length, 1);
});

test('DurableStore writes its database anew when it stops', async (t) => {
  const folder = new StoreFolder(t);
  const store = await begin(folder);
  rmSync(folder.path, { recursive: true });
  await store.stop();
  assert.equal((await loadState(await folder.open())).sessions.length, 1);
});

test('DurableStore acknowledges nothing while its database is gone and cannot be written anew, says so once, and can still be saved', async (t) => {
  const folder = new StoreFolder(t);
  const store = await begin(folder);
  rmSync(folder.path, { recursive: true });
  writeFileSync(folder.path, 'a file where the folder was');
  store.saveDelivery('phone', storedDelivery(2), storedMessage(2));
  assert.equal(await durably(store), 'failed');
  assert.equal(await durably(store), 'failed');
  assert.match(store.health().text, /save them with "midge backup" first/);
  assert.equal(folder.log.lines.length, 1, folder.log.lines.join('\n'));
  const backup = `${folder.path}.backup`;
  await store.backup(backup);
  const saved = new DatabaseSync(backup);
  assert.equal(saved.prepare('SELECT client_id AS name FROM session').get()?.['name'], 'phone');
  saved.close();
  rmSync(folder.path);
  await folder.log.line(/is written again/);
  await store.stop();
  const [phone] = (await loadState(await folder.open())).sessions as { deliveries: unknown[] }[]; // what loadState makes
  assert.equal(phone?.deliveries.length, 2);
});

test('DurableStore acknowledges nothing when its database was deleted where it may not look any more', async (t) => {
  const folder = new StoreFolder(t);
  const store = await begin(folder);
  rmSync(folder.path, { recursive: true });
  symlinkSync(folder.path, folder.path); // leads nowhere, for root too
  store.saveSession(storedSession('tablet'));
  assert.equal(await durably(store), 'failed');
  assert.match(store.health().text, /was deleted or replaced/);
});

test('DurableStore makes no new database when its thread dies while the file is gone', async (t) => {
  const folder = new StoreFolder(t);
  const store = await begin(folder);
  rmSync(folder.path, { recursive: true });
  await folder.killWorker();
  store.saveSession(storedSession('tablet'));
  assert.equal(await durably(store), 'failed');
  assert.equal(existsSync(folder.file), false);
});

test('DurableStore leaves the database of a broker that has begun in its place alone', async (t) => {
  const folder = new StoreFolder(t);
  const store = await begin(folder);
  rmSync(folder.file);
  rmSync(`${folder.file}-wal`);
  const other = await otherStore(t, folder);
  other.saveSession(storedSession('guest'));
  assert.equal(await durably(other), 'durable');
  store.saveSession(storedSession('tablet'));
  assert.equal(await durably(store), 'failed');
  assert.match(folder.log.lines.join('\n'), /another broker uses the file in its place/);
  other.saveSession(storedSession('visitor'));
  assert.equal(await durably(other), 'durable');
  assert.deepEqual(readdirSync(folder.path).sort(), ['midge.db', 'midge.db-wal']);
});

/** A store that holds a session with a message, and a retained value. */
async function begin(folder: StoreFolder): Promise<Store> {
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  store.saveDelivery('phone', storedDelivery(1), storedMessage(1));
  store.saveRetained(storedMessage(4, { topicName: 'earlier' }), true);
  assert.equal(await durably(store), 'durable');
  return store;
}

/** What a restart finds, or a broker that begins there. */
async function otherStore(t: TestContext, folder: StoreFolder): Promise<Store> {
  const other = new StoreFolder(t, { folder: folder.path });
  return other.open();
}

function replace(file: string, text: string): void {
  rmSync(file);
  writeFileSync(file, text);
}

function replaceByDatabase(file: string): void {
  rmSync(file);
  const other = new DatabaseSync(file);
  other.exec('CREATE TABLE guest (name TEXT)');
  other.close();
}

function replaceByFifo(file: string): void {
  rmSync(file);
  execFileSync('mkfifo', [file]);
}

function replaceByFolder(file: string): void {
  rmSync(file);
  mkdirSync(file);
}
