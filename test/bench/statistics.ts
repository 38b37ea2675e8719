// Median and range of a few rounds: the machine is noisy, and a mean would hide it.

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** spreadOf gives median, least and most of at least one value. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = at(sorted, middle);
  const median = sorted.length % 2 === 1 ? upper : (at(sorted, middle - 1) + upper) / 2;
  return { median, least: at(sorted, 0), most: at(sorted, sorted.length - 1) };
}

function at(values: readonly number[], index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError('Cannot take the median: there are no values');
  return value;
}
