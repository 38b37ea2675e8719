// A cursor over the bytes of one packet: the data types of MQTT 5 1.5. Every read past the end is a malformed packet.

import { ownBytes } from './own-bytes.ts';
import { MalformedPacket, REASON, type ReasonCode } from './reason-codes.ts';
import { decodeMqttString, isMqttString } from './utf8.ts';

/** PacketReader reads buffer[position, end) from left to right. */
export class PacketReader {
  readonly buffer: Buffer;
  position: number;
  end: number;

  constructor(buffer: Buffer, start: number, end: number) {
    this.buffer = buffer;
    this.position = start;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  byte(): number {
    this.#need(1);
    return this.buffer[this.position++]!; // #need
  }

  /** Two Byte Integer, 1.5.2. */
  twoBytes(): number {
    this.#need(2);
    const value = (this.buffer[this.position]! << 8) | this.buffer[this.position + 1]!; // #need; readUInt16BE costs more
    this.position += 2;
    return value;
  }

  /** Four Byte Integer, 1.5.3. */
  fourBytes(): number {
    this.#need(4);
    const value = this.buffer.readUInt32BE(this.position);
    this.position += 4;
    return value;
  }

  /** Variable Byte Integer, 1.5.5: at most four bytes, encoded as short as can be [MQTT-1.5.5-1]. */
  variableByteInteger(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) throw new MalformedPacket('Variable Byte Integer longer than needed');
        return value;
      }
    }
    throw new MalformedPacket('Variable Byte Integer longer than four bytes');
  }

  /** UTF-8 Encoded String, 1.5.4. `otherwise` is the reason when it is none. */
  string(otherwise: ReasonCode = REASON.MALFORMED_PACKET): string {
    const start = this.position + 2;
    const end = start + this.twoBytes();
    this.#need(end - start);
    if (!isMqttString(this.buffer, start, end)) throw new MalformedPacket('String is not well-formed UTF-8', otherwise);
    this.position = end;
    return decodeMqttString(this.buffer, start, end);
  }

  /** skip goes on behind so many bytes, whatever they are. */
  skip(length: number): void {
    this.#need(length);
    this.position += length;
  }

  /** skipString checks a UTF-8 Encoded String and goes on behind it. */
  skipString(): void {
    const start = this.position + 2;
    const end = start + this.twoBytes();
    this.#need(end - start);
    if (!isMqttString(this.buffer, start, end)) throw new MalformedPacket('String is not well-formed UTF-8');
    this.position = end;
  }

  /** Binary Data, 1.5.6: a copy, so that the network chunk it came in is not kept alive. */
  binary(): Buffer {
    const length = this.twoBytes();
    this.#need(length);
    const bytes = ownBytes(this.buffer, this.position, this.position + length); // a will or correlation data may be kept for long
    this.position += length;
    return bytes;
  }

  /** expectEnd throws when bytes are left over. */
  expectEnd(packet: string): void {
    if (this.position !== this.end) throw new MalformedPacket(`${packet} has ${this.end - this.position} bytes too many`);
  }

  #need(length: number): void {
    if (this.position + length > this.end) throw new MalformedPacket('Packet ends too early');
  }
}
