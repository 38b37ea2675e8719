// Blocks that a connection has given to its socket and waits for: the socket tells when each is written, in order.
//
// In memory a block counts once, however many sockets have still to write it.

import type { Block } from '../../mqtt/block.ts';

interface Waiting {
  readonly block: Block;
  /** Bytes of it that go to this client. */
  readonly length: number;
}

/** BlocksOwner hears what they cost. */
export interface BlocksOwner {
  /** So many more bytes of memory wait to be written, or, negative, do not wait any more. */
  blocksHeld(bytes: number): void;
}

/** WaitingBlocks belongs to one outbox. */
export class WaitingBlocks {
  /** Bytes that wait for this client. */
  length = 0;
  readonly #queue: Waiting[] = [];
  readonly #owner: BlocksOwner;
  #isDropped = false;

  constructor(owner: BlocksOwner) {
    this.#owner = owner;
  }

  /** add puts a block at the end; `length` bytes of it wait. */
  add(block: Block, length: number): void {
    this.#queue.push({ block, length });
    if (this.#isDropped) return;
    this.length += length;
    if (block.beginWait()) this.#owner.blocksHeld(block.bytes.length);
  }

  /** take gives the first one: it is written, or never will be. Null = there is none. */
  take(): Block | null {
    const first = this.#queue.shift();
    if (first === undefined) return null;
    if (!this.#isDropped) this.#uncount(first);
    return first.block;
  }

  /** drop counts nothing of them any more, nor of what is still added: the connection ends. */
  drop(): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    for (const waiting of this.#queue) this.#uncount(waiting);
  }

  #uncount({ block, length }: Waiting): void {
    this.length -= length;
    if (block.endWait()) this.#owner.blocksHeld(-block.bytes.length);
  }
}
