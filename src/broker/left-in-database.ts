// What a load found no room for, by the memory budget: it stays in the database, and is loaded by a later start that has room.

import type { Logger } from '../base/logger.ts';
import type { LoadedSession } from './ports.ts';

/** Clients that are named, those with most first, and the characters of a name that are shown. */
const NAMED = 10;
const NAME_LENGTH = 60;

/** LeftInDatabase counts it while the load goes on. */
export class LeftInDatabase {
  retained = 0;
  #sessions = 0;
  #deliveries = 0;
  readonly #byClient = new Map<string, number>();

  /** addSession takes a session with all that waits for it. */
  addSession({ session, deliveries, left = [] }: LoadedSession): void {
    this.#sessions++;
    this.addDeliveries(session.clientId, deliveries.length + left.length);
  }

  addDeliveries(name: string, count: number): void {
    if (count === 0) return;
    this.#deliveries += count;
    const clientId = name.length <= NAME_LENGTH ? name : Buffer.from(name.slice(0, NAME_LENGTH)).toString(); // else the part keeps the whole alive
    this.#byClient.set(clientId, (this.#byClient.get(clientId) ?? 0) + count);
  }

  /** tell logs it, if there is anything. */
  tell(log: Logger): void {
    if (this.retained + this.#deliveries + this.#sessions === 0) return;
    const sessions = this.#sessions === 0 ? '' : `${this.#sessions} sessions, whose clients are refused, `;
    const what = `${sessions}${this.retained} retained and ${this.#deliveries} queued messages stay in the database and are not served`;
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
