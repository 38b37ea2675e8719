// How much was written in the last hour and day: what tells the wear of a card.

const MINUTES = 24 * 60;
const MINUTE_MS = 60_000;

/** WriteMeter keeps a sum per minute of the last day. */
export class WriteMeter {
  readonly #sums: Float64Array;
  #minute: number;

  constructor() {
    this.#sums = new Float64Array(MINUTES);
    this.#minute = 0;
  }

  /** add counts bytes at a monotonic time in milliseconds. */
  add(bytes: number, monotonic: number): void {
    this.#turn(monotonic);
    this.#sums[this.#minute % MINUTES]! += bytes;
  }

  /** sum gives the bytes of the last `minutes`, 1440 at most, the current one included. */
  sum(minutes: number, monotonic: number): number {
    this.#turn(monotonic);
    let total = 0;
    for (let back = 0; back < minutes; back++) total += this.#sums[(this.#minute + MINUTES - back) % MINUTES] ?? 0;
    return total;
  }

  #turn(monotonic: number): void {
    const minute = Math.floor(monotonic / MINUTE_MS);
    if (minute - this.#minute >= MINUTES) this.#sums.fill(0);
    else for (let at = this.#minute + 1; at <= minute; at++) this.#sums[at % MINUTES] = 0;
    this.#minute = Math.max(this.#minute, minute);
  }
}
