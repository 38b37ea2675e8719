// What the log is told when the memory for clients is used up, and when there is room again.

import type { Logger } from '../base/logger.ts';
import type { BudgetWatcher, MemoryBudget } from './memory-budget.ts';

const MEGABYTE = 1_000_000;

/** KeptForClients is what the report looks through. */
export interface KeptForClients {
  readonly log: Logger;
  readonly retained: { readonly count: number; readonly bytes: number };
  readonly sessions: Iterable<{ readonly clientId: string; readonly outgoing: { readonly keptBytes: number } }> & {
    readonly count: number;
  };
}

/** BudgetReport names what takes most, once each time that the limit is reached. */
export class BudgetReport implements BudgetWatcher {
  readonly #broker: KeptForClients;

  constructor(broker: KeptForClients) {
    this.#broker = broker;
  }

  full({ kept, limit, largest: account }: MemoryBudget): void {
    const { retained, sessions, log } = this.#broker;
    let [largest, bytes] = ['', -1];
    for (const { clientId, outgoing } of sessions) {
      if (outgoing.keptBytes <= bytes) continue;
      bytes = outgoing.keptBytes;
      largest = clientId;
    }
    const queues = bytes > 0 ? `; most waits for client ${largest} (${inMegabytes(bytes)})` : '';
    const holder =
      account === null
        ? ''
        : ` Most is kept for ${account.name === '' ? 'clients without an account' : `user "${account.name}"`} (${inMegabytes(account.bytes)}).`;
    log.log(
      'warning',
      `Warning: ${inMegabytes(kept)} are kept for clients, and memory_limit is ${inMegabytes(limit)}: new sessions, queued and retained messages are refused, but for users who have less than their share in the last tenth. ` +
        `There are ${sessions.count} sessions, ${retained.count} retained messages (${inMegabytes(retained.bytes)})${queues}.${holder}`,
    );
  }

  recovered({ kept }: MemoryBudget): void {
    this.#broker.log.log('notice', `There is room for clients again: ${inMegabytes(kept)} are kept.`);
  }
}

function inMegabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(1)} MB`;
}
