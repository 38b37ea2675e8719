// Says in the log that connections were closed to make room: the first at once, those after it together once a minute.

import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';

/** What was closed is said once in this time. */
const WINDOW_MS = 60_000;

/** Networks that are counted apart in a window, some 100 bytes each. */
const MAX_NETWORKS = 4096;

/** EvictionReport counts the connections that were closed for one reason. */
export class EvictionReport {
  readonly #reason: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** By network; null = nothing was closed lately. */
  #counts: Map<string, number> | null = null;
  #total = 0;
  #since = 0;

  /** `reason` is a clause, as `too many connections have not signed in`. */
  constructor(reason: string, { clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#reason = reason;
    this.#clock = clock;
    this.#log = log;
  }

  /** closed counts a connection of a network. */
  closed(network: string): void {
    if (this.#counts === null) {
      this.#counts = new Map();
      this.#since = this.#clock.monotonic();
      this.#log.log('warning', `Warning: closed a connection from ${network}: ${this.#reason}.`);
      setTimeout(() => this.#sayRest(), WINDOW_MS).unref();
      return;
    }
    this.#total++;
    const before = this.#counts.get(network) ?? 0;
    if (before > 0 || this.#counts.size < MAX_NETWORKS) this.#counts.set(network, before + 1);
  }

  #sayRest(): void {
    const [total, counts] = [this.#total, this.#counts ?? []];
    this.#counts = null;
    this.#total = 0;
    if (total === 0) return;
    const [most = ['', 0]] = [...counts].sort(([, one], [, other]) => other - one);
    const seconds = Math.round((this.#clock.monotonic() - this.#since) / 1000);
    this.#log.log(
      'warning',
      `Warning: closed ${total} more connections in ${seconds} s, ${most[1]} of them from ${most[0]}: ${this.#reason}.`,
    );
  }
}
