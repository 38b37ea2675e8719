// What waits for one session's client, and what it does not get for want of room: max_queued_messages, max_queued_bytes, memory_limit.

import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Counters } from '../counters.ts';
import type { Account, MemoryBudget } from '../memory-budget.ts';
import { NEVER } from '../message.ts';
import type { BrokerOptions } from '../options.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import { Delivery } from './outgoing-window.ts';

/** QueueLimits are messages and bytes of payload that may wait (0 = any), and seconds that a message does; null = as for all. */
export interface QueueLimits {
  readonly maxMessages: number | null;
  readonly maxBytes: number | null;
  readonly expiry: number | null;
}

/** BacklogEngine is what it needs of the engine. */
export interface BacklogEngine {
  readonly clock: Clock;
  readonly log: Logger;
  readonly options: BrokerOptions;
  readonly counters: Counters;
  readonly budget: MemoryBudget;
}

/** BacklogOwner is the session whose client it is for. */
export interface BacklogOwner {
  readonly clientId: string;
  readonly account: Account;
}

/** Backlog belongs to one session. */
export class Backlog {
  readonly #session: BacklogOwner;
  readonly #broker: BacklogEngine;
  #queue: DeliveryQueue | null = null;
  /** The session's own limits, in the place of the broker's: bridges and other brokers of a cluster have some. */
  limits: QueueLimits | null = null;
  /** Messages that this client did not get for want of room. */
  dropped = 0;
  #isDropping = false;

  constructor(session: BacklogOwner, broker: BacklogEngine) {
    this.#session = session;
    this.#broker = broker;
  }

  get length(): number {
    return this.#queue === null ? 0 : this.#queue.length;
  }

  /** Payload bytes. */
  get bytes(): number {
    return this.#queue === null ? 0 : this.#queue.bytes;
  }

  get isFull(): boolean {
    const maxQueuedMessages = this.limits?.maxMessages ?? this.#broker.options.maxQueuedMessages;
    const maxQueuedBytes = this.limits?.maxBytes ?? this.#broker.options.maxQueuedBytes;
    const queue = this.#queue;
    if (queue === null) return false;
    return (maxQueuedMessages > 0 && queue.length >= maxQueuedMessages) || (maxQueuedBytes > 0 && queue.bytes >= maxQueuedBytes);
  }

  /** at gives what is that far from the head, or null. */
  at(index: number): Delivery | null {
    return this.#queue === null ? null : this.#queue.at(index);
  }

  /** add has a delivery wait, or drops it; the delivery that waits then, or null. */
  add(delivery: Delivery, isOnline: boolean): Delivery | null {
    const waiting = this.#withinExpiry(delivery);
    const { budget } = this.#broker;
    if (this.isFull || !budget.hasRoomFor(waiting, this.#session.account)) {
      this.noteDropped(1);
      return null;
    }
    if (isOnline) waiting.message.detach();
    else waiting.message.keep();
    this.restore(waiting);
    return waiting;
  }

  /** restore has a delivery wait without a look at the limits. */
  restore(delivery: Delivery): void {
    this.#queue ??= new DeliveryQueue();
    this.#queue.push(delivery);
    this.#broker.budget.hold(delivery, this.#session.account);
  }

  /** shift takes the first out. The budget counts it still. */
  shift(): Delivery | null {
    return this.#queue === null ? null : this.#queue.shift();
  }

  /** remove takes out what a rule tells, in order. The budget counts it still. */
  remove(rule: (delivery: Delivery) => boolean): Delivery[] {
    const removed: Delivery[] = [];
    for (let left = this.length; left > 0; left--) {
      const delivery = this.#queue!.shift()!; // left > 0
      if (rule(delivery)) removed.push(delivery);
      else this.#queue!.push(delivery);
    }
    return removed;
  }

  /** clear forgets all. */
  clear(): void {
    this.#queue = null;
  }

  /** isExpired tells whether a message may not be delivered any more [MQTT-3.3.2-5]. */
  isExpired({ message }: Delivery): boolean {
    return message.expiresAt !== NEVER && message.expiresAt <= this.#broker.clock.now();
  }

  /** noteDropped counts messages that this client does not get, and says so once per connection. */
  noteDropped(count: number): void {
    this.#broker.counters.publishDropped += count;
    this.dropped += count;
    if (this.#isDropping) return;
    this.#isDropping = true;
    this.#broker.log.log('notice', `Outgoing messages are being dropped for client ${this.#session.clientId}.`);
  }

  /** attach begins with a new connection. */
  attach(): void {
    this.#isDropping = false;
  }

  /** Where messages of this session expire, what waits is a message of its own: others may have the one that came for longer. */
  #withinExpiry(delivery: Delivery): Delivery {
    const seconds = this.limits?.expiry ?? null;
    if (seconds === null) return delivery;
    const { message, qos, retain, identifiers, group, order } = delivery;
    const own = new Delivery(message.expiringBy(this.#broker.clock.now() + seconds * 1000), qos, retain, identifiers, group);
    own.order = order;
    return own;
  }
}
