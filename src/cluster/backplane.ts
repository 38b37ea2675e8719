// The connection to NATS: made, lost and made again without end. While it is lost nothing is sent, and nobody waits for it.

import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
  RequestError,
  type Status,
  type TlsOptions,
} from '@nats-io/transport-node';
import { natsReason } from './nats-reason.ts';
import type { Carrier } from './nats-stream.ts';
import { UNHURRIED_MS } from './neighbours.ts';

/** Milliseconds between two rounds of attempts. */
const RETRY_MS = 1000;
const CONNECT_MS = 5000;
/** A server that does not answer this often, so long, is gone. */
const PING_MS = 2000;
const PINGS_MAX = 2;
/** Bytes that a server must take in one message: wills, retained values and client ids may need most of them. As it comes, it takes 1,048,576. */
const PAYLOAD_MIN = 1_000_000;

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
  /** refused has what NATS did not let us do, in words. The connection stays. */
  refused(reason: string): void;
  /** failed has what we could not do with a message of a subject: a mistake of ours, or of who sent it. */
  failed(subject: string, error: unknown): void;
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
    const nats = this.#nats;
    if (nats !== null) {
      await Promise.race([nats.flush(), nats.closed()]).catch(() => {}); // our last words: not where it is lost
      await nats.close();
    }
    await this.#running;
  }

  /** publish never throws: what NATS does not take is lost, as on the way. */
  publish(subject: string, bytes: Uint8Array): void {
    try {
      this.#open?.publish(subject, bytes);
    } catch (error) {
      this.#owner.refused(`${bytes.length} bytes to ${subject}: ${natsReason(error)}`);
    }
  }

  listen(subject: string, heard: Listener): () => void {
    const subscription = this.#open?.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) return;
        try {
          heard(Buffer.from(message.data.buffer, message.data.byteOffset, message.data.length), message.reply ?? null);
        } catch (mistake) {
          this.#owner.failed(subject, mistake); // thrown into the client of NATS, it would end its reading
        }
      },
    });
    return () => subscription?.unsubscribe();
  }

  /** ask gives one answer; throws where none comes. */
  async ask(subject: string, bytes: Uint8Array, milliseconds = UNHURRIED_MS): Promise<Buffer> {
    try {
      const message = await this.#connection().request(subject, bytes, { timeout: milliseconds });
      return Buffer.from(message.data);
    } catch (error) {
      throw error instanceof RequestError && error.isNoResponders() ? new NobodyListens('nobody listens there') : error;
    }
  }

  /** askForMany gives answers until an empty one; throws where that, or one before it, does not come. */
  async askForMany(subject: string, bytes: Uint8Array): Promise<Buffer[]> {
    const answers: Buffer[] = [];
    const waits = { maxWait: UNHURRIED_MS, stall: UNHURRIED_MS * 2, maxMessages: -1 }; // for the first; from one, of 256 KB at most, to the next
    const some = await this.#connection().requestMany(subject, bytes, { strategy: 'stall', ...waits });
    for await (const { data } of some) {
      if (data.length === 0) return answers;
      answers.push(Buffer.from(data));
    }
    throw new Error('the other broker does not answer to the end');
  }

  #connection(): NatsConnection {
    const open = this.#open;
    if (open === null) throw new Error('NATS is not reached');
    return open;
  }

  /** Null = there is none, or it is closed, of which we are told a little later. */
  get #open(): NatsConnection | null {
    return this.#isConnected && this.#nats?.isClosed() === false ? this.#nats : null;
  }

  async #run(): Promise<void> {
    const { servers } = this.#options;
    let next = Math.floor(Math.random() * servers.length); // brokers spread over the servers
    while (!this.#stopping.signal.aborted) {
      const reasons: string[] = [];
      for (let tried = 0; tried < servers.length && !this.#stopping.signal.aborted; tried++) {
        const server = servers[next++ % servers.length]!; // there is one
        const nats = await this.#connect(server).catch((error: unknown) => void reasons.push(`${server}: ${natsReason(error)}`));
        if (nats === undefined) continue;
        await this.#serve(nats);
        reasons.length = 0;
        break;
      }
      if (reasons.length > 0 && !this.#stopping.signal.aborted) this.#owner.lost(reasons.join('; '));
      await sleep(RETRY_MS, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => {}); // it is stopped
    }
  }

  async #serve(nats: NatsConnection): Promise<void> {
    this.#nats = nats;
    if (this.#stopping.signal.aborted) return nats.close();
    this.#noteConnected(nats);
    for await (const status of nats.status()) this.#note(status);
    const error = await nats.closed();
    this.#noteLost(error === undefined ? `${nats.getServer()}: the connection is cut` : `${nats.getServer()}: ${natsReason(error)}`);
  }

  /** Lost, it is made anew by us, so that each reason is known. Throws for a server that would not take all that brokers say. */
  async #connect(server: string): Promise<NatsConnection> {
    const { credentials, tls, name } = this.#options;
    const nats = await connect({
      servers: [server],
      name,
      noEcho: true,
      reconnect: false,
      timeout: CONNECT_MS,
      pingInterval: PING_MS,
      maxPingOut: PINGS_MAX,
      ...(tls === null ? {} : { tls: tlsFor(server, tls.ca) }),
      ...(credentials === null ? {} : readCredentials(credentials)),
    });
    const payloadMax = nats.info?.max_payload ?? 0;
    if (payloadMax >= PAYLOAD_MIN) return nats;
    await nats.close();
    throw new Error(`it takes messages of ${payloadMax} bytes at most, and brokers need 1 MB: set max_payload: 1MB in its configuration`);
  }

  #note(status: Status): void {
    if (status.type === 'disconnect') this.#noteLost(`${status.server}: the connection is cut`);
    else if (status.type === 'error') this.#owner.refused(natsReason(status.error));
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

/** The client of NATS verifies a server that is named by its address as `localhost`. It hands on what it does not know to node:tls. */
function tlsFor(server: string, ca: string | null): TlsOptions & Pick<ConnectionOptions, 'checkServerIdentity'> {
  const host = server.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return { ...(ca === null ? {} : { ca }), checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate) };
}

/** The seed of a user's nkey: base 32 of 36 bytes. */
const NKEY_SEED = /^SU[A-Z2-7]{56}$/;

/** What a credentials file may hold. */
function readCredentials(content: Buffer): { authenticator: Authenticator } | { user: string; pass: string } | { token: string } {
  const text = content.toString('utf8').trim();
  if (text.includes('BEGIN NATS USER JWT')) return { authenticator: credsAuthenticator(content) };
  if (NKEY_SEED.test(text)) return { authenticator: nkeyAuthenticator(Buffer.from(text)) };
  const colon = text.indexOf(':');
  return colon < 0 ? { token: text } : { user: text.slice(0, colon), pass: text.slice(colon + 1) };
}
