// What the log is told when the memory for clients is used up, and when there is room again.

import type { Broker } from './broker.ts';
import type { BudgetWatcher, MemoryBudget } from './memory-budget.ts';

const MEGABYTE = 1_000_000;

/** BudgetReport names what takes most, once each time that the limit is reached. */
export class BudgetReport implements BudgetWatcher {
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  full({ kept, limit }: MemoryBudget): void {
    const { retained, sessions, log } = this.#broker;
    let [largest, bytes] = ['', -1];
    for (const { clientId, outgoing } of sessions) {
      if (outgoing.keptBytes <= bytes) continue;
      bytes = outgoing.keptBytes;
      largest = clientId;
    }
    const queues = bytes > 0 ? `; most waits for client ${largest} (${inMegabytes(bytes)})` : '';
    log.log(
      'warning',
      `Warning: ${inMegabytes(kept)} are kept for clients, and memory_limit is ${inMegabytes(limit)}: new sessions, queued and retained messages are refused. ` +
        `There are ${sessions.count} sessions, ${retained.count} retained messages (${inMegabytes(retained.bytes)})${queues}.`,
    );
  }

  recovered({ kept }: MemoryBudget): void {
    this.#broker.log.log('notice', `There is room for clients again: ${inMegabytes(kept)} are kept.`);
  }
}

function inMegabytes(bytes: number): string {
  return `${(bytes / MEGABYTE).toFixed(1)} MB`;
}
