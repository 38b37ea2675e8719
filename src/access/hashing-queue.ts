// Bounds how many slow password checks run and wait, because each takes memory and a libuv thread, and anybody may ask for one.
// Those who wait stand in lanes, one per network, and each lane has its turn: whoever sends a thousand logins waits for himself. Clients that
// have signed in from there before go first, and are never pushed out by others: thousands of strangers do not keep the household waiting.

import { availableParallelism } from 'node:os';

/** Two argon2id checks hold 92 MB; libuv's four threads keep two for files and names. One core stays free for everybody who is in already. */
const MAX_RUNNING = 2;

/** Beyond this a login would wait longer than any client does. */
const MAX_WAITING = 1000;

/** Called with true when it is this task's turn, with false when it was pushed out. */
type Waiter = (hasTurn: boolean) => void;

/** Lanes by name, in the order of their turns; none is empty. */
type Lanes = Map<string, Waiter[]>;

/** HashingQueue runs tasks a few at a time, the lanes in turn, first come first served in each. */
export class HashingQueue {
  readonly #known: Lanes = new Map();
  readonly #strangers: Lanes = new Map();
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  #running = 0;
  #waiting = 0;

  constructor(limits: { readonly maxRunning?: number; readonly maxWaiting?: number } = {}) {
    this.#maxRunning = limits.maxRunning ?? Math.max(1, Math.min(MAX_RUNNING, availableParallelism() - 1));
    this.#maxWaiting = limits.maxWaiting ?? MAX_WAITING;
  }

  /** run gives the task's result, or null without running it when too many wait: then the last of the longest lane has to go. */
  async run<Result>({ lane, isKnown }: Place, task: () => Promise<Result>): Promise<Result | null> {
    if (this.#running < this.#maxRunning) this.#running++;
    else if (!(await this.#turn(isKnown ? this.#known : this.#strangers, lane))) return null;
    try {
      return await task();
    } finally {
      this.#handOver();
    }
  }

  #turn(lanes: Lanes, lane: string): Promise<boolean> {
    if (this.#waiting >= this.#maxWaiting && !this.#makeRoom(lanes, lane)) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiters = lanes.get(lane);
      if (waiters === undefined) lanes.set(lane, [resolve]);
      else waiters.push(resolve);
      this.#waiting++;
    });
  }

  /** makeRoom pushes out the last of the longest lane, unless that would be the one who asks; for who is known a stranger goes. */
  #makeRoom(lanes: Lanes, lane: string): boolean {
    const takesStranger = lanes === this.#known && this.#strangers.size > 0;
    const [name, longest] = longestOf(takesStranger ? this.#strangers : lanes);
    if (!takesStranger && longest.length <= (lanes.get(lane)?.length ?? 0) + 1) return false;
    longest.pop()?.(false);
    if (longest.length === 0) this.#strangers.delete(name);
    this.#waiting--;
    return true;
  }

  /** handOver gives the place of a finished task to the next lane. */
  #handOver(): void {
    const lanes = this.#known.size > 0 ? this.#known : this.#strangers;
    const [next] = lanes;
    if (next === undefined) {
      this.#running--;
      return;
    }
    const [lane, waiters] = next;
    lanes.delete(lane);
    const waiter = waiters.shift();
    if (waiters.length > 0) lanes.set(lane, waiters);
    this.#waiting--;
    waiter?.(true);
  }
}

/** Place says where a task waits: in the lane of a network, among clients that have signed in from there before or among strangers. */
interface Place {
  readonly lane: string;
  readonly isKnown: boolean;
}

function longestOf(lanes: Lanes): [string, Waiter[]] {
  let longest: [string, Waiter[]] = ['', []];
  for (const entry of lanes) if (entry[1].length > longest[1].length) longest = entry;
  return longest;
}
