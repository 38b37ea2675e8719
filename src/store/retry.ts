// Trouble with the card, and when a commit is tried again: a full disk each second, other trouble twice as long each time.

import type { Durability } from '../broker/ports.ts';

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;

/** Trouble is how a commit ended that is to be tried again. */
export type Trouble = Exclude<Durability, 'durable'>;

/** Retry has one timer, which runs while there is trouble. */
export class Retry {
  readonly #again: () => void;
  #trouble: Trouble | null;
  #after: number;
  #timer: NodeJS.Timeout | null;
  #isStopped: boolean;

  constructor(again: () => void) {
    this.#again = again;
    this.#trouble = null;
    this.#after = FIRST_RETRY_MS;
    this.#timer = null;
    this.#isStopped = false;
  }

  /** trouble is null while all is well. */
  get trouble(): Trouble | null {
    return this.#trouble;
  }

  enter(trouble: Trouble): void {
    this.#trouble = trouble;
    if (this.#isStopped) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#again();
    }, this.#after);
    this.#after = trouble === 'full' ? FIRST_RETRY_MS : Math.min(this.#after * 2, LAST_RETRY_MS);
  }

  leave(): void {
    this.#trouble = null;
    this.#after = FIRST_RETRY_MS;
  }

  /** stop tries no more; the trouble stays. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer ?? undefined);
  }
}
