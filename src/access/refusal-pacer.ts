// Spreads the refusals that cost nothing to make: who guesses with a hundred connections at once would else fill a core with them.

import type { Clock } from '../base/clock.ts';

/** Milliseconds between two answers. */
const INTERVAL = 1;
/** Nobody waits longer, so not more than this many wait for long. */
const LONGEST = 1000;

/** RefusalPacer lets through one answer a millisecond, in the order of asking; one that comes alone goes at once. */
export class RefusalPacer {
  readonly #clock: Clock;
  /** When the next may go, in monotonic milliseconds. */
  #next = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** turn resolves when it is the caller's turn. */
  async turn(): Promise<void> {
    const now = this.#clock.monotonic();
    const at = Math.min(Math.max(now, this.#next), now + LONGEST);
    this.#next = at + INTERVAL;
    if (at > now) await new Promise((resolve) => setTimeout(resolve, at - now));
  }
}
