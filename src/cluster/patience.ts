// How long a client that waits for CONNACK is kept waiting for brokers that are slow, but there.

import type { Clock } from '../base/clock.ts';
import type { Neighbours } from './neighbours.ts';

/** Milliseconds of one move, for all brokers together. */
const PATIENCE_MS = 15_000;

/** Patience is that of one move, from its beginning on. */
export class Patience {
  readonly #clock: Clock;
  readonly #neighbours: Neighbours;
  readonly #until: number;

  constructor(clock: Clock, neighbours: Neighbours) {
    this.#clock = clock;
    this.#neighbours = neighbours;
    this.#until = clock.monotonic() + PATIENCE_MS;
  }

  /** holdsFor tells whether there is still time, and one of some brokers is still there. */
  holdsFor(brokers: readonly string[]): boolean {
    if (this.#clock.monotonic() >= this.#until) return false;
    const { id } = this.#neighbours;
    const heard = this.#neighbours.heard();
    return brokers.some((broker) => broker === id || heard.includes(broker));
  }
}
