// Where time comes from: a port, so that tests turn the hands themselves.

/** Clock tells the time. Both readings are in milliseconds. */
export interface Clock {
  /** now is wall-clock time since 1970-01-01 UTC; it may jump. */
  now(): number;
  /** monotonic never goes back; its zero is arbitrary. */
  monotonic(): number;
}

/** systemClock is the machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
