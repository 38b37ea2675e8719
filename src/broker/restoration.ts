// Sessions and retained messages read back from the store at start, as the journal has noted them.

import { decodeProperties, WILL } from '../mqtt/properties.ts';
import { filterMatches } from '../mqtt/topics.ts';
import { type Share, Subscription } from './delivery/subscription.ts';
import type { Broker } from './engine.ts';
import { Journal } from './journal.ts';
import { LeftInDatabase } from './left-in-database.ts';
import { Message, NO_PROPERTIES } from './message.ts';
import type { DeliveryState, LoadedSession, LoadSink, SessionStore, StoredDelivery, StoredMessage, StoredWill } from './ports.ts';
import { allowedExpiry } from './session/expiry.ts';
import { Delivery, type Progress, RELEASED, SENT, UNSENT } from './session/outgoing-window.ts';
import { Session } from './session/session.ts';
import { Will } from './session/will.ts';
import { scheduleWill } from './session/wills.ts';
import { makeTopic } from './topic.ts';

/** How far a kept delivery has come. */
const PROGRESS: Readonly<Record<DeliveryState, Progress>> = { queued: UNSENT, sent: SENT, released: RELEASED };

/** restore fills a broker with what a store has kept, and gives it a journal that goes on in that. */
export async function restore(broker: Broker, store: SessionStore): Promise<void> {
  const journal = new Journal(store, broker.retained, broker.keys);
  const restoration = new Restoration(broker);
  broker.journal = journal;
  await store.load(restoration, journal);
  journal.begin(restoration.hasLeftValues);
  restoration.finish();
}

/** Restoration takes what the store finds, piece by piece. */
class Restoration implements LoadSink {
  readonly room: number;
  readonly #broker: Broker;
  readonly #messages = new Map<number, Message>();
  /** Sessions whose connection the power has cut (true), or whose will waits. */
  readonly #unfinished = new Map<Session, boolean>();
  readonly #left = new LeftInDatabase();

  constructor(broker: Broker) {
    const { budget } = broker;
    this.#broker = broker;
    this.room = budget.limit === 0 ? Number.POSITIVE_INFINITY : Math.max(0, budget.limit - budget.kept);
  }

  get hasLeftValues(): boolean {
    return this.#left.retained > 0;
  }

  retained(stored: StoredMessage): void {
    const message = restoredMessage(stored);
    if (this.#broker.retained.hasRoomFor(message)) this.#broker.retained.set(message);
    else this.#left.retained++;
  }

  session(loaded: LoadedSession): void {
    if (!this.#broker.sessions.hasRoomFor(loaded)) {
      this.#broker.sessions.leave(loaded.session.clientId);
      return this.#left.addSession(loaded);
    }
    const session = this.#restoreSession(loaded);
    const wasConnected = loaded.session.disconnectedAt === null;
    if (wasConnected || session.will !== null) this.#unfinished.set(session, wasConnected);
  }

  /** finish ends the connections that the power has cut: a will needs a key of its own, and finds all who should get it. */
  finish(): void {
    this.#left.tell(this.#broker.log);
    this.#logRestored();
    const { heldWills } = this.#broker;
    for (const [session, wasConnected] of this.#unfinished) {
      if (heldWills === null || !wasConnected || session.will === null) this.#endConnection(session, wasConnected);
      else heldWills.hold(session.clientId, (isSaid) => this.#endHeld(session, isSaid));
    }
  }

  #logRestored(): void {
    const { log, sessions, tree, retained } = this.#broker;
    if (sessions.count + retained.count === 0) return;
    const restored = `${sessions.count} sessions with ${tree.count} subscriptions, ${retained.count} retained messages`;
    log.log('information', `Restored ${restored}.`);
  }

  #endHeld(session: Session, isSaid: boolean): void {
    if (isSaid) session.will = null;
    if (session.connection === null) this.#endConnection(session, true);
  }

  /** Says the will or begins its delay, and notes when the connection ended: the next power cut must not say it again, nor begin the expiry anew. */
  #endConnection(session: Session, wasConnected: boolean): void {
    if (session.expiryInterval === 0) return this.#broker.sessions.end(session);
    scheduleWill(this.#broker, session);
    if (wasConnected || session.will === null) this.#broker.journal?.saveSession(session);
  }

  /** Deliveries of one message share it. */
  #restored(stored: StoredMessage): Message {
    const message = this.#messages.get(stored.key) ?? restoredMessage(stored);
    this.#messages.set(stored.key, message);
    return message;
  }

  #restoreSession(loaded: LoadedSession): Session {
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
      const group = one.group === null ? null : { name: one.group, topicFilter: one.mountedFilter };
      const subscription = new Subscription(session, one.mountedFilter, one, group, null);
      broker.tree.add(subscription);
      session.subscriptions.set(one.topicFilter, subscription);
      session.subscriptionCounts.add(one.topicFilter, 1);
    }
    if (loaded.incoming.length > 0) session.incoming = new Map(loaded.incoming);
    let passed = loaded.left?.length ?? 0;
    for (const { order, packetId } of loaded.left ?? []) session.outgoing.pass(order, packetId);
    for (const { delivery, message } of loaded.deliveries) {
      const restored = restoredDelivery(delivery, this.#restored(message), session);
      restored.isKept = true;
      restored.message.outstanding++;
      if (stored.disconnectedAt === null && delivery.qos === 1) restored.progress = SENT; // to who was connected it may have gone unwritten
      if (broker.budget.hasRoomFor(restored, session.account) && session.outgoing.restore(restored)) continue;
      session.outgoing.pass(delivery.order, delivery.packetId);
      passed++;
    }
    this.#left.addDeliveries(session.clientId, passed);
    if (stored.will !== null) session.will = new Will(restoredWill(stored.will), '');
    if (session.expiryInterval > 0) broker.sessions.restore(session);
    return session;
  }
}

/** restoredMessage makes the message anew. */
export function restoredMessage(stored: StoredMessage): Message {
  const { topicName, payload, qos, retain, expiresAt, source } = stored;
  const properties = stored.properties.length === 0 ? NO_PROPERTIES : stored.properties;
  const message = Message.of({ topic: makeTopic(topicName), qos, retain, payload, properties, expiresAt });
  message.source = source;
  message.key = stored.key;
  return message;
}

function restoredWill(stored: StoredWill): Will['packet'] {
  const { topicName, payload, qos, retain } = stored;
  return { topicName, payload, qos, retain, properties: decodeProperties(stored.properties, WILL) };
}

/** The shared subscription that a message must have come by: the store does not name it. */
function groupFor(session: Session, topicName: string): Share | null {
  for (const { group, topicFilter } of session.subscriptions.values())
    if (group !== null && filterMatches(topicFilter, topicName)) return group;
  return null;
}

/** restoredDelivery makes a delivery of what was kept of one. Whether the store of this broker has it is for the caller to note. */
export function restoredDelivery(stored: StoredDelivery, message: Message, session: Session): Delivery {
  const group = stored.shared ? groupFor(session, message.topic.name) : null;
  const delivery = new Delivery(message, stored.qos, stored.retain, stored.identifiers, group);
  delivery.order = stored.order;
  delivery.packetId = stored.packetId;
  delivery.progress = PROGRESS[stored.state];
  return delivery;
}
