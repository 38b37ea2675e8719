// The language of the two threads: changes on their way to the database, and what start-up found on its way back.
//
//   [message ...] [session "phone" [saved ...] [subscription ...] [delivery ...] ...] [session ...] [retained ...]
//
// Records that hang on a session follow the record that names it; a message comes before the first delivery that needs it.

import type { DeliveryState, StoredDelivery, StoredMessage, StoredSession, StoredSubscription, StoredWill } from '../broker/ports.ts';
import { PackedReader, type PackedWriter } from './packed.ts';

const RECORD = {
  session: 1,
  sessionSaved: 2,
  sessionDropped: 3,
  subscriptionSaved: 4,
  subscriptionDropped: 5,
  message: 6,
  deliverySaved: 7,
  deliveryUpdated: 8,
  deliveryDropped: 9,
  incomingSaved: 10,
  incomingDropped: 11,
  retainedSaved: 12,
  retainedDropped: 13,
} as const;

/** DELIVERY_STATES: a state is packed and stored as its place in this list. */
export const DELIVERY_STATES: readonly DeliveryState[] = ['queued', 'sent', 'released'];

/** RecordVisitor is told what each record says, in order. */
export interface RecordVisitor {
  /** Names the session on which the following records hang. */
  session(clientId: string): void;
  sessionSaved(session: StoredSession): void;
  sessionDropped(): void;
  subscriptionSaved(subscription: StoredSubscription): void;
  subscriptionDropped(topicFilter: string): void;
  message(message: StoredMessage): void;
  deliverySaved(delivery: StoredDelivery, messageKey: number): void;
  deliveryUpdated(order: number, packetId: number, state: DeliveryState): void;
  deliveryDropped(order: number): void;
  incomingSaved(packetId: number, digest: number): void;
  incomingDropped(packetId: number): void;
  retainedSaved(message: StoredMessage): void;
  retainedDropped(topicName: string): void;
}

/** recordWriter gives a visitor that packs what it is told. */
export function recordWriter(out: PackedWriter): RecordVisitor {
  return {
    session(clientId) {
      out.byte(RECORD.session);
      out.text(clientId);
    },
    sessionSaved(session) {
      out.byte(RECORD.sessionSaved);
      packSession(out, session);
    },
    sessionDropped() {
      out.byte(RECORD.sessionDropped);
    },
    subscriptionSaved(subscription) {
      out.byte(RECORD.subscriptionSaved);
      packSubscription(out, subscription);
    },
    subscriptionDropped(topicFilter) {
      out.byte(RECORD.subscriptionDropped);
      out.text(topicFilter);
    },
    message(message) {
      out.byte(RECORD.message);
      packMessage(out, message);
    },
    deliverySaved(delivery, messageKey) {
      out.byte(RECORD.deliverySaved);
      packDelivery(out, delivery);
      out.integer(messageKey);
    },
    deliveryUpdated(order, packetId, state) {
      out.byte(RECORD.deliveryUpdated);
      out.integer(order);
      out.integer(packetId);
      out.byte(DELIVERY_STATES.indexOf(state));
    },
    deliveryDropped(order) {
      out.byte(RECORD.deliveryDropped);
      out.integer(order);
    },
    incomingSaved(packetId, digest) {
      out.byte(RECORD.incomingSaved);
      out.integer(packetId);
      out.integer(digest);
    },
    incomingDropped(packetId) {
      out.byte(RECORD.incomingDropped);
      out.integer(packetId);
    },
    retainedSaved(message) {
      out.byte(RECORD.retainedSaved);
      packMessage(out, message);
    },
    retainedDropped(topicName) {
      out.byte(RECORD.retainedDropped);
      out.text(topicName);
    },
  };
}

/** readRecords tells the visitor everything that was packed. */
export function readRecords(packed: Uint8Array<ArrayBuffer>, visitor: RecordVisitor): void {
  const from = new PackedReader(packed);
  while (!from.isAtEnd) readRecord(from, visitor);
}

function readRecord(from: PackedReader, visitor: RecordVisitor): void {
  const record = from.byte();
  switch (record) {
    case RECORD.session:
      return visitor.session(from.text());
    case RECORD.sessionSaved:
      return visitor.sessionSaved(unpackSession(from));
    case RECORD.sessionDropped:
      return visitor.sessionDropped();
    case RECORD.subscriptionSaved:
      return visitor.subscriptionSaved(unpackSubscription(from));
    case RECORD.subscriptionDropped:
      return visitor.subscriptionDropped(from.text());
    case RECORD.message:
      return visitor.message(unpackMessage(from));
    case RECORD.deliverySaved:
      return visitor.deliverySaved(unpackDelivery(from), from.integer());
    case RECORD.deliveryUpdated:
      return visitor.deliveryUpdated(from.integer(), from.integer(), stateOf(from.byte()));
    case RECORD.deliveryDropped:
      return visitor.deliveryDropped(from.integer());
    case RECORD.incomingSaved:
      return visitor.incomingSaved(from.integer(), from.integer());
    case RECORD.incomingDropped:
      return visitor.incomingDropped(from.integer());
    case RECORD.retainedSaved:
      return visitor.retainedSaved(unpackMessage(from));
    case RECORD.retainedDropped:
      return visitor.retainedDropped(from.text());
    default:
      throw new Error(`Cannot read record "${record}": the threads speak different versions`);
  }
}

