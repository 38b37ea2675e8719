// What the engine writes down so that it survives a power cut, and how it is read back at start. The store behind it knows no engine.
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

import { decodeProperties, encodeProperties, WILL } from '../mqtt/properties.ts';
import { filterMatches } from '../mqtt/topics.ts';
import type { SharedGroup } from './delivery/shared-group.ts';
import { Subscription } from './delivery/subscription.ts';
import type { Broker } from './engine.ts';
import { LeftInDatabase } from './left-in-database.ts';
import { Message, NO_PROPERTIES } from './message.ts';
import type {
  DeliveryState,
  Durability,
  LoadedSession,
  LoadSink,
  RetainedSource,
  SessionStore,
  StoredDelivery,
  StoredMessage,
  StoredSession,
  StoredWill,
} from './ports.ts';
import { allowedExpiry } from './session/expiry.ts';
import { Delivery } from './session/outgoing-window.ts';
import { Session } from './session/session.ts';
import { scheduleWill, Will } from './session/will.ts';
import { makeTopic } from './topic.ts';

/** Journal belongs to one broker; there is none when nothing is kept. */
export class Journal implements RetainedSource {
  /** Changes noted so far: a message that adds none may be acknowledged at once. */
  changes = 0;
  readonly #broker: Broker;
  readonly #store: SessionStore;
  #lastMessageKey = 0;
  /** Values stayed in the database for want of room: it has more than the memory. */
  #leftValues = false;

  constructor(broker: Broker, store: SessionStore) {
    this.#broker = broker;
    this.#store = store;
  }

  saveSession(session: Session): void {
    this.changes++;
    session.isSaved = true;
    this.#store.saveSession(storedSession(session));
  }

  /** saveWill notes a session that ends with its connection: all that a restart makes of it is its will. Written behind, since nobody is told of it. */
  saveWill(session: Session): void {
    session.isSaved = true;
    this.#store.saveSession(storedSession(session), false);
  }

