// A WebSocket as the byte stream that the broker reads and writes: MQTT 5.0, 6 "Using WebSocket as a network transport".

import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';

/** RFC 6455 7.4.1: normal closure, and data of a type we can't accept. */
const CLOSE_NORMAL = 1000;
const CLOSE_UNSUPPORTED_DATA = 1003;

/** createWebSocketStream gives a Duplex of bytes: each write is sent as one binary message, and message borders are not seen by the reader [MQTT-6.0.0-2]. */
export function createWebSocketStream(socket: WebSocket): Duplex {
  let failed = false;
  const stream = new Duplex({
    allowHalfOpen: false,
    read() {
      if (socket.isPaused) socket.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      socket.send(chunk, done);
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

function receive(stream: Duplex, socket: WebSocket, data: RawData, isBinary: boolean): void {
  if (socket.readyState !== socket.OPEN || stream.destroyed) return;
  if (!isBinary) {
    socket.close(CLOSE_UNSUPPORTED_DATA, 'MQTT needs binary messages'); // [MQTT-6.0.0-1]
    return;
  }
  // ws hands over a Buffer as long as binaryType is left alone.
  if (!stream.push(data as Buffer)) socket.pause();
}
