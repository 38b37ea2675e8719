// A WebSocket as the byte stream that the broker reads and writes: MQTT 5.0, 6 "Using WebSocket as a network transport"; RFC 6455 from
// the upgrade on, the side of the server. What is read lands in the buffer that all sockets share, as without WebSocket.

import { Duplex } from 'node:stream';
import { type DirectWriter, NOT_WRITTEN, type Writer, type Written } from '../broker/transport.ts';
import { shareReads } from './shared-reads.ts';
import { CLOSE, FINAL, type FrameProblem, FrameReader, OPCODE } from './websocket-frames.ts';

/** How long a closing handshake may take before the socket is cut. */
const CLOSE_TIMEOUT_MS = 5000;

const NOTHING = Buffer.alloc(0);

/**
 * WEBSOCKET_FRAMING makes each packet a binary message of its own, unmasked (RFC 6455 5.2). A message may hold several packets, but Paho C
 * 1.3.12 reads the second one only when more bytes come.
 */
export const WEBSOCKET_FRAMING = {
  headerSize(length: number): number {
    if (length < 126) return 2;
    return length < 65_536 ? 4 : 10;
  },

  writeHeader(bytes: Buffer, at: number, length: number): void {
    bytes[at] = FINAL | OPCODE.binary;
    if (length < 126) {
      bytes[at + 1] = length;
    } else if (length < 65_536) {
      bytes[at + 1] = 126;
      bytes.writeUInt16BE(length, at + 2);
    } else {
      bytes[at + 1] = 127;
      bytes.writeBigUInt64BE(BigInt(length), at + 2);
    }
  },
};

/**
 * WebSocketStream is a Duplex over the WebSocket on `wire`: what is written must be framed already, what is read are bytes without message
 * borders [MQTT-6.0.0-2]. A chunk of its 'data' events is only valid until the listener returns.
 */
export class WebSocketStream extends Duplex {
  readonly #wire: Duplex;
  readonly #frames: FrameReader;
  /** The latest ping that was not answered; null = none. */
  #ping: Buffer | null = null;
  #hasSaidGoodbye = false;
  /** A close frame has come, or what is none of WebSocket: nothing counts any more. */
  #isOver = false;
  #hasFailed = false;

  /** `maxMessage` is the largest message in bytes. */
  constructor(wire: Duplex, maxMessage: number) {
    super({ allowHalfOpen: false });
    this.#wire = wire;
    this.#frames = new FrameReader(maxMessage);
    wire.on('data', (chunk: Buffer) => this.#receive(chunk));
    wire.once('end', () => wire.end());
    wire.once('error', (error) => this.destroy(error));
    wire.once('close', () => {
      if (this.writableEnded) this.destroy();
      else if (!this.destroyed) this.push(null);
    });
  }

  /** begin reads, now that somebody listens; `head` came together with the upgrade. */
  begin(head: Buffer): void {
    if (head.length > 0) this.#receive(head);
    shareReads(this.#wire);
  }

  /** isOpen tells whether frames may be written, past it too. */
  get isOpen(): boolean {
    return !this.#hasSaidGoodbye && !this.destroyed;
  }

  override pause(): this {
    this.#wire.pause();
    return super.pause();
  }

  override resume(): this {
    this.#wire.resume();
    return super.resume();
  }

  override _read(): void {
    this.#wire.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (!this.isOpen) return done(new Error('WebSocket is not open'));
    this.#wire.write(chunk);
    this.#whenWritten(done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: Done): void {
    if (!this.isOpen) return done(new Error('WebSocket is not open'));
    this.#wire.cork();
    for (const { chunk } of chunks) this.#wire.write(chunk);
    this.#wire.uncork();
    this.#whenWritten(done);
  }

  override _final(done: Done): void {
    this.#sayGoodbye(closePayload(CLOSE.normal));
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    if (!this.#hasFailed) this.#wire.destroy(); // after a failure the closing code is on its way
    done(error);
  }

  #receive(chunk: Buffer): void {
    if (this.#isOver) return;
    const { length, ping, close, problem } = this.#frames.take(chunk);
    if (length > 0 && this.isOpen) this.#deliver(chunk.subarray(0, length));
    if (ping !== null) this.#answer(ping);
    if (close !== null) this.#hearGoodbye(close);
    else if (problem !== null) this.#fail(problem);
  }

  #deliver(bytes: Buffer): void {
    if (this.readableFlowing === true && this.readableLength === 0) this.emit('data', bytes);
    else if (!this.push(Buffer.from(bytes))) this.#wire.pause();
  }

  /** Answers when the wire takes more, and only the latest ping: RFC 6455 5.5.3. */
  #answer(ping: Buffer): void {
    const isLater = this.#ping !== null;
    this.#ping = ping;
    if (isLater) return;
    this.#whenWritten(() => {
      if (this.isOpen) this.#wire.write(controlFrame(OPCODE.pong, this.#ping!)); // it stays until this is done
      this.#ping = null;
    });
  }

  /** RFC 6455 5.5.1: it gets its own code back, and the server ends the connection first. */
  #hearGoodbye(payload: Buffer): void {
    this.#isOver = true;
    this.#sayGoodbye(payload.subarray(0, 2));
    this.#wire.end();
  }

  #fail({ code, words }: FrameProblem): void {
    this.#isOver = true;
    this.#hasFailed = true;
    this.#sayGoodbye(closePayload(code, words));
    this.#wire.end();
    this.destroy(new Error(`Invalid WebSocket frame: ${words}`));
    this.#wire.resume(); // what still comes is dropped, so that the end is seen
  }

  #sayGoodbye(payload: Buffer): void {
    if (this.#hasSaidGoodbye) return;
    this.#hasSaidGoodbye = true;
    this.#wire.write(controlFrame(OPCODE.close, payload));
    const timer = setTimeout(() => this.#wire.destroy(), CLOSE_TIMEOUT_MS);
    this.#wire.once('close', () => clearTimeout(timer));
  }

  /** Mostly the wire takes all at once; a callback of its own for each write costs more than this look. */
  #whenWritten(done: Done): void {
    if (this.#wire.writableLength === 0) done();
    else this.#wire.write(NOTHING, done); // the wire calls back in order
  }
}

type Done = (error?: Error | null) => void;

/** WebSocketWriter writes whole frames past both streams, as long as the stream itself writes none and has not said goodbye. */
export class WebSocketWriter implements DirectWriter {
  readonly #stream: WebSocketStream;
  readonly #wire: Duplex;
  readonly #direct: DirectWriter;

  constructor(stream: WebSocketStream, wire: Duplex, direct: DirectWriter) {
    this.#stream = stream;
    this.#wire = wire;
    this.#direct = direct;
  }

  get waiting(): number {
    return this.#direct.waiting;
  }

  write(bytes: Buffer, writer: Writer): Written {
    if (!this.#stream.isOpen || this.#wire.writableLength > 0) return NOT_WRITTEN;
    return this.#direct.write(bytes, writer);
  }
}

function closePayload(code: number, words = ''): Buffer {
  return Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from(words)]);
}

/** `payload` has at most 125 bytes. */
function controlFrame(opcode: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.of(FINAL | opcode, payload.length), payload]);
}
