// What the brokers of a cluster count: each asks every other one now and then, and the way there and back is measured by the same question.

import type { Clock } from '../base/clock.ts';

/** Milliseconds between two questions to a broker. */
const ASK_MS = 10_000;
/** More than this is no answer of a broker. */
const MOST_FIGURES = 500;

/** Figures are numbers of one broker by their names in `$SYS/broker/`, such as `clients/connected`. */
export type Figures = Readonly<Record<string, number>>;

/** PeerFigures are what another broker has answered last. */
export interface PeerFigures {
  readonly figures: Figures;
  /** Milliseconds that the question and the answer were under way together. */
  readonly latency: number;
}

export interface FiguresDeps {
  readonly clock: Clock;
  /** own gives the numbers of this broker; cheap. */
  own(): Figures;
  /** ask gives what a broker answers; throws. */
  ask(peer: string): Promise<Buffer>;
}

/** FigureExchange asks when it is told to look. */
export class FigureExchange {
  readonly #deps: FiguresDeps;
  readonly #known = new Map<string, PeerFigures>();
  /** When each was asked last, in monotonic milliseconds. */
  readonly #asked = new Map<string, number>();

  constructor(deps: FiguresDeps) {
    this.#deps = deps;
  }

  /** look asks those whose answer is old, and forgets who is not connected any more. */
  look(connected: readonly string[]): void {
    const there = new Set(connected);
    for (const id of [...this.#asked.keys()]) if (!there.has(id)) this.forget(id);
    const now = this.#deps.clock.monotonic();
    for (const id of connected) {
      const before = this.#asked.get(id);
      if (before !== undefined && now - before < ASK_MS) continue;
      this.#asked.set(id, now);
      void this.#ask(id);
    }
  }

  /** of gives what a broker has answered; null = nothing yet, or it is away. */
  of(id: string): PeerFigures | null {
    return this.#known.get(id) ?? null;
  }

  forget(id: string): void {
    this.#asked.delete(id);
    this.#known.delete(id);
  }

  /** answer is what others get. */
  answer(): Buffer {
    return Buffer.from(JSON.stringify(this.#deps.own()));
  }

  /** totals adds up this broker and the others, as far as they have answered. */
  totals(): Figures {
    return addUp([this.#deps.own(), ...Array.from(this.#known.values(), ({ figures }) => figures)]);
  }

  async #ask(id: string): Promise<void> {
    const { clock, ask } = this.#deps;
    const from = clock.monotonic();
    try {
      const figures = readFigures(await ask(id));
      if (figures !== null && this.#asked.has(id)) this.#known.set(id, { figures, latency: clock.monotonic() - from });
    } catch {
      // no answer is none: the link tells why
    }
  }
}

/** A maximum of several brokers, and the age of one, are no sums. */
const NO_SUM = /maximum|uptime/;

function addUp(all: readonly Figures[]): Figures {
  const sums: Record<string, number> = {};
  for (const figures of all)
    for (const [name, value] of Object.entries(figures)) if (!NO_SUM.test(name)) sums[name] = (sums[name] ?? 0) + value;
  return sums;
}

/** Null for what is none: another version may say more, or less. */
function readFigures(bytes: Buffer): Figures | null {
  try {
    const said: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof said !== 'object' || said === null) return null;
    const figures = Object.entries(said).filter(([name, value]) => isName(name) && Number.isFinite(value));
    return figures.length > MOST_FIGURES ? null : Object.fromEntries(figures);
  } catch {
    return null;
  }
}

/** A part of a topic name that this broker publishes. */
function isName(name: string): boolean {
  return /^[a-z0-9 _/-]{1,100}$/.test(name) && !name.startsWith('/');
}