  /** dropSession forgets a session, also one of its name that could not be read at the start. */
  dropSession(session: Session): void {
    if (!session.isSaved && !this.#store.mayHoldMore) return;
    session.isSaved = false;
    this.changes++;
    this.#store.dropSession(session.clientId);
  }

  saveSubscription(topicFilter: string, subscription: Subscription): void {
    const { session, qos, noLocal, retainAsPublished, identifier, group } = subscription;
    const stored = {
      topicFilter,
      mountedFilter: subscription.topicFilter,
      group: group?.name ?? null,
      qos,
      noLocal,
      retainAsPublished,
      identifier,
    };
    this.changes++;
    this.#store.saveSubscription(session.clientId, stored);
  }

  dropSubscription(session: Session, topicFilter: string): void {
    this.changes++;
    this.#store.dropSubscription(session.clientId, topicFilter);
  }

  saveDelivery(session: Session, delivery: Delivery): void {
    this.changes++;
    delivery.message.outstanding++;
    this.#store.saveDelivery(session.clientId, storedDelivery(delivery), this.#stored(delivery.message));
  }

  updateDelivery(session: Session, delivery: Delivery): void {
    this.changes++;
    this.#store.updateDelivery(session.clientId, delivery.order, delivery.packetId, stateOf(delivery));
  }

  dropDelivery(session: Session, delivery: Delivery): void {
    this.#store.dropDelivery(session.clientId, delivery.order);
    delivery.message.settleOne();
  }

  saveIncoming(session: Session, packetId: number, digest: number): void {
    this.changes++;
    this.#store.saveIncoming(session.clientId, packetId, digest);
  }

  dropIncoming(session: Session, packetId: number): void {
    this.changes++;
    this.#store.dropIncoming(session.clientId, packetId);
  }

  /** saveRetained notes what RetainedMessages has just set. Only what is `urgent` holds up an acknowledgement. */
  saveRetained(message: Message, urgent: boolean): void {
    if (message.topic.reserved) return; // $SYS: made anew at each start, and again every few seconds
    if (urgent) this.changes++;
    if (message.payloadLength === 0) this.#store.dropRetained(message.topic.name, urgent);
    else this.#store.saveRetained(this.#stored(message), urgent);
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
    for (const message of this.#broker.retained.all()) if (!message.topic.reserved) yield this.#stored(message);
  }

  hasRetained(topicName: string): boolean {
    return this.#leftValues || this.#broker.retained.has(topicName);
  }

  /** load fills the broker with what was kept, then ends the connections that the power has cut. */
  async load(): Promise<void> {
    const messages = new Map<number, Message>();
    const unfinished = new Map<Session, boolean>();
    const left = new LeftInDatabase();
    const { budget } = this.#broker;
    const sink: LoadSink = {
      room: budget.limit === 0 ? Number.POSITIVE_INFINITY : Math.max(0, budget.limit - budget.kept),
      retained: (stored) => {
        const message = restoredMessage(stored);
        if (this.#broker.retained.hasRoomFor(message)) this.#broker.retained.set(message);
        else left.retained++;
      },
      session: (loaded) => {
        if (!this.#broker.sessions.hasRoomFor(loaded)) {
          this.#broker.sessions.leave(loaded.session.clientId);
          return left.addSession(loaded);
        }
        const session = this.#restoreSession(loaded, messages, left);
        const wasConnected = loaded.session.disconnectedAt === null;
        if (wasConnected || session.will !== null) unfinished.set(session, wasConnected);
      },
    };
    await this.#store.load(sink, this);
    this.#leftValues = left.retained > 0;
    this.#lastMessageKey = this.#store.lastMessageKey;
    left.tell(this.#broker.log);
    this.#logRestored();
    for (const [session, wasConnected] of unfinished) this.#endConnection(session, wasConnected); // a will needs a key of its own, and finds all who should get it
  }

  #logRestored(): void {
    const { log, sessions, tree, retained } = this.#broker;
    if (sessions.count + retained.count === 0) return;
    const restored = `${sessions.count} sessions with ${tree.count} subscriptions, ${retained.count} retained messages`;
    log.log('information', `Restored ${restored}.`);
  }

  /** Says the will or begins its delay, and notes when the connection ended: the next power cut must not say it again, nor begin the expiry anew. */
  #endConnection(session: Session, wasConnected: boolean): void {
    if (session.expiryInterval === 0) return this.#broker.sessions.end(session);
    scheduleWill(this.#broker, session);
    if (wasConnected || session.will === null) this.saveSession(session);
  }

  #stored(message: Message): StoredMessage {
    if (message.key === 0) message.key = ++this.#lastMessageKey;
    message.detach();
    const { key, topic, payload, qos, retain, expiresAt, source } = message;
    return { key, topicName: topic.name, payload, qos, retain, properties: message.properties, expiresAt, source };
  }

  #restored(stored: StoredMessage, known: Map<number, Message>): Message {
    const message = known.get(stored.key) ?? restoredMessage(stored);
    known.set(stored.key, message);
    return message;
  }

  #restoreSession(loaded: LoadedSession, messages: Map<number, Message>, left: LeftInDatabase): Session {
    const broker = this.#broker;
    const stored = loaded.session;
    const session = new Session(broker, stored.clientId);
    session.isSaved = true;
    session.username = stored.username;
    session.listener = stored.listener;
    session.account = broker.accountOf(stored.listener, stored.username);
    session.requester = { clientId: stored.clientId, username: stored.username, listener: stored.listener };
    session.version = stored.version;
    session.expiryInterval = allowedExpiry(stored.expiryInterval, broker.options);
    session.disconnectedAt = stored.disconnectedAt ?? broker.clock.now(); // connected when the power went: it begins to wait now
    for (const one of loaded.subscriptions) {
      const group = one.group === null ? null : broker.tree.group(one.group, one.mountedFilter);
      const subscription = new Subscription(session, one.mountedFilter, one, group, null);
      broker.tree.add(subscription);
      session.subscriptions.set(one.topicFilter, subscription);
      session.subscriptionCounts.add(one.topicFilter, 1);
    }
    if (loaded.incoming.length > 0) session.incoming = new Map(loaded.incoming);
    let passed = loaded.left?.length ?? 0;
    for (const { order, packetId } of loaded.left ?? []) session.outgoing.pass(order, packetId);
    for (const { delivery, message } of loaded.deliveries) {
      const restored = restoredDelivery(delivery, this.#restored(message, messages), session);
      if (stored.disconnectedAt === null && delivery.qos === 1) restored.sent = true; // to who was connected it may have gone unwritten
      if (broker.budget.hasRoomFor(restored, session.account) && session.outgoing.restore(restored)) continue;
      session.outgoing.pass(delivery.order, delivery.packetId);
      passed++;
    }
    left.addDeliveries(session.clientId, passed);
    if (stored.will !== null) session.will = new Will(restoredWill(stored.will), '');
    if (session.expiryInterval > 0) broker.sessions.restore(session);
    return session;
  }
}

function restoredMessage(stored: StoredMessage): Message {
  const properties = stored.properties.length === 0 ? NO_PROPERTIES : stored.properties;
  const { topicName, payload, qos, retain, expiresAt, source } = stored;
  const message = new Message(makeTopic(topicName), qos, retain, payload, 0, payload.length, properties, expiresAt, null, true);
  message.source = source;
  message.key = stored.key;
  return message;
}

function storedSession(session: Session): StoredSession {
  const { clientId, username, listener, version, expiryInterval, disconnectedAt, will } = session;
  return { clientId, username, listener, version, expiryInterval, disconnectedAt, will: will === null ? null : storedWill(will) };
}

function storedWill(will: Will): StoredWill {
  const { payload, qos, retain, properties } = will.packet;
  return { topicName: will.topicName, payload, qos, retain, properties: encodeProperties(properties) };
}

function restoredWill(stored: StoredWill): Will['packet'] {
  const { topicName, payload, qos, retain } = stored;
  return { topicName, payload, qos, retain, properties: decodeProperties(stored.properties, WILL) };
}

function stateOf(delivery: Delivery): DeliveryState {
  if (delivery.released) return 'released';
  return delivery.packetId === 0 ? 'queued' : 'sent';
}

function storedDelivery(delivery: Delivery): StoredDelivery {
  const { order, qos, retain, group, identifiers, packetId } = delivery;
  return { order, qos, retain, shared: group !== null, identifiers, packetId, state: stateOf(delivery) };
}

/** The shared subscription that a message must have come by: the store does not name it. */
function groupFor(session: Session, topicName: string): SharedGroup | null {
  for (const { group, topicFilter } of session.subscriptions.values())
    if (group !== null && filterMatches(topicFilter, topicName)) return group;
  return null;
}

function restoredDelivery(stored: StoredDelivery, message: Message, session: Session): Delivery {
  const group = stored.shared ? groupFor(session, message.topic.name) : null;
  const delivery = new Delivery(message, stored.qos, stored.retain, stored.identifiers, group);
  delivery.order = stored.order;
  delivery.packetId = stored.packetId;
  delivery.released = stored.state === 'released';
  delivery.sent = stored.state !== 'queued';
  delivery.isKept = true;
  message.outstanding++;
  return delivery;
}
