// HTTP/1.1 on streams that a listener has let in, with limits on what one of them can cost.

import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

const MAX_HEADER_BYTES = 16_384;

/** A connection that says nothing is closed: between requests, and within one. */
const KEEP_ALIVE_MS = 30_000;
const SILENCE_MS = 60_000;

/** The head of a request is there by then, however slowly it comes: Node looks at that only on its own listeners. */
const HEAD_MS = 20_000;

/** Requests of one connection, so that none lives for ever. */
const MOST_REQUESTS = 10_000;

/** Upgrade answers a request for another protocol, and ends the stream where it does not take it over. */
export type Upgrade = (request: IncomingMessage, stream: Duplex, head: Buffer) => void;

/** HttpStreams answers on streams until its stop. `Guest` is what is known about a connection. */
export class HttpStreams<Guest> {
  readonly #guests = new WeakMap<Duplex, Guest>();
  readonly #streams = new Set<Duplex>();
  readonly #server: Server;
  readonly #headMs: number;
  /** Connections on which a head is awaited. */
  readonly #awaited = new Map<Duplex, NodeJS.Timeout>();
  readonly #unanswered = new WeakMap<Duplex, number>();
  /** The latest of each connection. */
  readonly #answers = new WeakMap<Duplex, ServerResponse>();

  /** `headMs` is for tests. */
  constructor(answer: RequestListener, upgrade: Upgrade = refuseUpgrade, headMs = HEAD_MS) {
    this.#headMs = headMs;
    this.#server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
      this.#begin(request.socket);
      this.#answers.set(request.socket, response);
      response.once('close', () => this.#end(request.socket));
      answer(request, response);
    });
    this.#server.timeout = SILENCE_MS;
    this.#server.maxRequestsPerSocket = MOST_REQUESTS;
    this.#server.on('clientError', (_error, stream) => {
      if (stream.writable) stream.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n', () => stream.destroy());
      else stream.destroy();
    });
    this.#server.on('upgrade', (request, stream, head) => {
      this.#headCame(stream);
      request.socket.setTimeout(0); // from here on it may be silent
      stream.on('error', () => stream.destroy());
      upgrade(request, stream, head);
    });
  }

  /** serve takes over a stream that speaks HTTP/1.1. */
  serve(stream: Duplex, guest: Guest): void {
    this.#guests.set(stream, guest);
    this.#streams.add(stream);
    stream.once('close', () => {
      this.#streams.delete(stream);
      this.#headCame(stream);
    });
    this.#awaitHead(stream, this.#headMs);
    this.#server.emit('connection', stream);
  }

  /** A client may send the next request before it has the answer to this one. */
  #begin(stream: Duplex): void {
    this.#headCame(stream);
    this.#unanswered.set(stream, (this.#unanswered.get(stream) ?? 0) + 1);
  }

  #end(stream: Duplex): void {
    const left = (this.#unanswered.get(stream) ?? 1) - 1;
    this.#unanswered.set(stream, left);
    if (left === 0) this.#awaitHead(stream, KEEP_ALIVE_MS + this.#headMs);
  }

  #awaitHead(stream: Duplex, milliseconds: number): void {
    this.#headCame(stream);
    if (!stream.destroyed) this.#awaited.set(stream, setTimeout(() => stream.destroy(), milliseconds).unref());
  }

  #headCame(stream: Duplex): void {
    clearTimeout(this.#awaited.get(stream));
    this.#awaited.delete(stream);
  }

  guestOf(request: IncomingMessage): Guest {
    const guest = this.#guests.get(request.socket);
    if (guest === undefined) throw new Error('this connection has not come by a listener');
    return guest;
  }

  /** keepOnly ends all other connections. One that is being answered ends with its answer, unless that has begun and goes on: it may have no end. */
  keepOnly(isKept: (guest: Guest) => boolean): void {
    for (const stream of this.#streams) {
      const guest = this.#guests.get(stream);
      if (guest === undefined || isKept(guest)) continue;
      const answer = this.#answers.get(stream);
      if (answer === undefined || answer.headersSent) stream.destroy();
      else answer.once('finish', () => stream.end());
    }
  }

  /** stop ends all connections. */
  stop(): void {
    for (const stream of this.#streams) stream.destroy();
  }
}

function refuseUpgrade(_request: IncomingMessage, stream: Duplex): void {
  stream.end('HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\n\r\n');
}
