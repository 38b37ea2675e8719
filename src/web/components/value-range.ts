// How far the axis of values of a chart goes.

/**
 * valueRange gives its ends for the values that are shown, null = there is none. uPlot's own sight of the data leaves out all but one of the values
 * that came at the very moment of the first or of the last.
 */
export function valueRange(lines: Iterable<Iterable<number | null | undefined>>, isFromZero: boolean): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const values of lines) for (const value of values) if (value != null) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (low > high) return [0, 1];
  return isFromZero ? [Math.min(0, low), high > 0 ? high * 1.1 : 1] : around(low, high);
}

/** Values that do not differ lie in the middle. */
function around(low: number, high: number): [number, number] {
  const spare = (high - low) * 0.15 || Math.abs(high) * 0.1 || 1;
  return [low - spare, high + spare];
}
