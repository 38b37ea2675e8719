// Turns of the event loop shared fairly: a connection whose packets make much work waits for the next turn, and others are read meanwhile.
//
//   turn   | chunk of A: work ... SHARE is spent |  rest of A, at most SHARE  |  rest of A ...
//          | chunk of B                          |  chunk of B                |
//
// Work is counted, not timed: one unit is about what one delivery costs, a microsecond or less.

import { levelsOf } from '../session/subscription-counts.ts';

/** SHARE is what one connection's chunk may cost in a turn, and all together that wait. Fan-out to thousands takes a turn for every message or two. */
const SHARE = 1500;

/** LATE_SHARE is that of a chunk which comes when others have spent a share in the same turn: who asks for little has it all the same. */
const LATE_SHARE = 300;

/** BYTES_SHIFT: sending 2 ** 10 bytes to somebody, through two copies and the system, costs about as much as one delivery. */
export const BYTES_SHIFT = 10;

/** SLICE is what one packet may cost in a turn. */
const SLICE = 1000;
/** A filter that is subscribed to, or not any more, costs about as much as 2 deliveries, and one for each of its levels. */
const FILTER_EFFORT = 2;

/** eachFilter works through a list of filters in slices: it gives a step for each turn, which tells whether all is done; `end` is called then. */
export function eachFilter(effort: Effort, count: number, work: (at: number) => string, end: () => void): () => boolean {
  let next = 0;
  return () => {
    const limit = effort.spent + SLICE;
    while (next < count && effort.spent < limit) effort.spent += FILTER_EFFORT + levelsOf(work(next++));
    if (next < count) return false;
    end();
    return true;
  };
}

/** Effort is the work of one turn, of all connections: deliveries, and what costs as much. */
export class Effort {
  spent = 0;

  /** limit is where a chunk that comes now has to let others go first. */
  get limit(): number {
    return this.spent + (this.isShareSpent ? LATE_SHARE : SHARE);
  }

  /** isShareSpent tells that this turn has done as much as one client may ask for. */
  get isShareSpent(): boolean {
    return this.spent >= SHARE;
  }
}

/** Waiting is somebody who has work left for another turn. */
export interface Waiting {
  goOn(): void;
}

/** FairTurns holds the connections that wait, the longest first. */
export class FairTurns {
  readonly #effort: Effort;
  #waiting: Waiting[] = [];

  constructor(effort: Effort) {
    this.#effort = effort;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** wait puts a connection at the end. */
  wait(connection: Waiting): void {
    this.#waiting.push(connection);
  }

  /** begin starts a turn: those that wait go on until a share is spent by all of them together. */
  begin(): void {
    const effort = this.#effort;
    effort.spent = 0;
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    let next = 0;
    while (next < waiting.length && effort.spent < SHARE) waiting[next++]!.goOn(); // next < length
    if (next < waiting.length) this.#waiting = waiting.slice(next).concat(this.#waiting);
  }
}
