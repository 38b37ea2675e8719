// Sessions, messages and deliveries as a store keeps them, made from the few values that a test is about.

import type {
  LoadedSession,
  SessionStore,
  StoredDelivery,
  StoredMessage,
  StoredSession,
  StoredSubscription,
} from '../../../src/broker/ports.ts';

const NOTHING = Buffer.alloc(0);

export function storedMessage(key: number, fields: Partial<StoredMessage> = {}): StoredMessage {
  const plain = { topicName: 'home/door', payload: Buffer.from(`message ${key}`), qos: 1, retain: false } as const;
  return { key, ...plain, properties: NOTHING, expiresAt: 0, source: null, ...fields };
}

export function storedDelivery(order: number, fields: Partial<StoredDelivery> = {}): StoredDelivery {
  return { order, qos: 1, retain: false, shared: false, identifiers: null, packetId: 0, state: 'queued', ...fields };
}

export function storedSession(clientId: string, fields: Partial<StoredSession> = {}): StoredSession {
  return { clientId, username: null, listener: '1883', version: 5, expiryInterval: 3600, disconnectedAt: null, will: null, ...fields };
}

export function storedSubscription(topicFilter: string, fields: Partial<StoredSubscription> = {}): StoredSubscription {
  const plain = { mountedFilter: topicFilter, group: null, qos: 1, noLocal: false, retainAsPublished: false, identifier: 0 } as const;
  return { topicFilter, ...plain, ...fields };
}

/** StoredState is everything a store loads, in an order that two stores share, bytes as hexadecimal text. */
export interface StoredState {
  readonly sessions: readonly unknown[];
  readonly retained: readonly unknown[];
}

/** loadState reads a whole store. The keys of retained values are left out: a store may keep the older one of two same values. */
export async function loadState(store: SessionStore): Promise<StoredState> {
  const sessions: LoadedSession[] = [];
  const retained: StoredMessage[] = [];
  await store.load({ session: (loaded) => void sessions.push(loaded), retained: (message) => void retained.push(message) });
  return {
    sessions: sessions.map(plainSession).sort(by((each) => each.session.clientId)),
    retained: retained.map(({ key: _key, ...value }) => plain(value)).sort(by((each) => each.topicName)),
  };
}

function plainSession({ session, subscriptions, deliveries, incoming }: LoadedSession) {
  return plain({
    session,
    subscriptions: subscriptions.toSorted(by((each) => each.topicFilter)),
    deliveries,
    incoming: incoming.toSorted(([a], [b]) => a - b),
  });
}

/** Buffers that are views of larger memory differ in what assert sees of them. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (_, each) => (each?.type === 'Buffer' ? Buffer.from(each.data).toString('hex') : each))) as T; // for comparison only
}

function by<T>(key: (value: T) => string): (a: T, b: T) => number {
  return (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
}

/** durably resolves with the outcome of everything noted so far. */
export function durably(store: SessionStore): Promise<string> {
  return new Promise((resolve) => store.whenDurable(resolve));
}
