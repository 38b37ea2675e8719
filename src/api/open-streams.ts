// The answers without an end that are open now: bounded, so that they do not fill the memory, and nobody keeps all others from having one.

import type { EventStream } from './event-stream.ts';
import { Problem } from './problems.ts';

/** Streams at once, of all and of one account or token; a megabyte of waiting events each at most. */
const MOST = 32;
const MOST_OF_ONE = 24;

/** OpenStreams are those of one API. */
export class OpenStreams {
  /** With whose each is. */
  readonly #streams = new Map<EventStream, string>();

  /** open gives the one that `make` makes, which tells when it is closed. Throws Problem 503 where there are too many. */
  open(who: string, make: (closed: () => void) => EventStream): EventStream {
    const own = [...this.#streams.values()].filter((each) => each === who).length;
    if (own >= MOST_OF_ONE) throw new Problem(503, `There are ${MOST_OF_ONE} streams of yours already`);
    if (this.#streams.size >= MOST) throw new Problem(503, `There are ${MOST} streams already`);
    const stream = make(() => this.#streams.delete(stream));
    this.#streams.set(stream, who);
    return stream;
  }

  end(): void {
    for (const stream of [...this.#streams.keys()]) stream.end();
  }
}
