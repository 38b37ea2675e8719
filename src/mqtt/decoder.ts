// Finds packets in a stream of chunks that is split anywhere, and hands each over in place: no copy unless a packet is split.

import { MalformedPacket, protocolError, REASON } from './reason-codes.ts';

/** PacketSink takes one whole packet: buffer[start, end), its body from `body` on. The bytes are only valid during the call. */
export interface PacketSink {
  /** Returns false to stop decoding: `push` then tells how far it came. */
  onPacket(buffer: Buffer, start: number, body: number, end: number): boolean;
}

/** Size of the first buffer that a split packet is gathered in; it doubles as bytes really arrive, so a claimed length costs nothing. */
const GATHER_MIN = 64;

/** MAX_REMAINING_LENGTH is what four bytes of Remaining Length can say, 2.1.4. */
export const MAX_REMAINING_LENGTH = 268_435_455;

/** Decoder keeps at most one unfinished packet, at most twice its bytes received so far. */
export class Decoder {
  readonly #sink: PacketSink;
  /** Bytes of a whole packet, fixed header included; more is refused with 0x95. */
  maxPacketSize: number;
  #gathered: Buffer | null = null;
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
      const packet = this.#gathered;
      const packetEnd = this.#gatheredLength;
      this.#gathered = null;
      this.#gatheredLength = 0;
      const remainingBytes = remainingLengthBytesOf(packet);
      if (!this.#sink.onPacket(packet, 0, 1 + remainingBytes, packetEnd)) return ~offset;
    }
    return offset;
  }

  /** Whole length of the gathered packet, or -1 while its Remaining Length is not complete. */
  #gatheredTotal(): number {
    const gathered = this.#gathered!; // callers have one
    if (this.#gatheredLength < 2) return -1;
    const remaining = this.#longRemaining(gathered, 1, this.#gatheredLength);
    if (remaining < 0) return -1;
    const total = 1 + remainingLengthBytesOf(gathered) + remaining;
    if (total > this.maxPacketSize) throw tooLarge(total, this.maxPacketSize);
    return total;
  }

  #gather(chunk: Buffer, start: number, end: number): void {
    const needed = this.#gatheredLength + end - start;
    if (this.#gathered === null || this.#gathered.length < needed) {
      const larger = Buffer.allocUnsafeSlow(Math.max(GATHER_MIN, needed > GATHER_MIN ? needed * 2 : 0));
      this.#gathered?.copy(larger, 0, 0, this.#gatheredLength);
      this.#gathered = larger;
    }
    chunk.copy(this.#gathered, this.#gatheredLength, start, end);
    this.#gatheredLength = needed;
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
