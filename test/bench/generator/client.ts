// A raw MQTT connection for the bench: bytes in and out, nothing remembered. TCP, TLS or WebSocket.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { createWebSocketStream, WebSocket } from 'ws';

const ACKS_AT_LEAST = 4096;

export interface ClientOptions {
  readonly port: number;
  /** Protocol level: 3, 4 or 5. */
  readonly version: number;
  readonly tls: boolean;
  readonly websocket: boolean;
  readonly username: string | null;
  readonly password: string | null;
  /** The session outlives the connection. */
  readonly kept: boolean;
}

/** OnFrame takes one packet: bytes[at..end), its variable header at `body`, read at `time` (performance.now()). */
export type OnFrame = (client: Client, bytes: Buffer, at: number, end: number, body: number, time: number) => void;

/** PLAIN is a client over TCP with MQTT 3.1.1 and no password. */
export const PLAIN: Omit<ClientOptions, 'port'> = { version: 4, tls: false, websocket: false, username: null, password: null, kept: false };

export class Client {
  readonly #options: ClientOptions;
  readonly #clientId: string;
  readonly #onFrame: OnFrame;
  readonly #lose: (reason: Error) => void;
  /** lost rejects when the connection ends, whoever ended it. */
  readonly lost: Promise<never>;
  #stream: Duplex | null;
  #kept: Buffer | null;
  #acks: Buffer;
  #acksEnd: number;
  #answer: ((frame: Buffer) => void) | null;

  constructor(options: ClientOptions, clientId: string, onFrame: OnFrame) {
    this.#options = options;
    this.#clientId = clientId;
    this.#onFrame = onFrame;
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {}); // nobody has to wait for it
    this.lost = promise;
    this.#lose = reject;
    this.#stream = null;
    this.#kept = null;
    this.#acks = Buffer.allocUnsafe(ACKS_AT_LEAST);
    this.#acksEnd = 0;
    this.#answer = null;
  }

  /** open connects and waits for the CONNACK. */
  async open(): Promise<void> {
    const stream = await openStream(this.#options);
    this.#stream = stream;
    stream.on('error', (error) => this.#lose(new Error(`Cannot go on: ${error.message}`, { cause: error })));
    stream.on('close', () => this.#lose(new Error('Cannot go on: the broker closed a connection')));
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    const answer = await this.#ask(connectPacket(this.#options, this.#clientId));
    if (answer[0] !== 0x20 || answer[3] !== 0) throw new Error('Cannot connect: CONNACK refuses');
  }

  /** subscribe waits for the SUBACK. */
  async subscribe(filter: string, qos: number): Promise<void> {
    const head = this.#options.version === 5 ? [0, 1, 0] : [0, 1];
    const answer = await this.#ask(packet(0x82, [Buffer.from(head), text(filter), Buffer.from([qos])]));
    if (answer[0] !== 0x90 || answer.at(-1) !== qos) throw new Error('Cannot subscribe: SUBACK refuses');
  }

  write(bytes: Buffer): void {
    this.#stream?.write(bytes);
  }

  /** acknowledge appends a PUBACK, PUBREC, PUBREL or PUBCOMP; all of one chunk leave in one write. */
  acknowledge(type: number, packetId: number): void {
    if (this.#acksEnd + 4 > this.#acks.length) this.#flushAcks();
    this.#acks.writeUInt32BE(((type << 24) | 0x20000 | packetId) >>> 0, this.#acksEnd);
    this.#acksEnd += 4;
  }

  close(): void {
    this.#stream?.destroy();
  }

  #ask(bytes: Buffer): Promise<Buffer> {
    const answer = new Promise<Buffer>((resolve) => {
      this.#answer = resolve;
    });
    this.write(bytes);
    return Promise.race([answer, this.lost]);
  }

  #receive(chunk: Buffer): void {
    const time = performance.now();
    const bytes = this.#kept === null ? chunk : Buffer.concat([this.#kept, chunk]);
    let at = 0;
    while (at + 1 < bytes.length) {
      const body = bodyOf(bytes, at);
      const end = body < 0 ? -1 : body + remainingOf(bytes, at);
      if (end < 0 || end > bytes.length) break;
      this.#dispatch(bytes, at, end, body, time);
      at = end;
    }
    this.#kept = at === bytes.length ? null : bytes.subarray(at);
    if (this.#acksEnd > 0) this.#flushAcks();
  }

  #dispatch(bytes: Buffer, at: number, end: number, body: number, time: number): void {
    const answer = this.#answer;
    const type = (bytes[at] ?? 0) & 0xf0;
    if (answer !== null && (type === 0x20 || type === 0x90)) {
      this.#answer = null;
      answer(Buffer.from(bytes.subarray(at, end)));
    } else {
      this.#onFrame(this, bytes, at, end, body, time);
    }
  }

  #flushAcks(): void {
    this.write(this.#acks.subarray(0, this.#acksEnd));
    this.#acks = Buffer.allocUnsafe(ACKS_AT_LEAST);
    this.#acksEnd = 0;
  }
}

async function openStream(options: ClientOptions): Promise<Duplex> {
  if (options.websocket) {
    const socket = new WebSocket(`ws://127.0.0.1:${options.port}/mqtt`, 'mqtt', { perMessageDeflate: false });
    await once(socket, 'open');
    return createWebSocketStream(socket);
  }
  if (options.tls) {
    const socket = connectTls({ host: '127.0.0.1', port: options.port, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return socket.setNoDelay(true);
  }
  const socket: Socket = connect({ host: '127.0.0.1', port: options.port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

function connectPacket(options: ClientOptions, clientId: string): Buffer {
  const flags = (options.kept ? 0 : 0x02) | (options.username === null ? 0 : 0xc0); // no keep alive
  const parts = [text(options.version === 3 ? 'MQIsdp' : 'MQTT'), Buffer.from([options.version, flags, 0, 0])];
  if (options.version === 5) parts.push(Buffer.from([0]));
  parts.push(text(clientId));
  if (options.username !== null) parts.push(text(options.username), text(options.password ?? ''));
  return packet(0x10, parts);
}

/** packet makes an MQTT packet of its parts. */
export function packet(type: number, parts: readonly Buffer[]): Buffer {
  const head = [type];
  let remaining = parts.reduce((sum, part) => sum + part.length, 0);
  do {
    head.push((remaining & 0x7f) | (remaining > 0x7f ? 0x80 : 0));
    remaining >>>= 7;
  } while (remaining > 0);
  return Buffer.concat([Buffer.from(head), ...parts]);
}

/** text makes a UTF-8 string with its length before it. */
export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function bodyOf(bytes: Buffer, at: number): number {
  for (let i = at + 1; i < bytes.length && i <= at + 4; i++) if ((bytes[i] ?? 0) < 0x80) return i + 1;
  return -1;
}

function remainingOf(bytes: Buffer, at: number): number {
  let value = 0;
  for (let i = at + 1, shift = 0; i <= at + 4; i++, shift += 7) {
    const byte = bytes[i] ?? 0;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return value;
}
