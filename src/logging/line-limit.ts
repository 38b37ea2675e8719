// Bounds the lines about clients that come by the thousand under ever new names: each network may have some, and one for each of its first hundred
// names; what is more is counted, and a summary once a minute says how many lines of whom.
//
//   network 10.0.0.7   lines 1 ... 60 are written, then: "From 10.0.0.7: 15324 more lines in 60 s about clients that have not signed in, ..."

import type { LineSource, LogLine } from '../base/logger.ts';
import { laneOf } from '../base/networks.ts';

/** Milliseconds that are looked at together. */
const WINDOW = 60_000;

/** Lines of a network that are written whatever the others do. */
const FREE = 5;

/** Networks that are told apart in a window; all beyond them are one. */
const MAX_NETWORKS = 1000;

/** Names that are counted for a network, and characters of each. */
const MAX_NAMES = 100;
const MAX_NAME = 64;

/** Summaries of single networks in a window; the rest is one line. */
const MAX_SUMMARIES = 20;

export interface LineLimits {
  /** Lines in a window: of one network, and of all together beyond the free ones. */
  readonly ofNetwork: number;
  readonly inAll: number;
  /** Characters of a line. */
  readonly lineLength: number;
  /** Whom the lines are about, for the summary. */
  readonly whom: string;
}

interface Network {
  lines: number;
  hidden: number;
  /** Who has had a line, as far as they are told apart. */
  readonly told: Set<string>;
  /** Whose lines were not written. */
  readonly names: Set<string>;
  /** The last that was not written. */
  last: LogLine | null;
}

/** LineLimit is asked before a line with a source is written; it writes its summaries by `write`. */
export class LineLimit {
  readonly #limits: LineLimits;
  readonly #write: (line: LogLine) => void;
  readonly #now: () => number;
  readonly #networks = new Map<string, Network>();
  #beyond: Network = newNetwork();
  #shared = 0;
  /** When the window began, monotonic milliseconds. */
  #since = 0;
  #timer: NodeJS.Timeout | null = null;

  /** `now` gives monotonic milliseconds. */
  constructor(limits: LineLimits, write: (line: LogLine) => void, now: () => number) {
    this.#limits = limits;
    this.#write = write;
    this.#now = now;
  }

  /** take gives the line as it is to be written now; null = it is counted instead. */
  take(line: LogLine, { address, name }: LineSource): LogLine | null {
    const { ofNetwork, inAll, lineLength } = this.#limits;
    if (this.#timer === null) {
      this.#since = this.#now();
      this.#timer = setTimeout(() => this.flush(), WINDOW).unref();
    }
    const network = this.#networkOf(laneOf(address));
    network.lines++;
    const text = line.text.length > lineLength ? `${line.text.slice(0, lineLength)}...` : line.text;
    const key = Buffer.from(name.slice(0, MAX_NAME)).toString(); // a copy: as a part of the name it would keep the whole alive
    const isNew = name !== '' && network.told.size < MAX_NAMES && !network.told.has(key);
    if (isNew) network.told.add(key);
    if (network.lines <= FREE) return { ...line, text };
    if ((network.lines <= ofNetwork || isNew) && this.#shared < inAll) {
      this.#shared++;
      return { ...line, text };
    }
    network.hidden++;
    network.last = { ...line, text };
    if (name !== '' && network.names.size < MAX_NAMES) network.names.add(key);
    return null;
  }

  /** flush writes the summaries and begins anew. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const hiding = [...this.#networks].filter(([, { hidden }]) => hidden > 0).sort(([, one], [, other]) => other.hidden - one.hidden);
    const beyond = this.#beyond;
    this.#networks.clear();
    this.#beyond = newNetwork();
    this.#shared = 0;
    for (const [name, network] of hiding.slice(0, MAX_SUMMARIES)) this.#summarise(name === '' ? 'this machine' : name, network);
    const rest = hiding.slice(MAX_SUMMARIES).map(([, network]) => network);
    if (beyond.hidden > 0) rest.push(beyond);
    const last = rest.at(-1)?.last ?? null;
    if (last === null) return;
    const hidden = rest.reduce((sum, network) => sum + network.hidden, 0);
    this.#summarise(`other networks (${rest.length} or more)`, { ...newNetwork(), hidden, last });
  }

  #networkOf(name: string): Network {
    const known = this.#networks.get(name);
    if (known !== undefined) return known;
    if (this.#networks.size >= MAX_NETWORKS) return this.#beyond;
    const made = newNetwork();
    this.#networks.set(name, made);
    return made;
  }

  #summarise(from: string, { hidden, names, last }: Network): void {
    if (last === null) return;
    const seconds = Math.max(1, Math.round((this.#now() - this.#since) / 1000));
    const count = names.size === MAX_NAMES ? `${MAX_NAMES} or more` : String(names.size);
    const ofNames = names.size === 0 ? '' : `, of ${count} names`;
    const lines = hidden === 1 ? '1 more line' : `${hidden} more lines`;
    this.#write({ ...last, text: `From ${from}: ${lines} in ${seconds} s about ${this.#limits.whom}${ofNames}. The last: ${last.text}` });
  }
}

function newNetwork(): Network {
  return { lines: 0, hidden: 0, told: new Set(), names: new Set(), last: null };
}
