// What every store does, run against the database and against the few maps that say what is meant.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { LoadedSession, SessionStore, StoredMessage } from '../../src/broker/ports.ts';
import {
  durably,
  loadState,
  type StoredState,
  storedDelivery,
  storedMessage,
  storedSession,
  storedSubscription,
} from '../support/store/stored.ts';

/** StoreUnderTest can be closed and opened again with what it kept. */
export interface StoreUnderTest {
  readonly store: SessionStore;
  reopen(): Promise<SessionStore>;
}

/** Change is one kind of thing to keep: what it does to a store that holds `before`, and what is there afterwards. */
interface Change {
  readonly name: string;
  before?(store: SessionStore): void;
  change(store: SessionStore): void;
  readonly expected: StoredState;
}

const PHONE = storedSession('phone', { username: 'ann' });
const WILL = {
  topicName: 'phone/gone',
  payload: Buffer.from([0, 255]),
  qos: 2,
  retain: true,
  properties: Buffer.from('2600000000', 'hex'),
} as const;
const RICH = storedMessage(7, {
  topicName: 'tür/läuft 🚪',
  payload: Buffer.from([0, 1, 254, 255]),
  qos: 2,
  retain: true,
  properties: Buffer.from('0101', 'hex'),
  expiresAt: 1_900_000_000_123,
  source: { clientId: 'sensor', username: 'bob', listener: '8883 192.168.1.2' },
});
const LARGE = storedMessage(8, { topicName: 'x'.repeat(3000), payload: Buffer.alloc(300_000, 'large ') });
const SHARED = storedSubscription('$share/home/door/+', {
  mountedFilter: 'house/door/+',
  group: 'home',
  qos: 2,
  retainAsPublished: true,
  identifier: 268_435_455,
});
const CHANGED = [
  storedSubscription('a', { mountedFilter: 'mount/a' }),
  storedSubscription('b', { group: 'home' }),
  storedSubscription('c', { qos: 2 }),
  storedSubscription('d', { noLocal: true }),
  storedSubscription('e', { retainAsPublished: true }),
  storedSubscription('f', { identifier: 1 }),
];
const PLAIN = { subscriptions: [], deliveries: [], incoming: [] };

