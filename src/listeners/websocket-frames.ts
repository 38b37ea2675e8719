// WebSocket frames of a client to the bytes in them: RFC 6455, 5. The payloads of a chunk's frames are unmasked and moved together in the
// chunk itself, so that many small messages are one piece of bytes for the broker, and none of it becomes garbage.

/** RFC 6455 5.2: what the first byte of a frame says. */
export const FINAL = 0x80;
const RESERVED = 0x70;
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
/** Of the second byte. */
const MASKED = 0x80;

/** RFC 6455 5.5: of close, ping and pong. */
const MAX_CONTROL = 125;
/** Two bytes, a length of eight and a mask of four; and the same without a length. */
const MAX_HEADER = 14;
const SHORT_HEADER = 6;

/** RFC 6455 7.4.1. */
export const CLOSE = { normal: 1000, protocolError: 1002, unsupportedData: 1003, tooLarge: 1009 } as const;

/** FrameProblem ends the connection with a closing code of RFC 6455 7.4.1, and words for it. */
export interface FrameProblem {
  readonly code: number;
  readonly words: string;
}

const UNKNOWN: FrameProblem = { code: CLOSE.protocolError, words: 'this frame is none of RFC 6455' };
const UNMASKED: FrameProblem = { code: CLOSE.protocolError, words: 'frames of a client must be masked' };
const LARGE_CONTROL: FrameProblem = { code: CLOSE.protocolError, words: 'a control frame is of one piece, and small' };
const OUT_OF_PLACE: FrameProblem = { code: CLOSE.protocolError, words: 'a message must end before the next begins' };
const NO_BINARY: FrameProblem = { code: CLOSE.unsupportedData, words: 'MQTT needs binary messages' }; // [MQTT-6.0.0-1]
const TOO_LARGE: FrameProblem = { code: CLOSE.tooLarge, words: 'the message is too large' };

/** Taken is what one chunk brought: the bytes of messages first, then what the frames between and behind them want. */
export interface Taken {
  /** Bytes of the chunk, from its beginning on, that are now bytes of messages. */
  readonly length: number;
  /** The payload of the latest ping, which alone needs an answer (RFC 6455 5.5.3). */
  readonly ping: Buffer | null;
  /** The payload of a close frame, behind which nothing counts. */
  readonly close: Buffer | null;
  readonly problem: FrameProblem | null;
}

/** FrameReader belongs to one client. After a close frame or a problem it must not be used again. */
export class FrameReader {
  readonly #maxMessage: number;
  /** As much of the next header as has come. */
  readonly #header = new Uint8Array(MAX_HEADER); // so small that it lies in the object itself
  #headerLength = 0;
  /** Of the frame whose payload comes now. */
  #opcode: number = OPCODE.binary;
  #isFinal = true;
  /** Bytes of its payload that are still to come; -1 = its header is. */
  #left = -1;
  /** Four bytes, the highest first, and which of them is the next. */
  #mask = 0;
  #phase = 0;
  /** Bytes of the message so far; -1 = none has begun. */
  #message = -1;
  #control: Buffer | null = null;
  #controlLength = 0;

  /** `maxMessage` is the largest message in bytes. */
  constructor(maxMessage: number) {
    this.#maxMessage = maxMessage;
  }

