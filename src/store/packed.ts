// Values packed one behind the other in one piece of memory: what the two threads hand to each other without copying it again.
//
// Structured clone of the same changes costs twice as much, and takes along the whole socket chunk that a payload is a slice of.

const EMPTY = Buffer.alloc(0);
const TWO_32 = 0x1_0000_0000;
/** Above this many characters the C++ encoder is faster than the loop. */
const SHORT_TEXT = 48;

/** PackedWriter grows as it is written to. */
export class PackedWriter {
  #bytes: Buffer;
  #end: number;

  constructor(expected: number) {
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(expected, 256)); // never from the pool: it is transferred
    this.#end = 0;
  }

  get length(): number {
    return this.#end;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#end++] = value;
  }

  /** integer packs 0 .. 2^53-1. */
  integer(value: number): void {
    this.#reserve(8);
    this.#uint32(value % TWO_32);
    this.#uint32(Math.floor(value / TWO_32));
  }

  text(value: string): void {
    this.#reserve(4 + value.length * 3);
    const start = this.#end + 4;
    const length = value.length <= SHORT_TEXT ? this.#shortText(value, start) : this.#bytes.write(value, start, 'utf8');
    this.#uint32(length);
    this.#end = start + length;
  }

  textOrNull(value: string | null): void {
    this.byte(value === null ? 0 : 1);
    if (value !== null) this.text(value);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(4 + value.length);
    this.#uint32(value.length);
    this.#bytes.set(value, this.#end);
    this.#end += value.length;
  }

  /** finish gives what was packed; its memory is its own and may be transferred. Nothing may be packed after it. */
  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.buffer as ArrayBuffer, 0, this.#end); // allocUnsafeSlow never shares
  }

  #uint32(value: number): void {
    this.#end = this.#bytes.writeUInt32LE(value, this.#end);
  }

  #shortText(value: string, start: number): number {
    const bytes = this.#bytes;
    for (let at = 0; at < value.length; at++) {
      const code = value.charCodeAt(at);
      if (code > 0x7f) return bytes.write(value, start, 'utf8');
      bytes[start + at] = code;
    }
    return value.length;
  }

  #reserve(size: number): void {
    if (this.#end + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#end + size));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}

/** PackedReader gives back the values in the order in which they were packed. `bytes` are views: they keep the whole piece alive. */
export class PackedReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(packed: Uint8Array<ArrayBuffer>) {
    this.#bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
    this.#at = 0;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#at++);
  }

  integer(): number {
    const low = this.#uint32();
    return low + this.#uint32() * TWO_32;
  }

  text(): string {
    const length = this.#uint32();
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  textOrNull(): string | null {
    return this.byte() === 0 ? null : this.text();
  }

  bytes(): Buffer {
    const length = this.#uint32();
    this.#at += length;
    return length === 0 ? EMPTY : this.#bytes.subarray(this.#at - length, this.#at);
  }

  #uint32(): number {
    const value = this.#bytes.readUInt32LE(this.#at);
    this.#at += 4;
    return value;
  }
}
