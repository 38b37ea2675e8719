// Stands in the subscription tree for a session that is on its way between two brokers: it lets in the messages of some brokers and not of
// others, so that each message of the cluster reaches the session at one of the two.

import type { Broker } from '../broker/broker.ts';
import { type Subscriber, type SubscriberMessages, Subscription, type SubscriptionOptions } from '../broker/delivery/subscription.ts';
import type { Message } from '../broker/message.ts';
import type { Session } from '../broker/session/session.ts';

/** Filter is a topic filter with the mount point, and how it was asked for. */
export type Filter = readonly [topicFilter: string, options: SubscriptionOptions];

/** Gate is in the tree until it is closed. Its session has no connection. */
export class Gate implements Subscriber {
  readonly connection = null;
  readonly outgoing: SubscriberMessages;
  readonly #broker: Broker;
  readonly #session: Session;
  readonly #places: readonly Subscription[];

  /** `lets` decides by the message. */
  constructor(broker: Broker, session: Session, filters: readonly Filter[], lets: (message: Message) => boolean) {
    this.#broker = broker;
    this.#session = session;
    this.outgoing = {
      isOnline: false,
      isReady: false,
      get isFull() {
        return session.outgoing.isFull;
      },
      deliver: (message, subscription) => {
        if (lets(message)) session.outgoing.deliver(message, subscription);
      },
      backlog: session.outgoing.backlog,
    };
    this.#places = filters.map(([topicFilter, options]) => new Subscription(this, topicFilter, options, null, null));
    for (const place of this.#places) broker.tree.add(place);
  }

  get clientId() {
    return this.#session.clientId;
  }

  get username() {
    return this.#session.username;
  }

  get listener() {
    return this.#session.listener;
  }

  get requester() {
    return this.#session.requester;
  }

  get account() {
    return this.#session.account;
  }

  get expiryInterval() {
    return this.#session.expiryInterval;
  }

  get upgradesQos() {
    return this.#session.upgradesQos;
  }

  get isOver() {
    return this.#session.isOver;
  }

  close(): void {
    for (const place of this.#places) this.#broker.tree.remove(place);
  }
}
