// Bounds how many slow password checks run and wait, because each takes memory and a libuv thread, and anybody may ask for one.
// Those who wait stand in lanes, one per address, and each lane has its turn: whoever sends a thousand logins waits for himself.

import { availableParallelism } from 'node:os';

/** Two argon2id checks hold 92 MB; libuv's four threads keep two for files and names. One core stays free for everybody who is in already. */
const MAX_RUNNING = 2;

/** Beyond this a login would wait longer than any client does. */
const MAX_WAITING = 1000;

/** Called with true when it is this task's turn, with false when it was pushed out. */
type Waiter = (hasTurn: boolean) => void;

/** HashingQueue runs tasks a few at a time, the lanes in turn, first come first served in each. */
export class HashingQueue {
  /** In the order of their turns; none is empty. */
  readonly #lanes = new Map<string, Waiter[]>();
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  #running = 0;
  #waiting = 0;

  constructor(limits: { readonly maxRunning?: number; readonly maxWaiting?: number } = {}) {
    this.#maxRunning = limits.maxRunning ?? Math.max(1, Math.min(MAX_RUNNING, availableParallelism() - 1));
    this.#maxWaiting = limits.maxWaiting ?? MAX_WAITING;
  }

  /** run gives the task's result, or null without running it when too many wait: then the last of the longest lane has to go. */
  async run<Result>(lane: string, task: () => Promise<Result>): Promise<Result | null> {
    if (this.#running < this.#maxRunning) this.#running++;
    else if (!(await this.#turn(lane))) return null;
    try {
      return await task();
    } finally {
      this.#handOver();
    }
  }

  #turn(lane: string): Promise<boolean> {
    if (this.#waiting >= this.#maxWaiting && !this.#makeRoom(lane)) return Promise.resolve(false);
    return new Promise((resolve) => {
      const waiters = this.#lanes.get(lane);
      if (waiters === undefined) this.#lanes.set(lane, [resolve]);
      else waiters.push(resolve);
      this.#waiting++;
    });
  }

  /** makeRoom pushes out the last of the longest lane, unless that would be the one who asks. */
  #makeRoom(lane: string): boolean {
    let longest: Waiter[] = [];
    for (const waiters of this.#lanes.values()) if (waiters.length > longest.length) longest = waiters;
    if (longest.length <= (this.#lanes.get(lane)?.length ?? 0) + 1) return false;
    longest.pop()?.(false); // at least one stays: longest has two or more
    this.#waiting--;
    return true;
  }

  /** handOver gives the place of a finished task to the next lane. */
  #handOver(): void {
    const [next] = this.#lanes;
    if (next === undefined) {
      this.#running--;
      return;
    }
    const [lane, waiters] = next;
    this.#lanes.delete(lane);
    const waiter = waiters.shift();
    if (waiters.length > 0) this.#lanes.set(lane, waiters);
    this.#waiting--;
    waiter?.(true);
  }
}
