// How long a client that waits for CONNACK is kept waiting for brokers that are slow, but there.

import type { Clock } from '../base/clock.ts';
import type { Neighbours } from './neighbours.ts';

/** Milliseconds of one move, for all brokers together. */
const PATIENCE_MS = 15_000;
/** Milliseconds for which no move waits for a broker that one has waited for in vain: else each of many clients would. */
const AFTERWARDS_MS = 60_000;

/** Patience is that of one broker with the others. Times are monotonic milliseconds. */
export class Patience {
  readonly #clock: Clock;
  readonly #neighbours: Neighbours;
  /** Until when nobody waits for a broker. */
  readonly #exhausted = new Map<string, number>();

  constructor(clock: Clock, neighbours: Neighbours) {
    this.#clock = clock;
    this.#neighbours = neighbours;
  }

  /** begin gives until when a move that begins now may wait. */
  begin(): number {
    return this.#clock.monotonic() + PATIENCE_MS;
  }

  /** holdsFor tells whether there is still time, and one of some brokers is still there. */
  holdsFor(brokers: readonly string[], until: number): boolean {
    const now = this.#clock.monotonic();
    for (const [broker, end] of this.#exhausted) if (end <= now) this.#exhausted.delete(broker);
    const { id } = this.#neighbours;
    const others = this.#neighbours.mayBeThere();
    const there = brokers.filter((broker) => (broker === id || others.includes(broker)) && !this.#exhausted.has(broker));
    if (now < until) return there.length > 0;
    for (const broker of there) this.#exhausted.set(broker, now + AFTERWARDS_MS);
    return false;
  }
}
