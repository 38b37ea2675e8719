// What the engine writes down so that it survives a power cut, which restoration.ts reads back at start. The store behind it knows no engine.
//
// Order is everything: the store makes changes durable in the order in which they are noted, so a message that is durable
// finds its subscription and its session durable too. What must wait:
//
//   SUBACK, UNSUBACK of a kept session    for its subscriptions: it would come back without them, and be told that it is there
//   CONNACK of a new session that is kept, or with a will    for its row: the client is told that both will be there
//   CONNACK of a clean start over a kept session    for the end of that: it would be there again
//   nothing          for the will of a session that is not kept: it is written behind
//   PUBACK, PUBREC   for the message's deliveries to kept sessions, its retained value, and the QoS 2 identifier
//   PUBREL           for the note that the client has the message: else a restart would send it once more under the same identifier
//   PUBCOMP          for the note that the identifier is free: else a restart would take the next message for a repetition
//   PUBLISH QoS 2    for its packet identifier: after a restart it must go out under the same one
//   PUBLISH back to its own publisher    for the PUBACK or PUBREC of the message, behind which it goes out

import type { ProtocolVersion } from '../mqtt/packet-types.ts';
import { encodeProperties } from '../mqtt/properties.ts';
import type { Subscription } from './delivery/subscription.ts';
import { clearing, type Message } from './message.ts';
import type { MessageKeys } from './message-keys.ts';
import type {
  DeliveryState,
  Durability,
  RetainedSource,
  SessionStore,
  StoredDelivery,
  StoredMessage,
  StoredSession,
  StoredSubscription,
  StoredWill,
} from './ports.ts';
import type { RetainedMessages } from './retained/retained-messages.ts';
import { type Delivery, RELEASED } from './session/outgoing-window.ts';
import type { Will } from './session/will.ts';
import { makeTopic } from './topic.ts';

/** SavedSession is a session that may be written down. */
export interface SavedSession {
  readonly clientId: string;
  isSaved: boolean;
}

/** KeptSession is one that is to be written down. */
export interface KeptSession extends SavedSession {
  readonly username: string | null;
  readonly listener: string;
  readonly version: ProtocolVersion;
  readonly expiryInterval: number;
  readonly disconnectedAt: number | null;
  readonly will: Will | null;
}

/** Journal belongs to one broker; there is none when nothing is kept. */
export class Journal implements RetainedSource {
  /** Changes noted so far: a message that adds none may be acknowledged at once. */
  changes = 0;
  readonly #retained: RetainedMessages;
  readonly #store: SessionStore;
  readonly #keys: MessageKeys;
  /** Values stayed in the database for want of room: it has more than the memory. */
  #leftValues = false;

  constructor(store: SessionStore, retained: RetainedMessages, keys: MessageKeys) {
    this.#store = store;
    this.#retained = retained;
    this.#keys = keys;
  }

  /** begin is told when the store has been read. `leftValues` = retained values stayed in it for want of room. */
  begin(leftValues: boolean): void {
    this.#leftValues = leftValues;
    this.#keys.raise(this.#store.lastMessageKey);
  }

  saveSession(session: KeptSession): void {
    this.changes++;
    session.isSaved = true;
    this.#store.saveSession(storedSession(session));
  }

  /** saveWill notes a session that ends with its connection: all that a restart makes of it is its will. Written behind, since nobody is told of it. */
  saveWill(session: KeptSession): void {
    session.isSaved = true;
    this.#store.saveSession(storedSession(session), false);
  }

