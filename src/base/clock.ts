// Where time comes from: a port, so that tests turn the hands themselves.

/** Clock tells the time. Both readings are in milliseconds. */
export interface Clock {
  /** now is wall-clock time since 1970-01-01 UTC; it may jump. */
  now(): number;
  /** monotonic never goes back; its zero is arbitrary. */
  monotonic(): number;
}

/** compactTime writes milliseconds since 1970 as a name may hold them: 20260131T235959Z. */
export function compactTime(now: number): string {
  return new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
}

/** systemClock is the machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
