// What a load found no room for, by the memory budget: it stays in the database, and is loaded by a later start that has room.

import type { Logger } from '../base/logger.ts';

/** Clients that are named, those with most first. */
const NAMED = 10;

/** LeftInDatabase counts it while the load goes on. */
export class LeftInDatabase {
  retained = 0;
  #deliveries = 0;
  readonly #byClient = new Map<string, number>();

  addDeliveries(clientId: string, count: number): void {
    if (count === 0) return;
    this.#deliveries += count;
    this.#byClient.set(clientId, (this.#byClient.get(clientId) ?? 0) + count);
  }

  /** tell logs it, if there is anything. */
  tell(log: Logger): void {
    if (this.retained + this.#deliveries === 0) return;
    const what = `${this.retained} retained and ${this.#deliveries} queued messages stay in the database and are not served`;
    log.log('warning', `Warning: ${what}: there is no room for them (memory_limit). A start with more room loads them.${this.#clients()}`);
  }

  #clients(): string {
    if (this.#byClient.size === 0) return '';
    const all = [...this.#byClient].sort(([, one], [, other]) => other - one);
    const named = all.slice(0, NAMED).map(([clientId, count]) => `${clientId} ${count}`);
    const more = all.length > NAMED ? `, and ${all.length - NAMED} others` : '';
    return ` Queued for: ${named.join(', ')}${more}.`;
  }
}