  /** take changes the chunk: its first bytes are those of the messages afterwards. */
  take(chunk: Buffer): Taken {
    let at = 0;
    let length = 0;
    let ping: Buffer | null = null;
    while (at < chunk.length || this.#left === 0) {
      if (this.#left < 0) {
        const short = this.#takeShort(chunk, at, length);
        if (short >= 0) {
          at += SHORT_HEADER + short;
          length += short;
          continue;
        }
        at = this.#takeHeader(chunk, at);
        if (this.#headerLength < this.#headerSize()) break;
        const problem = this.#begin();
        if (problem !== null) return { length, ping, close: null, problem };
      }
      const part = Math.min(this.#left, chunk.length - at);
      if (this.#opcode >= OPCODE.close) {
        this.#unmask(chunk, at, part, this.#control!, this.#controlLength);
        this.#controlLength += part;
      } else {
        this.#unmask(chunk, at, part, chunk, length);
        length += part;
      }
      at += part;
      this.#left -= part;
      if (this.#left > 0) break;
      this.#left = -1;
      if (this.#opcode < OPCODE.close) {
        if (this.#isFinal) this.#message = -1;
        continue;
      }
      const payload = this.#control!.subarray(0, this.#controlLength);
      this.#control = null;
      if (this.#opcode === OPCODE.close) return { length, ping, close: payload, problem: null };
      if (this.#opcode === OPCODE.ping) ping = payload;
    }
    return { length, ping, close: null, problem: null };
  }

  /** Takes a message that is one short frame, whole in the chunk, as nearly all are, without the steps that others need. Gives the bytes of its payload, or -1. */
  #takeShort(chunk: Buffer, at: number, to: number): number {
    if (chunk[at] !== (FINAL | OPCODE.binary) || this.#headerLength > 0 || this.#message >= 0) return -1;
    const length = chunk[at + 1]! - MASKED;
    const from = at + SHORT_HEADER;
    if (!(length >= 0 && length < 126 && length <= this.#maxMessage && from + length <= chunk.length)) return -1;
    this.#mask = (chunk[at + 2]! << 24) | (chunk[at + 3]! << 16) | (chunk[at + 4]! << 8) | chunk[at + 5]!;
    this.#phase = 0;
    this.#unmask(chunk, from, length, chunk, to);
    return length;
  }

  /** Takes what is missing of the header, and gives where the chunk goes on. */
  #takeHeader(chunk: Buffer, from: number): number {
    const header = this.#header;
    let at = from;
    for (let size = this.#headerSize(); this.#headerLength < size; size = this.#headerSize()) {
      const end = Math.min(at + size - this.#headerLength, chunk.length);
      if (at === end) break;
      let length = this.#headerLength;
      while (at < end) header[length++] = chunk[at++]!;
      this.#headerLength = length;
    }
    return at;
  }

  /** Bytes of the header, as far as it is known. */
  #headerSize(): number {
    if (this.#headerLength < 2) return 2;
    const second = this.#header[1]!;
    const length = second & ~MASKED;
    return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (second & MASKED ? 4 : 0);
  }

  /** The header is whole. */
  #begin(): FrameProblem | null {
    const header = this.#header;
    const first = header[0]!;
    const size = this.#headerLength;
    this.#headerLength = 0;
    if ((first & RESERVED) !== 0) return UNKNOWN;
    if ((header[1]! & MASKED) === 0) return UNMASKED;
    const opcode = first & 0x0f;
    const isFinal = (first & FINAL) !== 0;
    const length = this.#lengthIn(header);
    const problem = this.#problemOf(opcode, isFinal, length);
    if (problem !== null) return problem;
    if (opcode >= OPCODE.close) {
      this.#control = Buffer.allocUnsafe(length);
      this.#controlLength = 0;
    } else {
      this.#message = Math.max(this.#message, 0) + length;
      this.#isFinal = isFinal;
    }
    this.#opcode = opcode;
    this.#left = length;
    this.#mask = (header[size - 4]! << 24) | (header[size - 3]! << 16) | (header[size - 2]! << 8) | header[size - 1]!;
    this.#phase = 0;
    return null;
  }

  /** Bytes of the payload; beyond 2^53 not to the byte. */
  #lengthIn(header: Uint8Array): number {
    const short = header[1]! & ~MASKED;
    if (short < 126) return short;
    let length = 0;
    for (let at = 2; at < (short === 126 ? 4 : 10); at++) length = length * 256 + header[at]!;
    return length;
  }

  #problemOf(opcode: number, isFinal: boolean, length: number): FrameProblem | null {
    switch (opcode) {
      case OPCODE.text:
        return NO_BINARY;
      case OPCODE.binary:
      case OPCODE.continuation:
        if ((opcode === OPCODE.continuation) !== this.#message >= 0) return OUT_OF_PLACE;
        return length > this.#maxMessage - Math.max(this.#message, 0) ? TOO_LARGE : null;
      case OPCODE.close:
      case OPCODE.ping:
      case OPCODE.pong:
        if (opcode === OPCODE.close && length === 1) return UNKNOWN; // half a code
        return isFinal && length <= MAX_CONTROL ? null : LARGE_CONTROL;
      default:
        return UNKNOWN;
    }
  }

  /** RFC 6455 5.3. `to` may lie before `from` in the same bytes. Four bytes at a time, for the mask has so many. */
  #unmask(source: Buffer, from: number, length: number, target: Buffer, to: number): void {
    const turned = 8 * this.#phase;
    const mask = (this.#mask << turned) | (this.#mask >>> (32 - turned));
    const words = length & ~3;
    if (words > 0) {
      const input = viewOf(source);
      const output = target === source ? input : viewOf(target);
      for (let at = 0; at < words; at += 4) output.setInt32(to + at, input.getInt32(from + at) ^ mask);
    }
    for (let at = words; at < length; at++) target[to + at] = source[from + at]! ^ (mask >>> (24 - 8 * (at & 3)));
    this.#phase = (this.#phase + length) & 3;
  }
}

let lastView: DataView | null = null;

/** Nearly always it is of the buffer that all sockets share. */
function viewOf(bytes: Buffer): DataView {
  if (lastView?.buffer !== bytes.buffer || lastView.byteOffset !== bytes.byteOffset || lastView.byteLength !== bytes.length)
    lastView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return lastView;
}
