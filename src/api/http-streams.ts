// HTTP/1.1 on streams that a listener has let in, with limits on what one of them can cost.

import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';

const MAX_HEADER_BYTES = 16_384;

/** A connection that says nothing is closed: between requests, and within one. */
const KEEP_ALIVE_MS = 30_000;
const SILENCE_MS = 60_000;

/** Requests of one connection, so that none lives for ever. */
const MOST_REQUESTS = 10_000;

/** HttpStreams answers on streams until its stop. `Guest` is what is known about a connection. */
export class HttpStreams<Guest> {
  readonly #guests = new WeakMap<Duplex, Guest>();
  readonly #streams = new Set<Duplex>();
  readonly #server: Server;

  constructor(answer: RequestListener) {
    this.#server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: KEEP_ALIVE_MS }, answer);
    this.#server.timeout = SILENCE_MS;
    this.#server.maxRequestsPerSocket = MOST_REQUESTS;
    this.#server.on('clientError', (_error, stream) => {
      if (stream.writable) stream.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n', () => stream.destroy());
      else stream.destroy();
    });
    this.#server.on('upgrade', (_request, stream) => stream.end('HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\n\r\n'));
  }

  /** serve takes over a stream that speaks HTTP/1.1. */
  serve(stream: Duplex, guest: Guest): void {
    this.#guests.set(stream, guest);
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    this.#server.emit('connection', stream);
  }

  guestOf(request: IncomingMessage): Guest {
    const guest = this.#guests.get(request.socket);
    if (guest === undefined) throw new Error('this connection has not come by a listener');
    return guest;
  }

  /** stop ends all connections. */
  stop(): void {
    for (const stream of this.#streams) stream.destroy();
  }
}
