// A WebSocket as the byte stream that the broker reads and writes: MQTT 5.0, 6 "Using WebSocket as a network transport".

import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { type DirectWriter, NOT_WRITTEN, type Writer, type Written } from '../broker/transport.ts';

/** RFC 6455 7.4.1: normal closure, and data of a type we can't accept. */
const CLOSE_NORMAL = 1000;
const CLOSE_UNSUPPORTED_DATA = 1003;

const NOTHING = Buffer.alloc(0);
/** RFC 6455 5.2: first byte of a whole binary message. */
const FINAL_BINARY = 0x82;

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
    bytes[at] = FINAL_BINARY;
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

/** createWebSocketStream gives a Duplex over the WebSocket on `wire`: what is written must be framed already, what is read are bytes without message borders [MQTT-6.0.0-2]. */
export function createWebSocketStream(socket: WebSocket, wire: Duplex): Duplex {
  let failed = false;
  const stream = new Duplex({
    allowHalfOpen: false,
    read() {
      if (socket.isPaused) socket.resume();
    },
    // ws writes whole frames too, as long as nothing is compressed; those that are written here together stay together.
    write(chunk: Buffer, _encoding, done) {
      if (socket.readyState !== socket.OPEN) return done(new Error('WebSocket is not open'));
      wire.write(chunk);
      whenWritten(wire, done);
    },
    writev(chunks, done) {
      if (socket.readyState !== socket.OPEN) return done(new Error('WebSocket is not open'));
      wire.cork();
      for (const { chunk } of chunks) wire.write(chunk);
      wire.uncork();
      whenWritten(wire, done);
    },
    final(done) {
      socket.close(CLOSE_NORMAL);
      done();
    },
    destroy(error, done) {
      if (!failed) socket.terminate(); // after a failure ws itself sends the closing code that fits
      done(error);
    },
  });
  socket.on('message', (data: RawData, isBinary: boolean) => receive(stream, socket, data, isBinary));
  socket.once('error', (error) => {
    failed = true;
    stream.destroy(error);
  });
  socket.once('close', () => {
    if (stream.writableEnded) stream.destroy();
    else if (!stream.destroyed) stream.push(null);
  });
  return stream;
}

/** WebSocketWriter writes whole frames past both streams, as long as ws itself writes none and has not said goodbye. */
export class WebSocketWriter implements DirectWriter {
  readonly #socket: WebSocket;
  readonly #wire: Duplex;
  readonly #direct: DirectWriter;

  constructor(socket: WebSocket, wire: Duplex, direct: DirectWriter) {
    this.#socket = socket;
    this.#wire = wire;
    this.#direct = direct;
  }

  get waiting(): number {
    return this.#direct.waiting;
  }

  write(bytes: Buffer, writer: Writer): Written {
    if (this.#socket.readyState !== this.#socket.OPEN || this.#wire.writableLength > 0) return NOT_WRITTEN;
    return this.#direct.write(bytes, writer);
  }
}

/** Mostly the wire takes all at once; a callback of its own for each write costs more than this look. */
function whenWritten(wire: Duplex, done: (error?: Error | null) => void): void {
  if (wire.writableLength === 0) done();
  else wire.write(NOTHING, done); // the wire calls back in order
}

function receive(stream: Duplex, socket: WebSocket, data: RawData, isBinary: boolean): void {
  if (socket.readyState !== socket.OPEN || stream.destroyed) return;
  if (!isBinary) {
    socket.close(CLOSE_UNSUPPORTED_DATA, 'MQTT needs binary messages'); // [MQTT-6.0.0-1]
    return;
  }
  // ws hands over a Buffer as long as binaryType is left alone.
  if (!stream.push(data as Buffer)) socket.pause();
}
