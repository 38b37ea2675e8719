// Retained messages on their way to a new subscription, in slices: a subscriber of `#` among a million starves nobody,
// and takes no more than its connection and its window can hold.

import type { Qos } from '../mqtt/packet-types.ts';
import type { Broker } from './broker.ts';
import { type Message, NEVER } from './message.ts';
import type { RetainedCursor } from './retained-messages.ts';
import type { Session } from './session.ts';
import type { Subscription } from './subscription.ts';

/** Messages sent to one client per turn of the event loop: a few hundred microseconds. */
const SLICE = 500;
/** Nodes of the tree of retained messages visited per turn, some milliseconds: a filter may match none among a million. */
const STEPS = 10_000;

/** RetainedDelivery is one subscription's walk through the retained messages. */
export class RetainedDelivery {
  readonly #subscription: Subscription;
  readonly #cursor: RetainedCursor;
  /** Met, but not yet taken by the client. */
  #pending: Message | null = null;

  constructor(subscription: Subscription, cursor: RetainedCursor) {
    this.#subscription = subscription;
    this.#cursor = cursor;
  }

  /** advance sends up to a slice. 'done' = all sent, 'waiting' = the client must drain or acknowledge first, 'more' = go on in the next turn. */
  advance(broker: Broker): 'done' | 'waiting' | 'more' {
    const { session } = this.#subscription;
    const limit = this.#cursor.steps + STEPS;
    for (let step = 0; step < SLICE; step++) {
      const message = this.#pending ?? this.#cursor.next(limit);
      if (message === null) return this.#cursor.atEnd ? 'done' : 'more';
      this.#pending = null;
      if (!this.#isWanted(broker, session, message)) continue;
      const lower = message.qos < this.#subscription.qos && !session.upgradesQos;
      const qos: Qos = lower ? message.qos : this.#subscription.qos;
      if (!session.deliverRetained(message, qos, this.#subscription.identifiers())) {
        this.#pending = message;
        return 'waiting';
      }
      if (session.connection!.outbox.pending > broker.options.maxOutgoingBytes) return 'more'; // deliverRetained had a connection
    }
    return 'more';
  }

  #isWanted(broker: Broker, session: Session, message: Message): boolean {
    if (message.expiresAt !== NEVER && message.expiresAt <= broker.clock.now()) return false; // [MQTT-3.3.2-5]
    return broker.mayReceive(session, message.topic.name) && broker.mayStillPublish(message);
  }
}
