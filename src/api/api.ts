// Door of the API: REST over HTTP for people's pages, scripts and monitors, on streams that a listener has let in.
//
//   listener with `protocol http` -> serve(stream) -> application.ts -> operations/

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { type Application, createApplication } from './application.ts';
import { HttpStreams } from './http-streams.ts';
import type { ApiSetup } from './ports.ts';
import type { Visitor } from './visitor.ts';

/** Guest is what is known about a connection. */
export interface Guest extends Omit<Visitor, 'address'> {
  /** addressOf gives the address of the client by its X-Forwarded-For, where a proxy that is trusted wrote it. */
  addressOf(forwardedFor: string | undefined): string;
}

/** Api answers on streams until its stop. */
export interface Api {
  /** serve takes over a stream that speaks HTTP/1.1. */
  serve(stream: Duplex, guest: Guest): void;
  /** keepListeners ends the connections that came by other listeners: these are gone. */
  keepListeners(names: ReadonlySet<string>): void;
  /** stop ends all connections. */
  stop(): void;
}

/** createApi makes it; nothing is opened. */
export function createApi(setup: ApiSetup): Api {
  return new HttpApi(setup);
}

class HttpApi implements Api {
  readonly #application: Application;
  readonly #streams: HttpStreams<Guest>;
  readonly #stopped: () => void;

  constructor(setup: ApiSetup) {
    this.#stopped = setup.stopped;
    this.#application = createApplication(setup, (request) => this.#visitorOf(request));
    const answer = getRequestListener(this.#application.fetch, { overrideGlobalObjects: false });
    this.#streams = new HttpStreams(
      (request, response) => void answer(request, response),
      (request, stream, head) => void this.#application.upgrade(request, stream, head).catch(() => stream.destroy()), // it was logged
    );
  }

  serve(stream: Duplex, guest: Guest): void {
    this.#streams.serve(stream, guest);
  }

  keepListeners(names: ReadonlySet<string>): void {
    this.#streams.keepOnly(({ listener }) => names.has(listener));
  }

  stop(): void {
    this.#application.endStreams();
    this.#streams.stop();
    this.#stopped();
  }

  #visitorOf(request: IncomingMessage): Visitor {
    const guest = this.#streams.guestOf(request);
    const forwardedFor = request.headers['x-forwarded-for'];
    const { listener, isPrivate, hasTls } = guest;
    const address = guest.addressOf(Array.isArray(forwardedFor) ? forwardedFor.join() : forwardedFor);
    return { address, listener, isPrivate, hasTls, signedIn: () => guest.signedIn() };
  }
}
