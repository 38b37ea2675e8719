// Disks that are full or read-only, as the system reports them and not as we imagine it.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { buildRecorder, NO_COMPILER } from '../support/disk/disk-recorder.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { durably, loadState, storedSession } from '../support/store/stored.ts';

const CHILD = join(import.meta.dirname, '../support/store/store-on-bad-disk.ts');
/** A mount of our own needs root or a kernel that gives namespaces to users. */
const NO_NAMESPACE =
  spawnSync('unshare', ['-rm', 'true']).status === 0 ? false : 'unshare cannot make a mount namespace here (Debian package util-linux)';

test('DurableStore says full when the system says ENOSPC, and durable when there is space', { skip: NO_COMPILER }, async (t) => {
  const folder = new StoreFolder(t);
  const tools = temporaryFolder(t);
  const { env, errno } = buildRecorder(tools, folder.path);
  const words = [CHILD, folder.path, 'full', errno];
  const said = JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8', env: { ...process.env, ...env } })) as Record<
    string,
    unknown
  >; // the child's words
  const { lines, ...outcomes } = said;
  assert.deepEqual(outcomes, { before: 'durable', during: 'full', again: 'full', state: 'full', after: 'durable' });
  assert.equal((lines as string[]).length, 2, String(lines)); // full, and well again
  const [session] = (await loadState(await folder.open())).sessions as { deliveries: unknown[] }[]; // what loadState makes
  assert.equal(session?.deliveries.length, 1);
});

test('openStore starts with what is there when the disk is read-only, and says so', { skip: NO_NAMESPACE }, async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  assert.equal(await durably(store), 'durable');
  await folder.killWorker(); // leaves what it may
  await store.stop();
  const before = readdirSync(folder.path);
  const script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$2" "$3" "$1" read-only';
  const words = ['-rm', 'sh', '-c', script, 'sh', folder.path, process.execPath, CHILD];
  const { lines, ...outcomes } = JSON.parse(execFileSync('unshare', words, { encoding: 'utf8' })) as Record<string, unknown>; // the child's words
  assert.deepEqual(outcomes, { sessions: 1, outcome: 'failed', state: 'read-only' });
  assert.equal((lines as string[]).length, 1, String(lines));
  assert.match(String(lines), /read-only/);
  assert.deepEqual(readdirSync(folder.path), before);
});

test('openStore loads what is sound when there is no space to set the rest aside, and writes nothing beside it', {
  skip: NO_NAMESPACE,
}, async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  assert.equal(await durably(store), 'durable');
  await store.stop();
  const database = new DatabaseSync(folder.file);
  database.exec(`WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 600)
    INSERT INTO retained SELECT 'bad/#/' || n, n, zeroblob(8000), 1, 1, x'', 0, NULL, NULL, NULL FROM number;
    INSERT INTO session SELECT * FROM (SELECT 77, 'bad', username, 9, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM session);
    INSERT INTO subscription SELECT 77, 'a', 'a', NULL, 0, 0, 0, 0`);
  database.close();
  const small = temporaryFolder(t);
  const script = 'mount -t tmpfs -o size=7M,mode=700 tmpfs "$1" && cp "$2" "$1" && exec "$3" "$4" "$1" read-only';
  const words = ['-rm', 'sh', '-c', script, 'sh', small, folder.file, process.execPath, CHILD];
  const { lines, ...outcomes } = JSON.parse(execFileSync('unshare', words, { encoding: 'utf8' })) as Record<string, unknown>; // the child's words
  assert.deepEqual(outcomes, { sessions: 1, outcome: 'full', state: 'full' });
  assert.match(String(lines), /session 1 \("bad"\), subscription 1 \("a"\), retained 600 \("bad\/#\/1", .*could not be moved .*full/);
});