  /** dropSession forgets a session, also one of its name that could not be read at the start. */
  dropSession(session: SavedSession): void {
    if (!session.isSaved && !this.#store.mayHoldMore) return;
    session.isSaved = false;
    this.changes++;
    this.#store.dropSession(session.clientId);
  }

  saveSubscription(topicFilter: string, subscription: Subscription): void {
    this.changes++;
    this.#store.saveSubscription(subscription.session.clientId, storedSubscription(topicFilter, subscription));
  }

  dropSubscription(session: SavedSession, topicFilter: string): void {
    this.changes++;
    this.#store.dropSubscription(session.clientId, topicFilter);
  }

  saveDelivery(session: SavedSession, delivery: Delivery): void {
    this.changes++;
    delivery.message.outstanding++;
    this.#store.saveDelivery(session.clientId, storedDelivery(delivery), this.#stored(delivery.message));
  }

  updateDelivery(session: SavedSession, delivery: Delivery): void {
    this.changes++;
    this.#store.updateDelivery(session.clientId, delivery.order, delivery.packetId, stateOf(delivery));
  }

  dropDelivery(session: SavedSession, delivery: Delivery): void {
    this.#store.dropDelivery(session.clientId, delivery.order);
    delivery.message.settleOne();
  }

  saveIncoming(session: SavedSession, packetId: number, digest: number): void {
    this.changes++;
    this.#store.saveIncoming(session.clientId, packetId, digest);
  }

  dropIncoming(session: SavedSession, packetId: number): void {
    this.changes++;
    this.#store.dropIncoming(session.clientId, packetId);
  }

  /** saveRetained notes what RetainedMessages has just set: a cleared topic that is remembered too. Only what is `urgent` holds up an acknowledgement. */
  saveRetained(message: Message, urgent: boolean, expiresAt = message.expiresAt): void {
    if (message.topic.reserved) return; // $SYS: made anew at each start, and again every few seconds
    if (urgent) this.changes++;
    if (message.payloadLength === 0 && message.key === 0) this.#store.dropRetained(message.topic.name, urgent);
    else this.#store.saveRetained(this.#stored(message, expiresAt), urgent);
  }

  /** dropRetained notes that a retained message has expired: written behind, for nobody waits for it. */
  dropRetained(topicName: string): void {
    this.#store.dropRetained(topicName, false);
  }

  whenDurable(callback: (outcome: Durability) => void, isUrgent = false): void {
    this.#store.whenDurable(callback, isUrgent);
  }

  /** retained gives the values as they are to be kept. */
  *retained(): Generator<StoredMessage> {
    for (const value of this.#retained.values()) {
      const message = value.toKeptMessage();
      if (!message.topic.reserved) yield this.#stored(message);
    }
    for (const [topicName, key] of this.#retained.cleared.entries()) yield this.#stored(clearing(makeTopic(topicName), key));
  }

  hasRetained(topicName: string): boolean {
    return this.#leftValues || this.#retained.has(topicName) || this.#retained.cleared.keyOf(topicName) > 0;
  }

  #stored(message: Message, expiresAt = message.expiresAt): StoredMessage {
    if (message.key === 0) message.key = this.#keys.next();
    return storedMessage(message, message.key, expiresAt);
  }
}

/** storedMessage gives a message as it is kept, with bytes of its own. */
export function storedMessage(message: Message, key: number, expiresAt = message.expiresAt): StoredMessage {
  message.detach();
  const { topic, payload, qos, retain, source, properties } = message;
  return { key, topicName: topic.name, payload, qos, retain, properties, expiresAt, source };
}

/** storedSubscription gives a subscription as it is kept; `topicFilter` as the client sent it. */
export function storedSubscription(topicFilter: string, subscription: Subscription): StoredSubscription {
  const { topicFilter: mountedFilter, qos, noLocal, retainAsPublished, identifier, group } = subscription;
  return { topicFilter, mountedFilter, group: group?.name ?? null, qos, noLocal, retainAsPublished, identifier };
}

/** storedSession gives a session as it is kept, without its lists. */
export function storedSession(session: KeptSession): StoredSession {
  const { clientId, username, listener, version, expiryInterval, disconnectedAt, will } = session;
  return { clientId, username, listener, version, expiryInterval, disconnectedAt, will: will === null ? null : storedWill(will) };
}

function storedWill(will: Will): StoredWill {
  const { payload, qos, retain, properties } = will.packet;
  return { topicName: will.topicName, payload, qos, retain, properties: encodeProperties(properties) };
}

function stateOf(delivery: Delivery): DeliveryState {
  if (delivery.progress === RELEASED) return 'released';
  return delivery.packetId === 0 ? 'queued' : 'sent';
}

/** storedDelivery gives a delivery as it is kept. */
export function storedDelivery(delivery: Delivery): StoredDelivery {
  const { order, qos, retain, group, identifiers, packetId } = delivery;
  return { order, qos, retain, shared: group !== null, identifiers, packetId, state: stateOf(delivery) };
}
