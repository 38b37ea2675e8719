// Messages that wait for one session: first in, first out, in a ring that grows.
//
//      head            tail
//   [ . d d d d d d d d . . . ]      shift() takes at head, push() adds at tail

import type { Delivery } from './outgoing-window.ts';

const CAPACITY_MIN = 16;

/** DeliveryQueue is a ring of deliveries. Its limits are the session's. */
export class DeliveryQueue {
  length = 0;
  /** Payload bytes waiting. */
  bytes = 0;
  #ring: (Delivery | null)[] = new Array(CAPACITY_MIN).fill(null);
  #head = 0;

  push(delivery: Delivery): void {
    if (this.length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.length) & (this.#ring.length - 1)] = delivery;
    this.length++;
    this.bytes += delivery.message.payloadLength;
  }

  /** at gives what is that far from the head, or null. */
  at(index: number): Delivery | null {
    return index < this.length ? this.#ring[(this.#head + index) & (this.#ring.length - 1)]! : null; // index < length
  }

  shift(): Delivery | null {
    const delivery = this.at(0);
    if (delivery === null) return null;
    this.#ring[this.#head] = null;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.length--;
    this.bytes -= delivery.message.payloadLength;
    return delivery;
  }

  #grow(): void {
    const old = this.#ring;
    const mask = old.length - 1;
    const ring = new Array(old.length * 2).fill(null);
    for (let index = 0; index < this.length; index++) ring[index] = old[(this.#head + index) & mask]!;
    this.#ring = ring;
    this.#head = 0;
  }
}
