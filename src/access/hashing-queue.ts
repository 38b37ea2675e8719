// Bounds how many slow password checks run and wait, because each takes memory and a libuv thread, and anybody may ask for one.

/** Two argon2id checks hold 92 MB; libuv's four threads keep two for files and names. */
const MAX_RUNNING = 2;

/** Beyond this a login would wait longer than any client does. */
const MAX_WAITING = 1000;

/** HashingQueue runs tasks a few at a time, first come first served. */
export class HashingQueue {
  readonly #waiting: (() => void)[] = [];
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  #running = 0;

  constructor(limits: { readonly maxRunning?: number; readonly maxWaiting?: number } = {}) {
    this.#maxRunning = limits.maxRunning ?? MAX_RUNNING;
    this.#maxWaiting = limits.maxWaiting ?? MAX_WAITING;
  }

  /** run gives the task's result, or null at once when too many wait already. */
  async run<Result>(task: () => Promise<Result>): Promise<Result | null> {
    if (this.#running >= this.#maxRunning) {
      if (this.#waiting.length >= this.#maxWaiting) return null;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running++;
    }
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next(); // hands its place over
    }
  }
}
