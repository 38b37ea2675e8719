// Latencies in buckets, 32 per power of two: values are kept to 3 %.

const BUCKETS = 64 * 32;

/** Histogram takes nanoseconds and gives microseconds. */
export class Histogram {
  readonly #counts: Float64Array;
  #total: number;
  #largest: number;

  constructor() {
    this.#counts = new Float64Array(BUCKETS);
    this.#total = 0;
    this.#largest = 0;
  }

  add(nanoseconds: number): void {
    const bucket = bucketOf(nanoseconds);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total++;
    if (nanoseconds > this.#largest) this.#largest = nanoseconds;
  }

  /** percentile gives the value below which `part` (0 to 1) of all lie; 0 when there are none. */
  percentile(part: number): number {
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen > 0 && seen >= this.#total * part) return middleOf(bucket) / 1000;
    }
    return 0;
  }

  /** largest is the largest value in microseconds. */
  get largest(): number {
    return this.#largest / 1000;
  }
}

function bucketOf(value: number): number {
  if (value < 32) return Math.max(0, Math.floor(value));
  const power = Math.floor(Math.log2(value));
  return (power - 4) * 32 + Math.min(31, Math.floor(value / 2 ** (power - 5)) - 32);
}

function middleOf(bucket: number): number {
  if (bucket < 32) return bucket;
  return (32 + (bucket % 32) + 0.5) * 2 ** (Math.floor(bucket / 32) - 1);
}