const CHANGES: readonly Change[] = [
  { name: 'a session', change: (s) => s.saveSession(PHONE), expected: state([{ session: PHONE, ...PLAIN }]) },
  {
    name: 'a session with a will and without an end',
    change: (s) => s.saveSession({ ...PHONE, version: 3, expiryInterval: 0xffffffff, disconnectedAt: 1_800_000_000_000, will: WILL }),
    expected: state([
      {
        session: { ...PHONE, version: 3, expiryInterval: 0xffffffff, disconnectedAt: 1_800_000_000_000, will: hexed(WILL) },
        ...PLAIN,
      },
    ]),
  },
  {
    name: 'a session that lost its will',
    before: (s) => s.saveSession({ ...PHONE, will: WILL }),
    change: (s) => s.saveSession(PHONE),
    expected: state([{ session: PHONE, ...PLAIN }]),
  },
  { name: 'a dropped session with all that hangs on it', before: fillPhone, change: (s) => s.dropSession('phone'), expected: state([]) },
  {
    name: 'a session that began anew',
    before: fillPhone,
    change(s) {
      s.dropSession('phone');
      s.saveSession(PHONE);
      s.saveSubscription('phone', storedSubscription('new'));
    },
    expected: state([{ session: PHONE, ...PLAIN, subscriptions: [storedSubscription('new')] }]),
  },
  {
    name: 'subscriptions',
    before: (s) => s.saveSession(PHONE),
    change(s) {
      s.saveSubscription('phone', SHARED);
      s.saveSubscription('phone', storedSubscription('a', { noLocal: true, qos: 0 }));
    },
    expected: state([{ session: PHONE, ...PLAIN, subscriptions: [SHARED, storedSubscription('a', { noLocal: true, qos: 0 })] }]),
  },
  {
    name: 'a subscription that replaced another, and one that is gone',
    before(s) {
      s.saveSession(PHONE);
      s.saveSubscription('phone', storedSubscription('a'));
      s.saveSubscription('phone', storedSubscription('b'));
    },
    change(s) {
      s.saveSubscription('phone', storedSubscription('a', { qos: 2 }));
      s.dropSubscription('phone', 'b');
    },
    expected: state([{ session: PHONE, ...PLAIN, subscriptions: [storedSubscription('a', { qos: 2 })] }]),
  },
  {
    name: 'subscriptions that differ from those before in one thing each',
    before(s) {
      s.saveSession(PHONE);
      for (const { topicFilter } of CHANGED) s.saveSubscription('phone', storedSubscription(topicFilter));
    },
    change(s) {
      for (const one of CHANGED) s.saveSubscription('phone', one);
    },
    expected: state([{ session: PHONE, ...PLAIN, subscriptions: CHANGED }]),
  },
  {
    name: 'deliveries in their order, whatever the order of saving',
    before: (s) => s.saveSession(PHONE),
    change(s) {
      s.saveDelivery('phone', storedDelivery(10, { identifiers: [1, 268_435_455] }), RICH);
      s.saveDelivery('phone', storedDelivery(9, { shared: true, retain: true, qos: 0 }), LARGE);
      s.saveDelivery('phone', storedDelivery(2 ** 40), RICH);
    },
    expected: state([
      {
        session: PHONE,
        ...PLAIN,
        deliveries: [
          { delivery: storedDelivery(9, { shared: true, retain: true, qos: 0 }), message: hexed(LARGE) },
          { delivery: storedDelivery(10, { identifiers: [1, 268_435_455] }), message: hexed(RICH) },
          { delivery: storedDelivery(2 ** 40), message: hexed(RICH) },
        ],
      },
    ]),
  },
  {
    name: 'the states of deliveries',
    before(s) {
      s.saveSession(PHONE);
      for (const order of [1, 2, 3]) s.saveDelivery('phone', storedDelivery(order, { qos: 2 }), storedMessage(order));
    },
    change(s) {
      s.updateDelivery('phone', 1, 65_535, 'sent');
      s.updateDelivery('phone', 2, 7, 'sent');
      s.updateDelivery('phone', 2, 7, 'released');
      s.dropDelivery('phone', 3);
      s.updateDelivery('phone', 3, 8, 'sent');
    },
    expected: state([
      {
        session: PHONE,
        ...PLAIN,
        deliveries: [
          { delivery: storedDelivery(1, { qos: 2, packetId: 65_535, state: 'sent' }), message: hexed(storedMessage(1)) },
          { delivery: storedDelivery(2, { qos: 2, packetId: 7, state: 'released' }), message: hexed(storedMessage(2)) },
        ],
      },
    ]),
  },
  {
    name: 'a message that one of two sessions has received',
    before(s) {
      for (const clientId of ['phone', 'tablet']) {
        s.saveSession({ ...PHONE, clientId });
        s.saveDelivery(clientId, storedDelivery(1), RICH);
      }
    },
    change: (s) => s.dropDelivery('phone', 1),
    expected: state([
      { session: PHONE, ...PLAIN },
      { session: { ...PHONE, clientId: 'tablet' }, ...PLAIN, deliveries: [{ delivery: storedDelivery(1), message: hexed(RICH) }] },
    ]),
  },
  {
    name: 'packet identifiers and digests of received QoS 2 messages',
    before(s) {
      s.saveSession(PHONE);
      for (const packetId of [1, 2, 3]) s.saveIncoming('phone', packetId, packetId * 10);
    },
    change(s) {
      s.saveIncoming('phone', 65_535, 2 ** 52 - 1);
      s.saveIncoming('phone', 3, 31);
      s.dropIncoming('phone', 1);
    },
    expected: state([
      {
        session: PHONE,
        ...PLAIN,
        incoming: [
          [2, 20],
          [3, 31],
          [65_535, 2 ** 52 - 1],
        ],
      },
    ]),
  },
  {
    name: 'retained values, urgent or not',
    before: (s) => s.saveRetained(storedMessage(1, { topicName: 'a', retain: true }), true),
    change(s) {
      s.saveRetained(storedMessage(2, { topicName: 'a', qos: 0 }), false);
      s.saveRetained(storedMessage(3, { topicName: 'b', qos: 0 }), false);
      s.saveRetained(storedMessage(4, { topicName: 'b' }), true);
      s.saveRetained(RICH, true);
    },
    expected: state([], [storedMessage(2, { topicName: 'a', qos: 0 }), storedMessage(4, { topicName: 'b' }), RICH]),
  },
  {
    name: 'cleared retained values',
    before(s) {
      for (const topicName of ['a', 'b', 'c']) s.saveRetained(storedMessage(1, { topicName }), true);
    },
    change(s) {
      s.dropRetained('a', false);
      s.dropRetained('b', true);
      s.saveRetained(storedMessage(2, { topicName: 'c' }), true);
      s.dropRetained('c', false);
      s.dropRetained('never there', true);
    },
    expected: state([]),
  },
];

