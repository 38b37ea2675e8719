// Since when the oldest of the messages waits that are not acknowledged by the other broker. Messages do not know when they came; they have
// an order. So it is noted now and then how far that had come:
//
//   at       10:00:00   10:00:01   10:00:04          oldest of all is 170: it came before 10:00:01
//   newest        120        180        181

/** Notes that are kept; of more, every second one goes. */
const NOTES_MAX = 1000;

/** Waiting is what a session has for its client, or less: how the deliveries are numbered that are queued or in flight. */
export interface Waiting {
  /** Null = nothing waits. */
  readonly oldestOrder: number | null;
  readonly newestOrder: number;
}

/** QueueAge belongs to one bridge. Times are milliseconds since 1970. */
export class QueueAge {
  #notes: { readonly newest: number; readonly at: number }[] = [];

  /** note is called now and then, and at the start with the time when the session was left before. */
  note({ oldestOrder, newestOrder }: Waiting, at: number): void {
    this.#notes = oldestOrder === null ? [] : this.#notes.filter(({ newest }) => newest >= oldestOrder);
    if (oldestOrder !== null && this.#notes.at(-1)?.newest !== newestOrder) this.#notes.push({ newest: newestOrder, at });
    if (this.#notes.length > NOTES_MAX) this.#notes = this.#notes.filter((_, index) => index % 2 === 0);
  }

  /** oldest is when the first came of those that wait, to the second; null = nothing waits. */
  oldest({ oldestOrder }: Waiting, now: number): number | null {
    if (oldestOrder === null) return null;
    return this.#notes.find(({ newest }) => newest >= oldestOrder)?.at ?? now;
  }
}
