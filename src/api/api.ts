// Door of the API: REST over HTTP for people's pages, scripts and monitors, on streams that a listener has let in.
//
//   listener with `protocol http` -> serve(stream) -> application.ts -> operations/

import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { type Application, createApplication } from './application.ts';
import type { ApiSetup } from './ports.ts';
import type { Visitor } from './visitor.ts';

const MAX_HEADER_BYTES = 16_384;

/** A connection that says nothing is closed: between requests, and within one. */
const KEEP_ALIVE_MS = 30_000;
const SILENCE_MS = 60_000;

/** Requests of one connection, so that none lives for ever. */
const MOST_REQUESTS = 10_000;

/** Guest is what is known about a connection. */
export interface Guest extends Omit<Visitor, 'address'> {
  /** addressOf gives the address of the client by its X-Forwarded-For, where a proxy that is trusted wrote it. */
  addressOf(forwardedFor: string | undefined): string;
}

/** Api answers on streams until its stop. */
export interface Api {
  /** serve takes over a stream that speaks HTTP/1.1. */
  serve(stream: Duplex, guest: Guest): void;
  /** stop ends all connections. */
  stop(): void;
}

/** createApi makes it; nothing is opened. */
export function createApi(setup: ApiSetup): Api {
  return new HttpApi(setup);
}

class HttpApi implements Api {
  readonly #application: Application;
  readonly #guests = new WeakMap<Duplex, Guest>();
  readonly #streams = new Set<Duplex>();
  readonly #server: Server;
  readonly #stopped: () => void;

  constructor(setup: ApiSetup) {
    this.#stopped = setup.stopped;
    this.#application = createApplication(setup, (request) => this.#visitorOf(request));
    const answer = getRequestListener(this.#application.fetch, { overrideGlobalObjects: false });
    this.#server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
      void answer(request, response);
    });
    this.#server.timeout = SILENCE_MS;
    this.#server.maxRequestsPerSocket = MOST_REQUESTS;
    this.#server.on('clientError', (_error, stream) => {
      if (stream.writable) stream.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n', () => stream.destroy());
      else stream.destroy();
    });
    this.#server.on('upgrade', (_request, stream) => stream.end('HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\n\r\n'));
  }

  serve(stream: Duplex, guest: Guest): void {
    this.#guests.set(stream, guest);
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    this.#server.emit('connection', stream);
  }

  stop(): void {
    this.#application.endStreams();
    for (const stream of this.#streams) stream.destroy();
    this.#stopped();
  }

  #visitorOf(request: IncomingMessage): Visitor {
    const guest = this.#guests.get(request.socket);
    if (guest === undefined) throw new Error('this connection has not come by a listener');
    const forwardedFor = request.headers['x-forwarded-for'];
    const { listener, isPrivate, hasTls } = guest;
    const address = guest.addressOf(Array.isArray(forwardedFor) ? forwardedFor.join() : forwardedFor);
    return { address, listener, isPrivate, hasTls, signedIn: () => guest.signedIn() };
  }
}
