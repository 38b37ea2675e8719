// A WebSocket as the byte stream that the broker reads and writes: MQTT 5.0, 6 "Using WebSocket as a network transport".

import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';

/** RFC 6455 7.4.1: normal closure, and data of a type we can't accept. */
const CLOSE_NORMAL = 1000;
const CLOSE_UNSUPPORTED_DATA = 1003;

/** RFC 6455 5.2: first byte of a whole binary message, and the most bytes before its content. */
const FINAL_BINARY = 0x82;
const LONGEST_HEADER = 10;

/** createWebSocketStream gives a Duplex of bytes over the WebSocket on `wire`: each packet that is written is sent as a binary message of its own, and message borders are not seen by the reader [MQTT-6.0.0-2]. */
export function createWebSocketStream(socket: WebSocket, wire: Duplex): Duplex {
  let failed = false;
  const stream = new Duplex({
    allowHalfOpen: false,
    read() {
      if (socket.isPaused) socket.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      const packets = countPackets(chunk);
      if (packets === 1 || socket.readyState !== socket.OPEN) socket.send(chunk, done);
      else wire.write(framed(chunk, packets), done); // one write for all; ws writes whole frames too, as long as nothing is compressed
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

// A message may hold several packets, but Paho C 1.3.12 reads the second one only when more bytes come, so each has its own.

function countPackets(chunk: Buffer): number {
  let count = 0;
  for (let start = 0; start < chunk.length; start = packetEnd(chunk, start)) count++;
  return count;
}

/** framed gives the unmasked frames of the packets in one buffer (RFC 6455 5.2). */
function framed(chunk: Buffer, packets: number): Buffer {
  const frames = Buffer.allocUnsafe(chunk.length + packets * LONGEST_HEADER);
  let at = 0;
  for (let start = 0; start < chunk.length; ) {
    const end = packetEnd(chunk, start);
    const length = end - start;
    frames[at++] = FINAL_BINARY;
    if (length < 126) {
      frames[at++] = length;
    } else if (length < 65_536) {
      frames[at] = 126;
      at = frames.writeUInt16BE(length, at + 1);
    } else {
      frames[at] = 127;
      at = frames.writeBigUInt64BE(BigInt(length), at + 1);
    }
    at += chunk.copy(frames, at, start, end);
    start = end;
  }
  return frames.subarray(0, at);
}

/** packetEnd gives the offset behind the packet at `start`, the length of the chunk when that packet does not end in it. */
function packetEnd(chunk: Buffer, start: number): number {
  let length = 0;
  for (let at = start + 1, shift = 0; shift <= 21 && at < chunk.length; at++, shift += 7) {
    const byte = chunk[at]!; // `at` is in the chunk
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return Math.min(at + 1 + length, chunk.length);
  }
  return chunk.length;
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
