// Retained messages on their way to one new subscription: no more than its connection and its window can hold.

import type { Clock } from '../../base/clock.ts';
import type { Qos } from '../../mqtt/packet-types.ts';
import type { Subscription } from '../delivery/subscription.ts';
import { type Message, NEVER } from '../message.ts';
import type { BrokerOptions } from '../options.ts';
import type { Requester } from '../ports.ts';
import type { RetainedCursor } from './retained-messages.ts';

/** WalkBudget is what all walks share in a turn of the event loop. A step is the visit of one node of the tree, about half a microsecond. */
export interface WalkBudget {
  left: number;
}

/** WalkEngine is what a walk needs of the engine. */
export interface WalkEngine {
  readonly clock: Clock;
  readonly options: BrokerOptions;
  mayReceive(requester: Requester, topicName: string): boolean;
  mayStillPublish(source: Requester | null, topicName: string): boolean;
}

/** RetainedReader is the session that retained messages are sent to. */
export interface RetainedReader extends Requester {
  /** Walks that are not at their end, by topic filter; null = none. */
  retained: Map<string, RetainedDelivery> | null;
  readonly connection: { readonly output: { readonly pending: number } } | null;
  readonly outgoing: { deliverRetained(message: Message, qos: Qos, identifiers: readonly number[] | null): boolean };
}

/** Steps that a message costs which is sent, or kept back from this client. */
const STEPS_PER_MESSAGE = 20;

/** RetainedDelivery is one subscription's walk through the retained messages. */
export class RetainedDelivery {
  readonly #session: RetainedReader;
  readonly #subscription: Subscription;
  readonly #cursor: RetainedCursor;
  /** Met, but not yet taken by the client. */
  #pending: Message | null = null;

  constructor(session: RetainedReader, subscription: Subscription, cursor: RetainedCursor) {
    this.#session = session;
    this.#subscription = subscription;
    this.#cursor = cursor;
  }

  /** advance spends what is left. 'done' = all sent, 'waiting' = the client must drain or acknowledge first, 'more' = go on in the next turn. */
  advance(broker: WalkEngine, budget: WalkBudget): 'done' | 'waiting' | 'more' {
    const session = this.#session;
    while (budget.left > 0) {
      const message = this.#pending ?? this.#next(budget);
      if (message === null) return this.#cursor.atEnd ? 'done' : 'more';
      this.#pending = null;
      if (this.#isWanted(broker, message) && !this.#send(message)) {
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

  #send(message: Message): boolean {
    const subscription = this.#subscription;
    return this.#session.outgoing.deliverRetained(message, subscription.qosFor(message.qos), subscription.identifiers());
  }

  #isWanted(broker: WalkEngine, message: Message): boolean {
    const session = this.#session;
    if (message.expiresAt !== NEVER && message.expiresAt <= broker.clock.now()) return false; // [MQTT-3.3.2-5]
    if (this.#subscription.noLocal && message.source?.clientId === session.clientId) return false; // [MQTT-3.8.3-3]
    const { source, topic } = message;
    return broker.mayReceive(session, topic.name) && broker.mayStillPublish(source, topic.name);
  }
}