/** qosOf reads a QoS that was checked when it was written. */
export function qosOf(value: number): 0 | 1 | 2 {
  return value === 0 ? 0 : value === 1 ? 1 : 2;
}

/** stateOf reads the place of a state in DELIVERY_STATES. */
export function stateOf(place: number): DeliveryState {
  return DELIVERY_STATES[place] ?? 'queued';
}

/** versionOf reads the protocol version of a session. */
export function versionOf(value: number): 3 | 4 | 5 {
  return value === 5 ? 5 : value === 3 ? 3 : 4;
}

function packSession(out: PackedWriter, session: StoredSession): void {
  out.text(session.clientId);
  out.textOrNull(session.username);
  out.text(session.listener);
  out.byte(session.version);
  out.integer(session.expiryInterval);
  out.byte(session.disconnectedAt === null ? 0 : 1);
  out.integer(session.disconnectedAt ?? 0);
  out.byte(session.will === null ? 0 : 1);
  if (session.will !== null) packWill(out, session.will);
}

function unpackSession(from: PackedReader): StoredSession {
  const clientId = from.text();
  const username = from.textOrNull();
  const listener = from.text();
  const version = versionOf(from.byte());
  const expiryInterval = from.integer();
  const isDisconnected = from.byte() === 1;
  const disconnectedAt = from.integer();
  const will = from.byte() === 1 ? unpackWill(from) : null;
  return { clientId, username, listener, version, expiryInterval, disconnectedAt: isDisconnected ? disconnectedAt : null, will };
}

function packWill(out: PackedWriter, will: StoredWill): void {
  out.text(will.topicName);
  out.bytes(will.payload);
  out.byte(will.qos);
  out.byte(will.retain ? 1 : 0);
  out.bytes(will.properties);
}

function unpackWill(from: PackedReader): StoredWill {
  const topicName = from.text();
  const payload = from.bytes();
  const qos = qosOf(from.byte());
  const retain = from.byte() === 1;
  return { topicName, payload, qos, retain, properties: from.bytes() };
}

function packSubscription(out: PackedWriter, subscription: StoredSubscription): void {
  out.text(subscription.topicFilter);
  out.text(subscription.mountedFilter);
  out.textOrNull(subscription.group);
  out.byte(subscription.qos);
  out.byte(subscription.noLocal ? 1 : 0);
  out.byte(subscription.retainAsPublished ? 1 : 0);
  out.integer(subscription.identifier);
}

function unpackSubscription(from: PackedReader): StoredSubscription {
  const topicFilter = from.text();
  const mountedFilter = from.text();
  const group = from.textOrNull();
  const qos = qosOf(from.byte());
  const noLocal = from.byte() === 1;
  const retainAsPublished = from.byte() === 1;
  return { topicFilter, mountedFilter, group, qos, noLocal, retainAsPublished, identifier: from.integer() };
}

function packMessage(out: PackedWriter, message: StoredMessage): void {
  out.integer(message.key);
  out.text(message.topicName);
  out.bytes(message.payload);
  out.byte(message.qos);
  out.byte(message.retain ? 1 : 0);
  out.bytes(message.properties);
  out.integer(message.expiresAt);
  out.textOrNull(message.source?.clientId ?? null);
  out.textOrNull(message.source?.username ?? null);
  out.text(message.source?.listener ?? '');
}

function unpackMessage(from: PackedReader): StoredMessage {
  const key = from.integer();
  const topicName = from.text();
  const payload = from.bytes();
  const qos = qosOf(from.byte());
  const retain = from.byte() === 1;
  const properties = from.bytes();
  const expiresAt = from.integer();
  const clientId = from.textOrNull();
  const username = from.textOrNull();
  const listener = from.text();
  const source = clientId === null ? null : { clientId, username, listener };
  return { key, topicName, payload, qos, retain, properties, expiresAt, source };
}

function packDelivery(out: PackedWriter, delivery: StoredDelivery): void {
  out.integer(delivery.order);
  out.byte(delivery.qos);
  out.byte(delivery.retain ? 1 : 0);
  out.byte(delivery.shared ? 1 : 0);
  out.byte(delivery.identifiers === null ? 0 : 1);
  if (delivery.identifiers !== null) packIntegers(out, delivery.identifiers);
  out.integer(delivery.packetId);
  out.byte(DELIVERY_STATES.indexOf(delivery.state));
}

function unpackDelivery(from: PackedReader): StoredDelivery {
  const order = from.integer();
  const qos = qosOf(from.byte());
  const retain = from.byte() === 1;
  const shared = from.byte() === 1;
  const identifiers = from.byte() === 1 ? unpackIntegers(from) : null;
  const packetId = from.integer();
  return { order, qos, retain, shared, identifiers, packetId, state: stateOf(from.byte()) };
}

function packIntegers(out: PackedWriter, integers: readonly number[]): void {
  out.integer(integers.length);
  for (const integer of integers) out.integer(integer);
}

function unpackIntegers(from: PackedReader): number[] {
  return Array.from({ length: from.integer() }, () => from.integer());
}
