// The last values of each metric, a slot of time each; a slot is a multiple of the step since 1970.
//
//   slot     ... 7   8   9  10  11     newest = 11
//   index    ... 1   2   3   4   5     slot % length; what is between two values that were put holds NaN

/** Ring has a column for each metric: 4 bytes a value, 7 digits of each. */
export class Ring {
  /** Seconds of a slot. */
  readonly step: number;
  readonly length: number;
  readonly #columns: readonly Float32Array[];
  #newest = -1;

  constructor(step: number, length: number, columns: number) {
    this.step = step;
    this.length = length;
    this.#columns = Array.from({ length: columns }, () => new Float32Array(length).fill(Number.NaN));
  }

  /** newest is the latest slot that may hold something; -1 = none. */
  get newest(): number {
    return this.#newest;
  }

  /** put sets the values of a slot, NaN for what is not known; what is older than the ring is long does nothing. */
  put(slot: number, values: ArrayLike<number>): void {
    this.#advanceTo(slot);
    if (slot <= this.#newest - this.length) return;
    const index = slot % this.length;
    for (const [column, kept] of this.#columns.entries()) kept[index] = values[column] ?? Number.NaN;
  }

  /** setOne sets one value where there is none. */
  setOne(column: number, slot: number, value: number): void {
    this.#advanceTo(slot);
    const kept = this.#columns[column];
    if (kept === undefined || slot <= this.#newest - this.length) return;
    if (Number.isNaN(kept[slot % this.length])) kept[slot % this.length] = value;
  }

  /** forgetAfter empties later slots: the clock was set back. */
  forgetAfter(slot: number): void {
    if (slot >= this.#newest) return;
    const first = Math.max(slot + 1, this.#newest - this.length + 1);
    for (let each = first; each <= this.#newest; each++) this.#empty(each);
    this.#newest = slot;
  }

  /** valuesOf gives a column from a slot on, the oldest first. */
  valuesOf(column: number, from: number): readonly number[] {
    const kept = this.#columns[column];
    if (kept === undefined) return [];
    const values: number[] = [];
    for (let slot = this.#oldestFrom(from); slot <= this.#newest; slot++) values.push(kept[slot % this.length] ?? Number.NaN);
    return values;
  }

  /** firstFrom gives the first slot from there on that holds something, or null. */
  firstFrom(from: number): number | null {
    for (let slot = this.#oldestFrom(from); slot <= this.#newest; slot++)
      if (this.#columns.some((column) => !Number.isNaN(column[slot % this.length]))) return slot;
    return null;
  }

  #oldestFrom(from: number): number {
    return Math.max(from, this.#newest - this.length + 1, 0);
  }

  #advanceTo(slot: number): void {
    if (slot <= this.#newest) return;
    const first = Math.max(this.#newest + 1, slot - this.length + 1);
    for (let each = first; each <= slot; each++) this.#empty(each);
    this.#newest = slot;
  }

  #empty(slot: number): void {
    for (const column of this.#columns) column[slot % this.length] = Number.NaN;
  }
}
