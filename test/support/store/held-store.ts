// A store whose commits a test ends by hand.

import type { Durability } from '../../../src/broker/ports.ts';
import { MemoryStore } from '../../store/memory-store.ts';

/** HeldStore is what is left when the power goes. */
export class HeldStore extends MemoryStore {
  #waiting: ((outcome: Durability) => void)[] = [];
  /** While it does not hold, every commit ends at once. */
  holds = false;

  override whenDurable(callback: (outcome: Durability) => void): void {
    if (this.holds) this.#waiting.push(callback);
    else callback('durable');
  }

  /** commit answers those who wait. */
  commit(outcome: Durability = 'durable'): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback(outcome);
  }
}
