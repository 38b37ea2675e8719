// The broker's test of itself: a client of its own publishes through a listener, by TLS where there is one, and waits for its message.
//
//   every third of the watchdog's time:  PUBLISH --> listener --> engine --> PUBLISH back? --> passed()
//
// A way that never worked (a listener that wants client certificates, say) is none: then it tells only that the program lives.

import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Part } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import { Decoder } from '../mqtt/decoder.ts';
import type { SelfTestLogin } from './self-test-login.ts';

/** More than three intervals of a quick test. Seconds. */
const KEEP_ALIVE = 600;

const CONNACK = 0x20;
const PUBLISH = 0x30;

/** Way is a listener as its clients find it. */
export interface Way {
  /** As log lines name it. */
  readonly name: string;
  readonly port: number;
  readonly addresses: readonly string[];
  /** Of clients, now. */
  readonly connections: number;
  readonly options: {
    readonly protocol: 'mqtt' | 'websockets' | 'http' | 'http_api';
    /** Of a Unix socket; null = a port. */
    readonly unixPath: string | null;
    /** Below 0 = no limit. */
    readonly maxConnections: number;
    readonly proxyProtocol: 0 | 1 | 2;
    readonly tls: { readonly requireCertificate: boolean; readonly identity: string } | null;
  };
}

export interface SelfTestSetup {
  readonly pass: SelfTestLogin;
  /** Those that are open now. */
  readonly listeners: () => readonly Way[];
  /** Milliseconds between tests. */
  readonly interval: number;
  /** Milliseconds that one may take. */
  readonly patience: number;
  readonly log: Logger;
  /** passed is called after each test that went well. */
  readonly passed: () => void;
}

/** createSelfTest makes the part; `start` is done after the first test. */
export function createSelfTest(setup: SelfTestSetup): Part {
  return new SelfTest(setup);
}

class SelfTest implements Part {
  readonly name = 'self-test';
  readonly #setup: SelfTestSetup;
  #way: Way | null = null;
  #visitor: Visitor | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isRunning = false;

  constructor(setup: SelfTestSetup) {
    this.#setup = setup;
  }

  async start(): Promise<void> {
    this.#isRunning = true;
    await this.#findWay();
    this.#setup.passed();
    this.#later();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#visitor?.close();
  }

  #later(): void {
    if (this.#isRunning) this.#timer = setTimeout(() => void this.#test(), this.#setup.interval);
  }

  async #findWay(): Promise<void> {
    this.#way = null;
    for (const listener of ways(this.#setup.listeners())) {
      if (!(await this.#visit(listener))) continue;
      this.#way = listener;
      return;
    }
    this.#setup.log.log('debug', 'The self-test finds no listener that it can use. It shows only that the program runs.');
  }

  async #test(): Promise<void> {
    if (this.#way !== null && !this.#setup.listeners().includes(this.#way)) await this.#findWay(); // closed by a reload
    const passes = this.#way === null || isFull(this.#way) || (await this.#visit(this.#way));
    if (!this.#isRunning) return;
    if (passes) this.#setup.passed();
    else
      this.#setup.log.log(
        'error',
        `Error: The self-test through ${this.#way?.name} failed: no message came back in ${Math.round(this.#setup.patience)} ms.`,
      );
    this.#later();
  }

  /** One message there and back; the connection stays for the next. */
  async #visit(listener: Way): Promise<boolean> {
    if (this.#visitor === null || this.#visitor.isClosed) this.#visitor = new Visitor(dial(listener), this.#setup.pass);
    const went = await this.#visitor.sendAndReceive(this.#setup.patience);
    if (!went || this.#visitor.isTurnedAway) this.#visitor.close();
    return went;
  }
}

/** Visitor is the client: MQTT 3.1.1, QoS 0. */
class Visitor {
  isClosed = false;
  /** The broker answered, but has no room for it or other reasons: it lives. */
  isTurnedAway = false;
  readonly #socket: Socket;
  readonly #pass: SelfTestLogin;
  #expected: Buffer | null = null;
  #settle: (went: boolean) => void = () => {};
  #hasConnected = false;

  constructor(socket: Socket, pass: SelfTestLogin) {
    this.#socket = socket;
    this.#pass = pass;
    const decoder = new Decoder({ onPacket: (buffer, start, body, end) => this.#onPacket(buffer, start, body, end) }, 1024);
    socket.on('error', () => {});
    socket.on('data', (chunk) => decoder.push(chunk));
    socket.on('close', () => {
      this.isClosed = true;
      this.#settle(false);
    });
    socket.write(connectPacket(pass));
  }

  sendAndReceive(patience: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), patience);
      this.#settle = (went) => {
        clearTimeout(timer);
        resolve(went);
      };
      this.#expected = Buffer.from(randomBytes(8).toString('hex'));
      if (this.#hasConnected) this.#publish();
      if (this.isClosed) this.#settle(false);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #onPacket(buffer: Buffer, start: number, body: number, end: number): boolean {
    const type = buffer[start]! & 0xf0; // a packet has a first byte
    if (type === CONNACK) {
      this.#hasConnected = buffer[body + 1] === 0;
      this.isTurnedAway = !this.#hasConnected;
      if (this.isTurnedAway) this.#settle(true);
      else {
        this.#socket.write(packet(0x82, Buffer.from([0, 1]), text(this.#pass.topicName), Buffer.from([0])));
        this.#publish();
      }
    }
    if (type === PUBLISH) {
      this.#pass.received++;
      if (this.#expected !== null && buffer.subarray(body, end).includes(this.#expected)) this.#settle(true);
    }
    return true;
  }

  #publish(): void {
    if (this.#expected === null) return;
    this.#socket.write(packet(PUBLISH, text(this.#pass.topicName), this.#expected));
    this.#pass.published++;
  }
}

/** ways gives the listeners that a client without a certificate or a proxy can use from here, those with TLS first. */
export function ways<Usable extends Pick<Way, 'options'>>(listeners: readonly Usable[]): readonly Usable[] {
  const usable = listeners.filter(({ options }) => {
    const wantsCertificate = options.tls !== null && (options.tls.requireCertificate || options.tls.identity !== 'none');
    return options.protocol === 'mqtt' && !wantsCertificate && options.proxyProtocol === 0;
  });
  return usable.toSorted((a, b) => Number(b.options.tls !== null) - Number(a.options.tls !== null));
}

function isFull({ options, connections }: Way): boolean {
  return options.maxConnections >= 0 && connections >= options.maxConnections;
}

/** Whether the certificate is a good one is another question: the clock may be wrong, and a restart would not help. */
function dial({ options, port, addresses }: Way): Socket {
  const [first = ''] = addresses;
  if (options.unixPath !== null) return connect(options.unixPath);
  const host = first === '0.0.0.0' ? '127.0.0.1' : first === '::' ? '::1' : first;
  return options.tls === null ? connect(port, host) : connectTls({ port, host, rejectUnauthorized: false });
}

function connectPacket({ clientId, password }: SelfTestLogin): Buffer {
  const header = Buffer.from([...text('MQTT'), 4, 0b1100_0010, KEEP_ALIVE >> 8, KEEP_ALIVE & 0xff]);
  const length = Buffer.from([0, password.length]);
  return packet(0x10, header, text(clientId), text(clientId), length, password);
}

/** All of ours are shorter than 128 bytes behind the length. */
function packet(first: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([first, body.length]), body]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}
