// The store as a few maps: says what a store means, for the contract and as the model that the real one is held against.

import type {
  DeliveryState,
  Durability,
  LoadSink,
  SessionStore,
  StoredDelivery,
  StoredMessage,
  StoredSession,
  StoredSubscription,
} from '../../src/broker/ports.ts';

interface Kept {
  session: StoredSession;
  readonly subscriptions: Map<string, StoredSubscription>;
  readonly deliveries: Map<number, { delivery: StoredDelivery; readonly message: StoredMessage }>;
  readonly incoming: Map<number, number>;
}

/** MemoryStore keeps everything at once and loses it with the process. */
export class MemoryStore implements SessionStore {
  readonly sessions: Map<string, Kept>;
  readonly #retained: Map<string, StoredMessage>;

  constructor() {
    this.sessions = new Map();
    this.#retained = new Map();
  }

  /** copy is what is on the card when the power goes at this moment. */
  copy(): MemoryStore {
    const copy = new MemoryStore();
    for (const [clientId, { session, subscriptions, deliveries, incoming }] of this.sessions) {
      const own = new Map(Array.from(deliveries, ([order, one]) => [order, { ...one }]));
      copy.sessions.set(clientId, { session, subscriptions: new Map(subscriptions), deliveries: own, incoming: new Map(incoming) });
    }
    for (const [topicName, message] of this.#retained) copy.#retained.set(topicName, message);
    return copy;
  }

  mayHoldMore = false;

  get lastMessageKey(): number {
    const waiting = [...this.sessions.values()].flatMap(({ deliveries }) => [...deliveries.values()].map(({ message }) => message.key));
    return Math.max(0, ...waiting, ...[...this.#retained.values()].map(({ key }) => key));
  }

  async load(sink: LoadSink): Promise<void> {
    const before = this.copy(); // what is noted meanwhile comes after it
    for (const { session, subscriptions, deliveries, incoming } of before.sessions.values()) {
      sink.session({
        session,
        subscriptions: [...subscriptions.values()],
        deliveries: [...deliveries.values()].sort((a, b) => a.delivery.order - b.delivery.order),
        incoming: [...incoming],
      });
    }
    for (const message of before.#retained.values()) sink.retained(message);
  }

  saveSession(session: StoredSession): void {
    const kept = this.sessions.get(session.clientId);
    if (kept !== undefined) kept.session = session;
    else this.sessions.set(session.clientId, { session, subscriptions: new Map(), deliveries: new Map(), incoming: new Map() });
  }

  dropSession(clientId: string): void {
    this.sessions.delete(clientId);
  }

  saveSubscription(clientId: string, subscription: StoredSubscription): void {
    this.sessions.get(clientId)?.subscriptions.set(subscription.topicFilter, subscription);
  }

  dropSubscription(clientId: string, topicFilter: string): void {
    this.sessions.get(clientId)?.subscriptions.delete(topicFilter);
  }

  saveDelivery(clientId: string, delivery: StoredDelivery, message: StoredMessage): void {
    this.sessions.get(clientId)?.deliveries.set(delivery.order, { delivery, message });
  }

  updateDelivery(clientId: string, order: number, packetId: number, state: DeliveryState): void {
    const found = this.sessions.get(clientId)?.deliveries.get(order);
    if (found !== undefined) found.delivery = { ...found.delivery, packetId, state };
  }

  dropDelivery(clientId: string, order: number): void {
    this.sessions.get(clientId)?.deliveries.delete(order);
  }

  saveIncoming(clientId: string, packetId: number, digest: number): void {
    this.sessions.get(clientId)?.incoming.set(packetId, digest);
  }

  dropIncoming(clientId: string, packetId: number): void {
    this.sessions.get(clientId)?.incoming.delete(packetId);
  }

  saveRetained(message: StoredMessage): void {
    this.#retained.set(message.topicName, message);
  }

  dropRetained(topicName: string): void {
    this.#retained.delete(topicName);
  }

  whenDurable(callback: (outcome: Durability) => void): void {
    queueMicrotask(() => callback('durable'));
  }
}
