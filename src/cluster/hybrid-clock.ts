// A clock by which brokers agree what was later, though their own clocks differ: none of them gives a time before one that it has heard of.
// Hybrid logical clocks, Kulkarni and others 2014, with the logical part in the milliseconds.

import type { Clock } from '../base/clock.ts';

/** HybridClock gives milliseconds since 1970, each once. */
export class HybridClock {
  readonly #clock: Pick<Clock, 'now'>;
  #last = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** next gives a time that is later than all before it, and than all that were heard. */
  next(): number {
    this.#last = Math.max(this.#last + 1, Math.trunc(this.#clock.now()));
    return this.#last;
  }

  /** heard is told of another broker's time. */
  heard(time: number): void {
    if (time > this.#last) this.#last = time;
  }
}
