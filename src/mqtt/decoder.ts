// Finds packets in a stream of chunks that is split anywhere, and hands each over in place: no copy unless a packet is split.

import { type Block, takeBlock } from './block.ts';
import { MalformedPacket, protocolError, REASON } from './reason-codes.ts';

/** PacketSink takes one whole packet: buffer[start, end), its body from `body` on. The bytes are only valid during the call. */
export interface PacketSink {
  /** Returns false to stop decoding: `push` then tells how far it came. */
  onPacket(buffer: Buffer, start: number, body: number, end: number): boolean;
  /** onReturn is told, in a call of its own after `onPacket`, that the packet's buffer gets other bytes now. Absent = nothing is kept of a packet. */
  onReturn?(): void;
}

/**
 * A split packet is gathered in memory of so many times the bytes that have really come, so a claimed length costs nothing; with a
 * quarter of the packet there it is room for all of it.
 */
const GATHER_AHEAD = 4;

/** MAX_REMAINING_LENGTH is what four bytes of Remaining Length can say, 2.1.4. */
export const MAX_REMAINING_LENGTH = 268_435_455;

/** Decoder keeps at most one unfinished packet, in a block of about four times its bytes received so far at most. */
export class Decoder {
  readonly #sink: PacketSink;
  /** Bytes of a whole packet, fixed header included; more is refused with 0x95. */
  maxPacketSize: number;
  /** The block that the packet lies in which `onPacket` has now; null = in the chunk that was pushed. Who retains it may keep the bytes. */
  lent: Block | null = null;
  #gathered: Block | null = null;
  #gatheredLength = 0;

  constructor(sink: PacketSink, maxPacketSize: number) {
    this.#sink = sink;
    this.maxPacketSize = maxPacketSize;
  }

  /**
   * push decodes a chunk and gives the number of bytes taken: all, unless the sink stops it behind a packet. It throws MalformedPacket for a bad
   * or too large Remaining Length, and lets through what the sink throws.
   */
  push(chunk: Buffer): number {
    let offset = this.#gathered === null ? 0 : this.#completeGathered(chunk);
    if (offset < 0) return ~offset;
    const length = chunk.length;
    while (offset < length) {
      if (chunk[offset]! < 0x10) throw protocolError('Packet type 0'); // whatever follows: its length may be none
      // The Remaining Length by hand: nearly always one byte.
      let body = offset + 2;
      let remaining = body <= length ? chunk[offset + 1]! : -1; // in range
      if (remaining >= 0x80) {
        remaining = this.#longRemaining(chunk, offset + 1, length);
        body = offset + 1 + remainingLengthBytes(remaining);
      }
      if (remaining < 0) break;
      const end = body + remaining;
      if (end - offset > this.maxPacketSize) throw tooLarge(end - offset, this.maxPacketSize);
      if (end > length) break;
      if (!this.#sink.onPacket(chunk, offset, body, end)) return end;
      offset = end;
    }
    if (offset < length) this.#gather(chunk, offset, length);
    return length;
  }

  /** Adds to the unfinished packet until it is whole; returns how many bytes of the chunk that took, inverted (~) when the sink stops. */
  #completeGathered(chunk: Buffer): number {
    let offset = 0;
    while (this.#gathered !== null && offset < chunk.length) {
      const total = this.#gatheredTotal();
      const missing = total < 0 ? 1 : total - this.#gatheredLength;
      const take = Math.min(missing, chunk.length - offset);
      this.#gather(chunk, offset, offset + take);
      offset += take;
      const known = this.#gatheredTotal();
      if (known !== this.#gatheredLength) continue;
      const block = this.#gathered;
      const packetEnd = this.#gatheredLength;
      this.#gathered = null;
      this.#gatheredLength = 0;
      if (!this.#handOver(block, packetEnd)) return ~offset;
    }
    return offset;
  }

  /** Where the sink throws, the connection ends, and the block is the collector's. */
  #handOver(block: Block, end: number): boolean {
    this.lent = block;
    const goesOn = this.#sink.onPacket(block.bytes, 0, 1 + remainingLengthBytesOf(block.bytes), end);
    this.#sink.onReturn?.();
    this.lent = null;
    block.release();
    return goesOn;
  }

  /** drop forgets the unfinished packet: no more bytes come. */
  drop(): void {
    this.#gathered?.release();
    this.#gathered = null;
    this.#gatheredLength = 0;
  }

  /** Whole length of the gathered packet, or -1 while its Remaining Length is not complete. */
  #gatheredTotal(): number {
    const gathered = this.#gathered!; // callers have one
    if (this.#gatheredLength < 2) return -1;
    const remaining = this.#longRemaining(gathered.bytes, 1, this.#gatheredLength);
    if (remaining < 0) return -1;
    const total = 1 + remainingLengthBytesOf(gathered.bytes) + remaining;
    if (total > this.maxPacketSize) throw tooLarge(total, this.maxPacketSize);
    return total;
  }

  #gather(chunk: Buffer, start: number, end: number): void {
    const needed = this.#gatheredLength + end - start;
    if (this.#gathered === null || this.#gathered.bytes.length < needed) this.#makeRoom(chunk, start, needed);
    chunk.copy(this.#gathered!.bytes, this.#gatheredLength, start, end); // there is room
    this.#gatheredLength = needed;
  }

  #makeRoom(chunk: Buffer, start: number, needed: number): void {
    const old = this.#gathered;
    const remaining =
      old === null ? this.#longRemaining(chunk, start + 1, chunk.length) : this.#longRemaining(old.bytes, 1, this.#gatheredLength);
    const total = remaining < 0 ? needed : 1 + remainingLengthBytes(remaining) + remaining;
    this.#gathered = takeBlock(Math.max(needed, Math.min(total, needed * GATHER_AHEAD)));
    if (old === null) return;
    old.bytes.copy(this.#gathered.bytes, 0, 0, this.#gatheredLength);
    old.release();
  }

  /** Remaining Length at `at`, or -1 when the bytes end before it does [MQTT-1.5.5-1]. */
  #longRemaining(buffer: Buffer, at: number, end: number): number {
    let value = 0;
    for (let index = 0; index < 4; index++) {
      if (at + index >= end) return -1;
      const byte = buffer[at + index]!; // in range
      value |= (byte & 0x7f) << (7 * index);
      if (byte < 0x80) {
        if (byte === 0 && index > 0) throw new MalformedPacket('Remaining Length longer than needed');
        return value;
      }
    }
    throw new MalformedPacket('Remaining Length longer than four bytes');
  }
}

function remainingLengthBytes(remaining: number): number {
  if (remaining < 128) return 1;
  if (remaining < 16_384) return 2;
  return remaining < 2_097_152 ? 3 : 4;
}

function remainingLengthBytesOf(packet: Buffer): number {
  let count = 1;
  while (packet[count]! >= 0x80) count++; // #gatheredTotal has seen its end
  return count;
}

function tooLarge(size: number, limit: number): MalformedPacket {
  return new MalformedPacket(`Packet of ${size} bytes exceeds the maximum of ${limit}`, REASON.PACKET_TOO_LARGE);
}