/** testStore runs the contract against the store that `open` makes, empty, for each test. */
export function testStore(name: string, open: (t: TestContext) => Promise<StoreUnderTest>): void {
  for (const { name: what, before, change, expected } of CHANGES) {
    test(`${name} has ${what} when it is opened again`, async (t) => {
      const { store, reopen } = await open(t);
      await loadState(store);
      before?.(store);
      assert.equal(await durably(store), 'durable');
      change(store);
      assert.deepEqual(await loadState(await reopen()), expected);
    });

    test(`${name} has ${what} when all of it went into one commit`, async (t) => {
      const { store, reopen } = await open(t);
      await loadState(store);
      before?.(store);
      change(store);
      assert.equal(await durably(store), 'durable');
      assert.deepEqual(await loadState(await reopen()), expected);
    });
  }

  test(`${name} gives one object for all deliveries of a message when it loads`, async (t) => {
    const { store, reopen } = await open(t);
    for (const clientId of ['phone', 'tablet']) {
      store.saveSession({ ...PHONE, clientId });
      store.saveDelivery(clientId, storedDelivery(1), RICH);
    }
    store.saveRetained(RICH, true);
    const messages: StoredMessage[] = [];
    await (await reopen()).load({
      session: ({ deliveries }: LoadedSession) => void messages.push(...deliveries.map(({ message }) => message)),
      retained: (message) => void messages.push(message),
    });
    assert.equal(messages.length, 3);
    assert.equal(new Set(messages).size, 1);
  });

  test(`${name} knows the greatest message key when it has loaded`, async (t) => {
    const { store, reopen } = await open(t);
    store.saveSession(PHONE);
    store.saveDelivery('phone', storedDelivery(1), storedMessage(2 ** 41));
    const again = await reopen();
    await loadState(again);
    assert.equal(again.lastMessageKey, 2 ** 41);
    again.saveRetained(storedMessage(2 ** 42), true);
    assert.equal(await durably(again), 'durable');
  });

  test(`${name} calls back in the order of asking, never at once`, async (t) => {
    const { store } = await open(t);
    const called: number[] = [];
    store.saveSession(PHONE);
    for (const asked of [1, 2, 3]) store.whenDurable(() => void called.push(asked));
    const last = durably(store);
    assert.deepEqual(called, []);
    await last;
    assert.deepEqual(called, [1, 2, 3]);
    assert.equal(await durably(store), 'durable');
  });
}

function fillPhone(store: SessionStore): void {
  store.saveSession({ ...PHONE, will: WILL });
  store.saveSubscription('phone', SHARED);
  store.saveDelivery('phone', storedDelivery(1), RICH);
  store.saveIncoming('phone', 1, 11);
}

function state(sessions: StoredState['sessions'], retained: readonly StoredMessage[] = []): StoredState {
  return { sessions, retained: retained.map(({ key: _key, ...value }) => hexed(value)) };
}

function hexed(value: { readonly payload: Buffer; readonly properties: Buffer }): unknown {
  return { ...value, payload: value.payload.toString('hex'), properties: value.properties.toString('hex') };
}
