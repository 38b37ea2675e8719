// What one connection has to say, gathered during a turn of the event loop and written with ONE write at its end.
//
// Buffers are lent from a small pool while there is something in them: an idle connection holds none.

import type { Duplex } from 'node:stream';

/** Bytes of a pooled buffer; a turn's usual output fits. */
const BUFFER_SIZE = 16_384;
/** Bytes up to which a buffer grows within a turn before it is handed to the socket at once. */
const BUFFER_MAX = 262_144;
/** Pooled buffers kept: 64 x 16 KiB = 1 MiB for the whole process. */
const POOL_MAX = 64;
/** A copy up to this size is cheaper byte by byte than by a call into the runtime. */
const SHORT_COPY = 24;

const pool: Buffer[] = [];

/** SentBytes is counted up by what is written. */
interface SentBytes {
  bytesSent: number;
}

/** OutboxOwner hears when so much was gathered in one turn that some was written before its end. */
export interface OutboxOwner {
  overflowed(): void;
}

/** Outbox belongs to one connection. */
export class Outbox {
  readonly #owner: OutboxOwner;
  readonly #stream: Duplex;
  readonly #counters: SentBytes;
  /** The last write was not finished at once (TLS, WebSocket, a slow client): small outputs are then copied, so the pooled buffer stays. */
  #copies = false;
  #buffer: Buffer | null = null;
  #length = 0;

  constructor(owner: OutboxOwner, stream: Duplex, counters: SentBytes) {
    this.#owner = owner;
    this.#stream = stream;
    this.#counters = counters;
  }

  /** Bytes that are gathered. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that wait: here and in the stream. */
  get pending(): number {
    return this.#length + this.#stream.writableLength;
  }

  /** append copies bytes[start, end). */
  append(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    const at = this.#room(length);
    if (at < 0) {
      this.#stream.write(Buffer.from(bytes.subarray(start, end)));
      this.#counters.bytesSent += length;
      return;
    }
    copy(bytes, start, end, this.#buffer!, at); // #room made it
    this.#length = at + length;
  }

  /** appendPublish copies a PUBLISH frame and patches its first byte and packet identifier (packetIdAt < 0 = none). */
  appendPublish(bytes: Buffer, start: number, end: number, first: number, packetIdAt: number, packetId: number): void {
    const length = end - start;
    let at = this.#room(length);
    if (at < 0) {
      // Larger than any outbox: a packet of its own.
      const own = Buffer.from(bytes.subarray(start, end));
      at = 0;
      patch(own, at, first, packetIdAt - start, packetId);
      this.#stream.write(own);
      this.#counters.bytesSent += length;
      return;
    }
    const buffer = this.#buffer!; // #room made it
    copy(bytes, start, end, buffer, at);
    patch(buffer, at, first, packetIdAt < 0 ? -1 : at + packetIdAt - start, packetId);
    this.#length = at + length;
  }

  /** appendAck writes the four bytes of PUBACK, PUBREC, PUBREL or PUBCOMP with success. */
  appendAck(first: number, packetId: number): void {
    const at = this.#room(4);
    const buffer = this.#buffer!; // 4 bytes always fit
    buffer[at] = first;
    buffer[at + 1] = 2;
    buffer[at + 2] = packetId >> 8;
    buffer[at + 3] = packetId & 0xff;
    this.#length = at + 4;
  }

  /** flush writes what is gathered. */
  flush(): void {
    const length = this.#length;
    const buffer = this.#buffer;
    if (length === 0 || buffer === null) return;
    this.#length = 0;
    this.#counters.bytesSent += length;
    if (this.#copies && length <= BUFFER_SIZE >> 1) {
      this.#stream.write(Buffer.from(buffer.subarray(0, length)));
      this.#release(buffer);
      this.#copies = this.#stream.writableLength > 0;
      return;
    }
    this.#stream.write(buffer.subarray(0, length));
    // A plain socket mostly takes all at once; only then may the buffer be used again.
    this.#copies = this.#stream.writableLength > 0;
    if (this.#copies) this.#buffer = null;
    else this.#release(buffer);
  }

  /** drop forgets what is gathered. */
  drop(): void {
    this.#buffer = null;
    this.#length = 0;
  }

  /** Makes room and gives the offset to write at, or -1 when the bytes are too many for any buffer (then all before them is written out). */
  #room(length: number): number {
    const buffer = this.#buffer;
    if (buffer !== null && this.#length + length <= buffer.length) return this.#length;
    if (buffer === null && length <= BUFFER_SIZE) {
      this.#buffer = pool.pop() ?? Buffer.allocUnsafeSlow(BUFFER_SIZE);
      return 0;
    }
    return this.#grow(length);
  }

  #grow(length: number): number {
    const needed = this.#length + length;
    if (needed > BUFFER_MAX) {
      this.flush();
      this.#owner.overflowed();
      return length > BUFFER_MAX ? -1 : this.#room(length);
    }
    const larger = Buffer.allocUnsafeSlow(Math.min(BUFFER_MAX, Math.max(needed, 2 * (this.#buffer?.length ?? 0))));
    const old = this.#buffer;
    if (old !== null) {
      old.copy(larger, 0, 0, this.#length);
      this.#release(old);
    }
    this.#buffer = larger;
    return this.#length;
  }

  #release(buffer: Buffer): void {
    this.#buffer = null;
    if (buffer.length === BUFFER_SIZE && pool.length < POOL_MAX) pool.push(buffer);
  }
}

function copy(source: Buffer, start: number, end: number, target: Buffer, at: number): void {
  if (end - start > SHORT_COPY) {
    source.copy(target, at, start, end);
    return;
  }
  let to = at;
  for (let from = start; from < end; from++) target[to++] = source[from]!;
}

function patch(buffer: Buffer, at: number, first: number, packetIdAt: number, packetId: number): void {
  buffer[at] = first;
  if (packetIdAt < 0) return;
  buffer[packetIdAt] = packetId >> 8;
  buffer[packetIdAt + 1] = packetId & 0xff;
}
