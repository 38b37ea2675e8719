// Changes that are noted and not yet on their way to the database: only the last word on each thing counts.
//
//   sessions   "phone" -> dropped? saved? subscriptions{filter}  deliveries{order}  incoming{packetId} -> digest
//   retained   topic name -> message, or null = cleared
//
// What is saved and dropped again before it is written leaves no trace, except a delivery that may already be on the card.

import type { DeliveryState, StoredDelivery, StoredMessage, StoredSession, StoredSubscription } from '../broker/ports.ts';
import type { RecordVisitor } from './records.ts';

interface PendingSession {
  /** Everything on the card goes first; the rest is what came after. */
  dropped: boolean;
  saved: StoredSession | null;
  readonly subscriptions: Map<string, StoredSubscription | null>;
  readonly deliveries: Map<number, PendingDelivery>;
  /** Digests; null = dropped. */
  readonly incoming: Map<number, number | null>;
}

/** PendingDelivery: with a message it is saved, with a state only it is updated, with neither it is dropped. */
interface PendingDelivery {
  delivery: StoredDelivery | null;
  message: StoredMessage | null;
  packetId: number;
  state: DeliveryState | null;
  /** Whether a row of this order may be on the card. */
  mayBeStored: boolean;
}

/** PendingChanges gathers the changes of one commit. */
export class PendingChanges {
  readonly #sessions: Map<string, PendingSession>;
  readonly #retained: Map<string, StoredMessage | null>;

  constructor() {
    this.#sessions = new Map();
    this.#retained = new Map();
  }

  saveSession(session: StoredSession): void {
    this.#session(session.clientId).saved = session;
  }

  dropSession(clientId: string): void {
    this.#sessions.set(clientId, { ...emptySession(), dropped: true });
  }

  saveSubscription(clientId: string, subscription: StoredSubscription): void {
    this.#session(clientId).subscriptions.set(subscription.topicFilter, subscription);
  }

  dropSubscription(clientId: string, topicFilter: string): void {
    this.#session(clientId).subscriptions.set(topicFilter, null);
  }

  saveDelivery(clientId: string, delivery: StoredDelivery, message: StoredMessage): void {
    const { deliveries } = this.#session(clientId);
    const mayBeStored = deliveries.has(delivery.order);
    deliveries.set(delivery.order, { delivery, message, packetId: delivery.packetId, state: delivery.state, mayBeStored });
  }

  updateDelivery(clientId: string, order: number, packetId: number, state: DeliveryState): void {
    const { deliveries } = this.#session(clientId);
    const noted = deliveries.get(order);
    if (noted === undefined) {
      deliveries.set(order, { delivery: null, message: null, packetId, state, mayBeStored: true });
    } else if (noted.state !== null) {
      noted.packetId = packetId;
      noted.state = state;
    }
  }

  dropDelivery(clientId: string, order: number): void {
    const { deliveries } = this.#session(clientId);
    if (deliveries.get(order)?.mayBeStored === false) deliveries.delete(order);
    else deliveries.set(order, { delivery: null, message: null, packetId: 0, state: null, mayBeStored: true });
  }

  saveIncoming(clientId: string, packetId: number, digest: number): void {
    this.#session(clientId).incoming.set(packetId, digest);
  }

  dropIncoming(clientId: string, packetId: number): void {
    this.#session(clientId).incoming.set(packetId, null);
  }

  /** retain notes the value of a topic, null = cleared. */
  retain(topicName: string, message: StoredMessage | null): void {
    this.#retained.set(topicName, message);
  }

  /** hasRetained tells whether a value of this topic is noted. */
  hasRetained(topicName: string): boolean {
    return this.#retained.has(topicName);
  }

  /** retainedCount is how many values are noted. */
  get retainedCount(): number {
    return this.#retained.size;
  }

  /** absorb lays later changes over these, of which nobody knows whether they were written. */
  absorb(later: PendingChanges): void {
    for (const session of this.#sessions.values()) {
      for (const noted of session.deliveries.values()) noted.mayBeStored = true;
    }
    for (const [clientId, session] of later.#sessions) this.#absorbSession(clientId, session);
    for (const [topicName, message] of later.#retained) this.#retained.set(topicName, message);
  }

  /** tell tells the visitor every change, each message once however many deliveries need it. It yields often: nobody waits for all of it. */
  *tell(visitor: RecordVisitor): Generator<void> {
    const told = new Set<number>();
    for (const [clientId, session] of this.#sessions) {
      if (!isEmpty(session)) yield* tellSession(clientId, session, visitor, told);
    }
    for (const [topicName, message] of this.#retained) {
      if (message === null) visitor.retainedDropped(topicName);
      else visitor.retainedSaved(message);
      yield;
    }
  }

  #session(clientId: string): PendingSession {
    let session = this.#sessions.get(clientId);
    if (session === undefined) {
      session = emptySession();
      this.#sessions.set(clientId, session);
    }
    return session;
  }

  #absorbSession(clientId: string, later: PendingSession): void {
    if (later.dropped) {
      this.#sessions.set(clientId, later);
      return;
    }
    const session = this.#session(clientId);
    if (later.saved !== null) session.saved = later.saved;
    for (const [topicFilter, subscription] of later.subscriptions) session.subscriptions.set(topicFilter, subscription);
    for (const [packetId, digest] of later.incoming) session.incoming.set(packetId, digest);
    for (const [order, { delivery, message, packetId, state }] of later.deliveries) {
      if (delivery !== null && message !== null) this.saveDelivery(clientId, delivery, message);
      if (state === null) this.dropDelivery(clientId, order);
      else this.updateDelivery(clientId, order, packetId, state);
    }
  }
}

function emptySession(): PendingSession {
  return { dropped: false, saved: null, subscriptions: new Map(), deliveries: new Map(), incoming: new Map() };
}

function isEmpty({ dropped, saved, subscriptions, deliveries, incoming }: PendingSession): boolean {
  return !dropped && saved === null && subscriptions.size === 0 && deliveries.size === 0 && incoming.size === 0;
}

function* tellSession(clientId: string, session: PendingSession, visitor: RecordVisitor, told: Set<number>): Generator<void> {
  visitor.session(clientId);
  if (session.dropped) visitor.sessionDropped();
  if (session.saved !== null) visitor.sessionSaved(session.saved);
  for (const [topicFilter, subscription] of session.subscriptions) {
    if (subscription === null) visitor.subscriptionDropped(topicFilter);
    else visitor.subscriptionSaved(subscription);
    yield;
  }
  for (const [order, noted] of session.deliveries) {
    tellDelivery(order, noted, visitor, told);
    yield;
  }
  for (const [packetId, digest] of session.incoming) {
    if (digest === null) visitor.incomingDropped(packetId);
    else visitor.incomingSaved(packetId, digest);
  }
  yield;
}

function tellDelivery(order: number, noted: PendingDelivery, visitor: RecordVisitor, told: Set<number>): void {
  const { delivery, message, packetId, state } = noted;
  if (state === null) return visitor.deliveryDropped(order);
  if (delivery === null || message === null) return visitor.deliveryUpdated(order, packetId, state);
  if (!told.has(message.key)) {
    told.add(message.key);
    visitor.message(message);
  }
  visitor.deliverySaved(delivery, message.key);
  if (delivery.packetId !== packetId || delivery.state !== state) visitor.deliveryUpdated(order, packetId, state);
}
