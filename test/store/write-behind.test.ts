// What is written when, and what never: seen by looking into the database file afterwards.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Durability } from '../../src/broker/ports.ts';
import { STORE_DEFAULTS } from '../../src/store/options.ts';
import { openStore } from '../../src/store/store.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { TestClock } from '../support/ports/test-clock.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { durably, storedDelivery, storedMessage, storedSession, storedSubscription } from '../support/store/stored.ts';

/** NEVER is a delay, in milliseconds, that no test lives to see the end of. */
const NEVER = 3_600_000;
const HOUR = 3_600_000;
const SENT = { packetId: 1, state: 'sent' } as const;

test('DurableStore never writes a delivery when it was dropped before its commit', async (t) => {
  const folder = new StoreFolder(t, { writeBehind: NEVER });
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  assert.equal(await durably(store), 'durable');
  const before = store.counters();
  for (let order = 1; order <= 100; order++) {
    store.saveDelivery('phone', storedDelivery(order, SENT), storedMessage(order));
    store.dropDelivery('phone', order);
  }
  assert.equal(await durably(store), 'durable');
  assert.deepEqual(store.counters(), before);
});

test('DurableStore waits for acknowledgements when all that is asked for is on its way to clients', async (t) => {
  const folder = new StoreFolder(t, { gather: NEVER, writeBehind: NEVER });
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  assert.equal(await durably(store), 'durable');
  store.saveDelivery('phone', storedDelivery(1, SENT), storedMessage(1));
  const asked = durably(store);
  const { commits } = store.counters();
  store.saveDelivery('phone', storedDelivery(2), storedMessage(2)); // to a client that is offline: nothing to wait for
  assert.equal(await durably(store), 'durable');
  assert.equal(await asked, 'durable');
  assert.equal(store.counters().commits, commits + 1);
});

test('DurableStore writes a message once when many sessions wait for it, and forgets it with the last', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  for (const clientId of ['a', 'b', 'c']) store.saveSession(storedSession(clientId));
  for (const clientId of ['a', 'b']) store.saveDelivery(clientId, storedDelivery(1), storedMessage(5));
  assert.equal(await durably(store), 'durable');
  store.saveDelivery('c', storedDelivery(1), storedMessage(5));
  assert.equal(await durably(store), 'durable');
  const rows = async (): Promise<unknown> => {
    const copy = `${folder.file}.${Math.random()}`;
    await store.backup(copy);
    return count(copy, 'message');
  };
  assert.equal(await rows(), 1);
  store.dropDelivery('a', 1);
  store.dropSession('b');
  assert.equal(await rows(), 1);
  store.dropDelivery('c', 1);
  assert.equal(await rows(), 0);
});

test('DurableStore writes only the last QoS 0 value of a topic when its second is over', async (t) => {
  const folder = new StoreFolder(t, { writeBehind: 50 });
  const store = await folder.open();
  for (let value = 1; value <= 1000; value++) store.saveRetained(storedMessage(value, { topicName: 'temperature', qos: 0 }), false);
  const { bytesWritten, commits } = store.counters();
  assert.equal(commits, 0);
  await store.stop();
  assert.equal(store.counters().commits, 1);
  assert.ok(store.counters().bytesWritten - bytesWritten < 100_000, `${store.counters().bytesWritten - bytesWritten} bytes`);
});

test('DurableStore writes nothing when a retained value is the same again', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  const value = { topicName: 'temperature', payload: Buffer.from('21.5'), qos: 1 } as const;
  store.saveRetained(storedMessage(1, value), true);
  assert.equal(await durably(store), 'durable');
  store.saveRetained(storedMessage(2, { topicName: 'first', payload: Buffer.from('1') }), true);
  assert.equal(await durably(store), 'durable'); // its reply counts the commit before
  const before = store.counters();
  for (let key = 3; key < 50; key++) {
    store.saveRetained(storedMessage(key, value), true);
    assert.equal(await durably(store), 'durable');
  }
  const after = store.counters();
  assert.equal(after.commits - before.commits, 47);
  assert.ok(after.fsyncs - before.fsyncs <= 1, `${after.fsyncs - before.fsyncs} fsyncs`);
});

test('DurableStore writes nothing when a subscription is the same again', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  store.saveSubscription('phone', storedSubscription('a', { group: 'home', identifier: 7 }));
  assert.equal(await durably(store), 'durable');
  store.saveSubscription('phone', storedSubscription('b'));
  assert.equal(await durably(store), 'durable'); // its reply counts the commit before
  const before = store.counters();
  for (let connection = 0; connection < 50; connection++) {
    store.saveSubscription('phone', storedSubscription('a', { group: 'home', identifier: 7 }));
    assert.equal(await durably(store), 'durable');
  }
  const after = store.counters();
  assert.equal(after.commits - before.commits, 50);
  assert.ok(after.fsyncs - before.fsyncs <= 1, `${after.fsyncs - before.fsyncs} fsyncs`);
});

