// Folds lines that come again and again: the first few are written, the others counted and told once a minute.
//
//   Client x [10.0.0.1:5001] disconnected.   \
//   Client x [10.0.0.1:5002] disconnected.    > the same line but for the port: after FREE of them in a minute
//   ...                                      /  "Client x [10.0.0.1:5122] disconnected. (repeated 115 times in 60 s)"

import type { LogLine, LogType } from '../base/logger.ts';

/** Milliseconds that are looked at together. */
const WINDOW = 60_000;

/** Lines of one kind that are written in a window. */
const FREE = 5;

/** Kinds that are told apart at once, some 300 bytes each; what comes beyond them is written as it is. */
const MAX_KINDS = 1000;

/** The others are logged only where somebody asks for each of them. */
const FOLDED: ReadonlySet<LogType> = new Set(['error', 'warning', 'notice', 'information']);

interface Kind {
  /** When its window began, monotonic milliseconds. */
  readonly since: number;
  count: number;
  /** The last that was not written. */
  held: LogLine | null;
}

/** RepeatedLines is asked before a line is written; it writes what it held back by `write`. */
export class RepeatedLines {
  readonly #write: (line: LogLine) => void;
  readonly #now: () => number;
  readonly #kinds = new Map<string, Kind>();
  #timer: NodeJS.Timeout | null = null;

  /** `now` gives monotonic milliseconds. */
  constructor(write: (line: LogLine) => void, now: () => number) {
    this.#write = write;
    this.#now = now;
  }

  /** take tells whether a line is to be written now; if not, it is counted. */
  take(line: LogLine): boolean {
    if (!FOLDED.has(line.type)) return true;
    const key = kindOf(line.text);
    const known = this.#kinds.get(key);
    if (known === undefined || this.#now() - known.since >= WINDOW) {
      if (known !== undefined) this.#settle(key, known);
      if (this.#kinds.size < MAX_KINDS) this.#kinds.set(key, { since: this.#now(), count: 1, held: null });
      this.#timer ??= setTimeout(() => this.#sweep(), WINDOW).unref();
      return true;
    }
    known.count++;
    if (known.count <= FREE) return true;
    known.held = line;
    return false;
  }

  /** flush writes what is held back, at the end or before the destinations change. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const [key, kind] of this.#kinds) this.#settle(key, kind);
  }

  #sweep(): void {
    this.#timer = null;
    const now = this.#now();
    for (const [key, kind] of this.#kinds) if (now - kind.since >= WINDOW) this.#settle(key, kind);
    if (this.#kinds.size > 0) this.#timer = setTimeout(() => this.#sweep(), WINDOW).unref();
  }

  #settle(key: string, { since, count, held }: Kind): void {
    this.#kinds.delete(key);
    if (held === null) return;
    const seconds = Math.max(1, Math.round(Math.min(this.#now() - since, WINDOW) / 1000));
    const times = count - FREE;
    const text = times === 1 ? held.text : `${held.text} (repeated ${times} times in ${seconds} s)`;
    this.#write({ ...held, text });
  }
}

/** Places of a line where our own words stand around a remote port, or around an id that was made for a client without one. Nothing else is left out: a client may call itself `sensor:1`, or by a UUID. */
const DIFFERING: readonly RegExp[] = [
  /(?<=^(?:New \w+(?: connected)?|Client) from \S+):\d+(?= (?!\[))/,
  /(?<=^Client .* \[\S+):\d+(?=\] disconnected(?!.*\] disconnected))/,
  /(?<=^Client auto-|^New \w+ connected from \S+ as auto-)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?= [[(])/,
];

/** The line without what differs each time. */
function kindOf(text: string): string {
  return DIFFERING.reduce((kind, pattern) => kind.replace(pattern, ''), text);
}
