// Memory for bytes on their way through: blocks of a few sizes, lent from a bounded pool and counted by who uses them.
//
//   takeBlock(5000) -> | 8192 + 256 bytes |  users 1
//   retain()                                 users 2, one for each socket that has still to write it
//   release() ...                            users 0: back to the pool
//
// A block that somebody forgets to release is left to the collector: that costs speed, never bytes of another message. So when in doubt
// whether the system still reads it, nobody releases it.

/** Sizes are powers of two and this: room for the header of a packet whose payload is a power of two. */
const HEADER_ROOM = 256;
/** log2 of the smallest and of the largest size: 512 bytes to 2 MiB. Larger blocks are not pooled. */
const SMALLEST = 9;
const LARGEST = 21;
/** Bytes that the pool keeps of each size, and blocks that it keeps of any: some 20 MiB when every size has been in full use. */
const KEPT_BYTES = 1_048_576;
const KEPT_BLOCKS = 4;
const UNPOOLED = -1;

const pools: Block[][] = Array.from({ length: LARGEST - SMALLEST + 1 }, () => []);
const poolMax = pools.map((_, index) => Math.max(KEPT_BLOCKS, KEPT_BYTES >> (SMALLEST + index)));

/** Block is memory that is used by one or more at a time, and by nobody else meanwhile. */
export class Block {
  readonly bytes: Buffer;
  readonly #pool: number;
  #users = 1;
  #waiting = 0;

  /** Made by takeBlock only. */
  constructor(size: number, pool: number) {
    this.bytes = Buffer.allocUnsafeSlow(size);
    this.#pool = pool;
  }

  /** retain adds a user. */
  retain(): void {
    this.#users++;
  }

  /** release takes one away; the last one must not touch the bytes any more. */
  release(): void {
    if (--this.#users > 0 || this.#pool === UNPOOLED) return;
    const pool = pools[this.#pool]!; // made by takeBlock
    if (pool.length < poolMax[this.#pool]!) pool.push(this);
  }

  /** beginWait notes that one more socket has still to write it; true for the first. */
  beginWait(): boolean {
    return this.#waiting++ === 0;
  }

  /** endWait notes that one of them has; true for the last. */
  endWait(): boolean {
    return --this.#waiting === 0;
  }

  /** lend gives it out again. */
  lend(): this {
    this.#users = 1;
    return this;
  }
}

/** takeBlock gives a block of at least `size` bytes, with one user. What it holds is of somebody else. */
export function takeBlock(size: number): Block {
  const index = size <= (1 << SMALLEST) + HEADER_ROOM ? 0 : 32 - Math.clz32(size - HEADER_ROOM - 1) - SMALLEST;
  if (index >= pools.length) return new Block(size, UNPOOLED);
  return pools[index]!.pop()?.lend() ?? new Block((1 << (SMALLEST + index)) + HEADER_ROOM, index); // in range
}

/** Piece is bytes[start, end) that several sockets may write; `block` is their memory, null = they stay as long as they are referred to. */
export interface Piece {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly block: Block | null;
}