test('DurableStore writes nothing for the wills of clients that come and go at once, or come again with the same will', async (t) => {
  const folder = new StoreFolder(t, { writeBehind: NEVER });
  const store = await folder.open();
  const will = { topicName: 'lamp/state', payload: Buffer.from('offline'), qos: 1, retain: true, properties: Buffer.alloc(0) } as const;
  const lamp = storedSession('lamp', { expiryInterval: 0, will });
  store.saveSession(lamp, false);
  await store.backup(`${folder.file}.first`);
  assert.equal(count(`${folder.file}.first`, 'session'), 1);
  store.saveSession(storedSession('phone'));
  assert.equal(await durably(store), 'durable'); // its reply counts the commit before
  const before = store.counters();
  for (let connection = 0; connection < 1000; connection++) {
    store.saveSession(storedSession('guest', { expiryInterval: 0, will }), false);
    store.dropSession('guest');
    store.saveSession(lamp, false);
    if (connection % 100 === 0) assert.equal(await durably(store), 'durable');
  }
  await store.backup(`${folder.file}.second`);
  assert.equal(count(`${folder.file}.second`, 'session'), 2);
  assert.ok(store.counters().fsyncs - before.fsyncs <= 1, `${store.counters().fsyncs - before.fsyncs} fsyncs`);
});

test('DurableStore lets a commit that somebody waits for pass a crowd of QoS 0 values', async (t) => {
  const folder = new StoreFolder(t, { writeBehind: NEVER });
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  assert.equal(await durably(store), 'durable');
  const payload = Buffer.alloc(20);
  for (let key = 1; key <= 20_000; key++) store.saveRetained(storedMessage(key, { topicName: `a/${key}`, qos: 0, payload }), false);
  const { commits } = store.counters();
  const stopped = store.backup(`${folder.file}.copy`); // which writes everything
  store.saveDelivery('phone', storedDelivery(1), storedMessage(30_000));
  assert.equal(await durably(store), 'durable');
  const passed = store.counters().commits - commits;
  assert.ok(passed <= 3, `it waited for ${passed} commits`);
  await stopped;
  await store.stop();
  assert.ok(store.counters().commits - commits >= 10);
  assert.equal(count(folder.file, 'retained'), 20_000);
});

test('DurableStore gathers what is noted during a commit in the next one', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  let order = 0;
  const outcomes: Durability[] = [];
  await new Promise<void>((resolve) => {
    const note = () => {
      for (let more = 0; more < 100; more++) {
        store.saveDelivery('phone', storedDelivery(++order), storedMessage(order));
        store.whenDurable((outcome) => {
          outcomes.push(outcome);
          if (outcomes.length === 10_000) resolve();
        });
      }
      if (order < 10_000) setImmediate(note);
    };
    note();
  });
  assert.deepEqual([...new Set(outcomes)], ['durable']);
  assert.ok(store.counters().commits <= 100, `${store.counters().commits} commits for 100 turns of the event loop`);
});

test('DurableStore makes a backup while it is written to when asked, and only for its owner', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  store.saveSession(storedSession('phone'));
  for (let order = 1; order <= 5000; order++) {
    store.saveDelivery('phone', storedDelivery(order), storedMessage(order, { payload: Buffer.alloc(500) }));
  }
  const copy = `${folder.file}.backup`;
  const backup = store.backup(copy);
  for (let order = 5001; order <= 6000; order++) {
    store.saveDelivery('phone', storedDelivery(order), storedMessage(order));
    if (order % 10 === 0) assert.equal(await durably(store), 'durable');
  }
  await backup;
  assert.ok(count(copy, 'delivery') >= 5000);
  assert.equal(count(copy, 'delivery'), count(copy, 'message'));
  await assert.rejects(store.backup(copy), /^OperatorError: Cannot write backup ".*": EEXIST/);
  await assert.rejects(store.backup('/nowhere/at/all'), /Cannot write backup "\/nowhere\/at\/all": ENOENT/);
});

function count(file: string, table: string): number {
  const database = new DatabaseSync(file);
  try {
    return Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
  } finally {
    database.close();
  }
}

test('DurableStore tells what a day costs once it has run for an hour, and of the last day only', async (t) => {
  const clock = new TestClock();
  const options = { ...STORE_DEFAULTS, folder: join(temporaryFolder(t), 'state') };
  const store = await openStore(options, { clock, log: recordingLog() });
  t.after(() => store.stop());
  store.saveRetained(storedMessage(1), true);
  assert.equal(await durably(store), 'durable');
  assert.equal(store.counters().bytesPerDay, null);
  clock.advance(HOUR);
  const { bytesLastDay, bytesPerDay } = store.counters();
  assert.ok(bytesLastDay > 0);
  assert.equal(bytesPerDay, bytesLastDay * 24);
  clock.advance(22 * HOUR);
  assert.equal(store.counters().bytesPerDay, Math.round((bytesLastDay * 24) / 23));
  clock.advance(2 * HOUR);
  assert.equal(store.counters().bytesPerDay, 0);
});
