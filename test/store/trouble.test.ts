// A bad card while the broker runs: full, broken, damaged, and a thread that dies.

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { StoreFolder } from '../support/store/open-store.ts';
import { durably, loadState, storedDelivery, storedMessage, storedSession } from '../support/store/stored.ts';

const SQLITE_FULL = 13;
const SQLITE_CORRUPT = 11;
const SQLITE_IOERR_FSYNC = 1034;

test('DurableStore says full and loses nothing when the disk is full, and writes all of it when there is space', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.openTroubled();
  store.saveSession(storedSession('phone'));
  assert.equal(await durably(store), 'durable');
  folder.trouble.set(SQLITE_FULL);
  store.saveDelivery('phone', storedDelivery(1), storedMessage(1));
  assert.equal(await durably(store), 'full');
  store.saveDelivery('phone', storedDelivery(2), storedMessage(2));
  assert.equal(await durably(store), 'full');
  assert.equal(store.health().state, 'full');
  assert.match(store.health().text, /disk is full/);
  store.dropDelivery('phone', 1);
  folder.trouble.set(0);
  await folder.log.line(/is written again/);
  assert.equal(await durably(store), 'durable');
  assert.equal(store.health().state, 'ok');
  assert.equal(folder.log.lines.filter((line) => /disk is full/.test(line)).length, 1, folder.log.lines.join('\n'));
  await store.stop();
  const [phone] = (await loadState(await folder.open())).sessions as { deliveries: { message: { key: number } }[] }[]; // what loadState makes
  assert.deepEqual(
    phone?.deliveries.map(({ message }) => message.key),
    [2],
  );
});

test('DurableStore says failed when the card is broken, once in the log, and recovers', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.openTroubled();
  store.saveSession(storedSession('phone'));
  folder.trouble.set(SQLITE_IOERR_FSYNC);
  assert.equal(await durably(store), 'failed');
  assert.equal(await durably(store), 'failed');
  assert.equal(store.health().state, 'failed');
  assert.equal(folder.log.lines.length, 1, folder.log.lines.join('\n'));
  folder.trouble.set(0);
  await folder.log.line(/is written again/);
  assert.equal(await durably(store), 'durable');
  await store.stop();
  assert.equal((await loadState(await folder.open())).sessions.length, 1);
});

test('DurableStore goes on and confirms nothing too early when its thread dies', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  for (let order = 1; order <= 20; order++) {
    store.saveDelivery('phone', storedDelivery(order), storedMessage(order));
    const outcome = durably(store);
    if (order % 5 === 0) await folder.killWorker();
    assert.equal(await outcome, 'durable');
  }
  assert.equal(store.health().state, 'ok');
  assert.match(folder.log.lines.join('\n'), /The store was restarted/);
  await store.stop();
  const [phone] = (await loadState(await folder.open())).sessions as { deliveries: unknown[] }[]; // what loadState makes
  assert.equal(phone?.deliveries.length, 20);
});

test('DurableStore says failed when its thread cannot be started any more', async (t) => {
  const folder = new StoreFolder(t);
  let isBroken = false;
  const file = new URL('../../src/store/store-worker.ts', import.meta.url);
  const store = await folder.open(() => (isBroken ? new Worker('process.exit(3)', { eval: true }) : new Worker(file)));
  store.saveSession(storedSession('phone'));
  assert.equal(await durably(store), 'durable');
  isBroken = true;
  await folder.killWorker();
  store.saveSession(storedSession('tablet'));
  assert.equal(await durably(store), 'failed');
  assert.match(store.health().text, /ended with status 3/);
  isBroken = false;
  await folder.log.line(/is written again/);
  assert.equal(await durably(store), 'durable');
});

test('DurableStore mixes up no messages when it could not read its database at the start, and writes to it later', async (t) => {
  const folder = new StoreFolder(t);
  const before = await folder.open();
  before.saveSession(storedSession('phone'));
  for (let key = 1; key <= 3; key++) before.saveDelivery('phone', storedDelivery(key), storedMessage(key));
  await before.stop();
  let isBroken = true;
  const file = new URL('../../src/store/store-worker.ts', import.meta.url);
  const store = await folder.open(() => (isBroken ? new Worker('process.exit(3)', { eval: true }) : new Worker(file)));
  await loadState(store);
  store.saveSession(storedSession('tablet'));
  store.saveDelivery('tablet', storedDelivery(1), storedMessage(store.lastMessageKey + 1, { payload: Buffer.from('new') }));
  isBroken = false;
  await folder.log.line(/is written again/);
  assert.equal(await durably(store), 'durable');
  await store.stop();
  const { sessions } = await loadState(await folder.open());
  const kept = sessions as { deliveries: { message: { payload: string } }[] }[]; // what loadState makes
  assert.deepEqual(
    kept.map(({ deliveries }) => deliveries.map(({ message }) => Buffer.from(message.payload, 'hex').toString())),
    [['message 1', 'message 2', 'message 3'], ['new']],
  );
});

test('DurableStore opens the database anew when a commit finds it damaged', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.openTroubled();
  store.saveSession(storedSession('phone'));
  folder.trouble.set(SQLITE_CORRUPT);
  assert.equal(await durably(store), 'failed');
  assert.deepEqual(
    readdirSync(folder.path).filter((name) => name.includes('corrupt')),
    [],
  ); // it was sound after all
  folder.trouble.set(0);
  await folder.log.line(/is written again/);
});

test('DurableStore writes what nobody waits for when it stops', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  store.saveRetained(storedMessage(1, { qos: 0 }), false);
  await store.stop();
  await store.stop();
  assert.equal(existsSync(`${folder.file}-wal`), false, 'the log stays behind after an orderly stop');
  const { sessions, retained } = await loadState(await folder.open());
  assert.deepEqual([sessions.length, retained.length], [1, 1]);
});
