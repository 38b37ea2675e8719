// The connection to NATS: made, lost and made again without end. While it is lost nothing is sent, and nobody waits for it.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Authenticator, connect, credsAuthenticator, type NatsConnection, RequestError, type Status } from '@nats-io/transport-node';
import { reasonOf } from '../base/errors.ts';
import type { Carrier } from './nats-stream.ts';

/** Milliseconds between two attempts. */
const RETRY_MS = 1000;
const CONNECT_MS = 5000;
/** A server that does not answer this often, so long, is gone. */
const PING_MS = 2000;
const PINGS_MAX = 2;
/** Milliseconds that another broker may take for an answer. */
const ANSWER_MS = 5000;

/** BackplaneOptions: `credentials` is the content of the file. */
export interface BackplaneOptions {
  readonly servers: readonly string[];
  readonly credentials: Buffer | null;
  /** PEM; null inside = the authorities of the system. */
  readonly tls: { readonly ca: string | null } | null;
  /** As NATS shows this client. */
  readonly name: string;
}

/** BackplaneOwner is told of what happens. */
export interface BackplaneOwner {
  /** connected is called for each connection, before anything is heard on it. */
  connected(server: string): void;
  /** lost has the reason in words. It is called once for each connection, and for each failed attempt to make the first one. */
  lost(reason: string): void;
}

/** NobodyListens is a question on a subject that nobody has: the broker is gone, or of an older version. */
export class NobodyListens extends Error {}

type Listener = (bytes: Buffer, reply: string | null) => void;

/** Backplane is started once and stopped once. What is listened to is listened to again after each loss. */
export class Backplane implements Carrier {
  readonly #options: BackplaneOptions;
  readonly #owner: BackplaneOwner;
  readonly #stopping = new AbortController();
  #nats: NatsConnection | null = null;
  #isConnected = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: BackplaneOptions, owner: BackplaneOwner) {
    this.#options = options;
    this.#owner = owner;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#nats?.flush().catch(() => {}); // our last words: not where it is lost
    await this.#nats?.close();
    await this.#running;
  }

  publish(subject: string, bytes: Uint8Array): void {
    if (this.#isConnected) this.#nats?.publish(subject, bytes);
  }

  listen(subject: string, heard: Listener): () => void {
    const subscription = this.#nats?.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) heard(Buffer.from(message.data.buffer, message.data.byteOffset, message.data.length), message.reply ?? null);
      },
    });
    return () => subscription?.unsubscribe();
  }

  /** ask gives one answer; throws where none comes. */
  async ask(subject: string, bytes: Uint8Array, milliseconds = ANSWER_MS): Promise<Buffer> {
    try {
      const message = await this.#connection().request(subject, bytes, { timeout: milliseconds });
      return Buffer.from(message.data);
    } catch (error) {
      throw error instanceof RequestError && error.isNoResponders() ? new NobodyListens('nobody listens there') : error;
    }
  }

  /** askForMany gives answers until an empty one; throws where that does not come. */
  async askForMany(subject: string, bytes: Uint8Array): Promise<Buffer[]> {
    const answers: Buffer[] = [];
    const some = await this.#connection().requestMany(subject, bytes, { strategy: 'sentinel', maxWait: ANSWER_MS * 4, maxMessages: -1 });
    for await (const { data } of some) {
      if (data.length === 0) return answers;
      answers.push(Buffer.from(data));
    }
    throw new Error('the other broker does not answer to the end');
  }

  #connection(): NatsConnection {
    if (this.#nats === null || !this.#isConnected) throw new Error('NATS is not reached');
    return this.#nats;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        const nats = await this.#connect();
        this.#nats = nats;
        if (this.#stopping.signal.aborted) return await nats.close();
        this.#noteConnected(nats);
        for await (const status of nats.status()) this.#note(nats, status);
        const error = await nats.closed();
        this.#noteLost(error === undefined ? 'NATS has closed the connection' : reasonOf(error));
      } catch (error) {
        if (!this.#stopping.signal.aborted) this.#owner.lost(reasonOf(error));
      }
      await sleep(RETRY_MS, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => {}); // it is stopped
    }
  }

  #connect(): Promise<NatsConnection> {
    const { servers, credentials, tls, name } = this.#options;
    return connect({
      servers: [...servers],
      name,
      noEcho: true,
      timeout: CONNECT_MS,
      pingInterval: PING_MS,
      maxPingOut: PINGS_MAX,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RETRY_MS,
      ignoreAuthErrorAbort: true,
      ...(tls === null ? {} : { tls: tls.ca === null ? {} : { ca: tls.ca } }),
      ...(credentials === null ? {} : readCredentials(credentials)),
    });
  }

  #note(nats: NatsConnection, status: Status): void {
    if (status.type === 'disconnect') this.#noteLost(`the connection to ${status.server} is cut`);
    else if (status.type === 'reconnect') this.#noteConnected(nats);
  }

  #noteConnected(nats: NatsConnection): void {
    this.#isConnected = true;
    this.#owner.connected(nats.getServer());
  }

  #noteLost(reason: string): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    if (!this.#stopping.signal.aborted) this.#owner.lost(reason);
  }
}

/** What a credentials file may hold. */
function readCredentials(content: Buffer): { authenticator: Authenticator } | { user: string; pass: string } | { token: string } {
  const text = content.toString('utf8').trim();
  if (text.includes('BEGIN NATS USER JWT')) return { authenticator: credsAuthenticator(content) };
  const colon = text.indexOf(':');
  return colon < 0 ? { token: text } : { user: text.slice(0, colon), pass: text.slice(colon + 1) };
}
