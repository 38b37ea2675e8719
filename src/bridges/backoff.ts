// How long a bridge waits before it tries again.
//
//   restart_timeout SECONDS             always so long
//   restart_timeout BASE CAP [STABLE]   a random time up to BASE, then up to twice that, ... up to CAP ("full jitter": many bridges that
//                                       have lost one broker do not come back at once); from BASE again after STABLE seconds connected

/** Milliseconds that it waits at least, whatever chance says. */
const LEAST_MS = 250;

/** BackoffOptions are in seconds; `base` and `cap` are equal where the time is constant. */
export interface BackoffOptions {
  readonly base: number;
  readonly cap: number;
  readonly stable: number;
}

/** Backoff belongs to one bridge. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #failures = 0;

  /** `random` gives numbers from 0 to 1. */
  constructor(options: BackoffOptions, random: () => number = Math.random) {
    this.#options = options;
    this.#random = random;
  }

  /** next gives the milliseconds to wait now; `connectedMs` is how long the connection before lasted, 0 = there was none. */
  next(connectedMs: number): number {
    const { base, cap, stable } = this.#options;
    if (base === cap) return base * 1000;
    if (connectedMs > 0 && connectedMs >= stable * 1000) this.#failures = 0;
    const ceiling = Math.min(cap, base * 2 ** Math.min(this.#failures++, 20)) * 1000;
    return Math.max(LEAST_MS, Math.round(this.#random() * ceiling));
  }
}
