// A clock whose hands the test turns, together with the timers of the process.

import type { Clock } from '../../../src/base/clock.ts';

/** TestClock starts at a fixed day and stands still. */
export class TestClock implements Clock {
  #now = Date.UTC(2026, 0, 1);

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  /** advance turns the hands by milliseconds. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
