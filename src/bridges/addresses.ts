// Which address of a bridge is tried next.
//
//   round_robin false   the first is the main one: it is tried first each time, and gone back to when it answers again
//   round_robin true    the next one after that which was used last

import type { BridgeAddress } from './options.ts';

/** Addresses belongs to one bridge. */
export class Addresses {
  readonly #all: readonly BridgeAddress[];
  readonly #isRoundRobin: boolean;
  #next = 0;
  #inUse: BridgeAddress | null = null;

  /** `all` has one at least. */
  constructor(all: readonly BridgeAddress[], isRoundRobin: boolean) {
    this.#all = all;
    this.#isRoundRobin = isRoundRobin;
  }

  /** round gives each address once, in the order in which they are to be tried. */
  round(): readonly BridgeAddress[] {
    const at = this.#isRoundRobin ? this.#next : 0;
    return [...this.#all.slice(at), ...this.#all.slice(0, at)];
  }

  /** connected is told which one answered. */
  connected(address: BridgeAddress): void {
    this.#inUse = address;
    this.#next = (this.#all.indexOf(address) + 1) % this.#all.length;
  }

  /** toFailBackTo is the main address while another one is in use; null = there is nothing to go back to. */
  toFailBackTo(): BridgeAddress | null {
    const [first] = this.#all;
    return this.#isRoundRobin || first === undefined || this.#inUse === null || this.#inUse === first ? null : first;
  }
}
