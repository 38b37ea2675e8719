// Retained messages on their way to one new subscription: no more than its connection and its window can hold.

import type { Subscription } from '../delivery/subscription.ts';
import type { Broker } from '../engine.ts';
import { type Message, NEVER } from '../message.ts';
import type { Session } from '../session/session.ts';
import type { RetainedCursor } from './retained-messages.ts';

/** WalkBudget is what all walks share in a turn of the event loop. A step is the visit of one node of the tree, about half a microsecond. */
export interface WalkBudget {
  left: number;
}

/** Steps that a message costs which is sent, or kept back from this client. */
const STEPS_PER_MESSAGE = 20;

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

  /** advance spends what is left. 'done' = all sent, 'waiting' = the client must drain or acknowledge first, 'more' = go on in the next turn. */
  advance(broker: Broker, budget: WalkBudget): 'done' | 'waiting' | 'more' {
    const { session } = this.#subscription;
    while (budget.left > 0) {
      const message = this.#pending ?? this.#next(budget);
      if (message === null) return this.#cursor.atEnd ? 'done' : 'more';
      this.#pending = null;
      if (this.#isWanted(broker, session, message) && !this.#send(session, message)) {
        this.#pending = message;
        return 'waiting';
      }
      budget.left -= STEPS_PER_MESSAGE;
      if (session.connection!.output.pending > broker.options.maxOutgoingBytes) return 'more'; // walks are for those who are connected
    }
    return 'more';
  }

  #next(budget: WalkBudget): Message | null {
    const before = this.#cursor.steps;
    const message = this.#cursor.next(before + budget.left);
    budget.left -= this.#cursor.steps - before;
    return message;
  }

  #send(session: Session, message: Message): boolean {
    const subscription = this.#subscription;
    return session.outgoing.deliverRetained(message, subscription.qosFor(message.qos), subscription.identifiers());
  }

  #isWanted(broker: Broker, session: Session, message: Message): boolean {
    if (message.expiresAt !== NEVER && message.expiresAt <= broker.clock.now()) return false; // [MQTT-3.3.2-5]
    if (this.#subscription.noLocal && message.source?.clientId === session.clientId) return false; // [MQTT-3.8.3-3]
    return broker.mayReceive(session, message.topic.name) && broker.mayStillPublish(message);
  }
}
