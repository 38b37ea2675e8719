// What the broker keeps for clients, in bytes, against one limit: sessions, subscriptions, wills, queued and retained messages; and what
// clients have not read yet, against a part of it.
//
//   kept      counted when something is kept and when it goes; at the limit new things are refused, what is there stays and goes on
//   outgoing  counted per connection; beyond its part of the limit the connection that has most unread is closed
//
// The numbers of bytes per object are measured (test/broker/memory-budget.test.ts), not those of the standard.

import type { Delivery } from './outgoing-window.ts';

/** SESSION_BYTES is a session without anything in it, and its place in the registry. */
export const SESSION_BYTES = 2600;
/** SUBSCRIPTION_BYTES is a subscription and its node, beside the text of its filter. */
export const SUBSCRIPTION_BYTES = 600;
/** RETAINED_BYTES is a retained message beside its topic and payload. */
export const RETAINED_BYTES = 320;
const DELIVERY_BYTES = 110;
const MESSAGE_BYTES = 500;

/** The part of the limit that clients may leave unread. */
const OUTGOING_PART = 0.25;
/** Below this part of the limit it is over: not each message that comes and goes is told. */
const RECOVERED_PART = 0.9;

/** BudgetWatcher hears when the limit is reached and when there is room again. */
export interface BudgetWatcher {
  full(budget: MemoryBudget): void;
  recovered(budget: MemoryBudget): void;
}

/** MemoryBudget belongs to one broker. */
export class MemoryBudget {
  /** Bytes; 0 = no limit. */
  limit: number;
  kept = 0;
  outgoing = 0;
  /** Things that were not kept for want of room. */
  refused = 0;
  readonly #watcher: BudgetWatcher;
  #isFull = false;

  constructor(limit: number, watcher: BudgetWatcher) {
    this.limit = limit;
    this.#watcher = watcher;
  }

  /** isFull tells that something was refused and there is no room yet. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** hasRoom tells whether so many more bytes may be kept; no is counted and told. */
  hasRoom(bytes: number): boolean {
    if (this.limit === 0 || this.kept + bytes <= this.limit) return true;
    this.refused++;
    if (!this.#isFull) {
      this.#isFull = true;
      this.#watcher.full(this);
    }
    return false;
  }

  /** add counts bytes that are kept now, or, negative, that are gone. */
  add(bytes: number): void {
    this.kept += bytes;
    if (!this.#isFull || (this.limit > 0 && this.kept > this.limit * RECOVERED_PART)) return;
    this.#isFull = false;
    this.#watcher.recovered(this);
  }

  /** isOverflowing tells that clients have left too much unread. */
  get isOverflowing(): boolean {
    return this.limit > 0 && this.outgoing > this.limit * OUTGOING_PART;
  }

  /** hold counts a delivery that waits, and its message once however many wait for it. */
  hold(delivery: Delivery): void {
    if (delivery.isHeld) return;
    delivery.isHeld = true;
    this.add(DELIVERY_BYTES + (delivery.message.holders++ === 0 ? messageBytes(delivery) : 0));
  }

  /** release is told of each delivery that is over. */
  release(delivery: Delivery): void {
    if (!delivery.isHeld) return;
    delivery.isHeld = false;
    this.add(-DELIVERY_BYTES - (--delivery.message.holders === 0 ? messageBytes(delivery) : 0));
  }

  /** hasRoomFor tells whether a delivery may wait. */
  hasRoomFor(delivery: Delivery): boolean {
    return this.hasRoom(DELIVERY_BYTES + (delivery.message.holders === 0 ? messageBytes(delivery) : 0));
  }
}

function messageBytes({ message }: Delivery): number {
  return MESSAGE_BYTES + message.payloadLength + message.properties.length;
}
