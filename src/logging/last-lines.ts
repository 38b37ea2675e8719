// The last lines of the log in memory, for people who have no access to its files.

import type { LogLine } from '../base/logger.ts';

/** Lines that are kept, each cut to a length that no client can stretch: 512 KB at most. */
const KEPT = 500;
const LENGTH_MAX = 512;

/** LastLines keeps them in a ring. */
export class LastLines {
  readonly #ring: LogLine[] = [];
  #next = 0;

  add(line: LogLine): void {
    const { text } = line;
    this.#ring[this.#next] = text.length <= LENGTH_MAX ? line : { ...line, text: `${text.slice(0, LENGTH_MAX)}...` };
    this.#next = (this.#next + 1) % KEPT;
  }

  /** list gives them, the oldest first. */
  list(): readonly LogLine[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
  }
}
