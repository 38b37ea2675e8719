// A client of MQTT 3.1.1 or 5 that hides nothing: packets out, packets in, every acknowledgement left to its owner.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { readLength } from '../protocol/hex-template.ts';

export interface RawClientOptions {
  /** A path = a Unix socket. */
  readonly port: number | string;
  readonly clientId: string;
  readonly version: 4 | 5;
  /** False: the session is kept for ever. */
  readonly clean: boolean;
}

/** RawPacket: `first` is the packet's first byte, `body` all behind its length. */
export interface RawPacket {
  readonly first: number;
  readonly body: Buffer;
}

/** RawPublish is what a PUBLISH says; `packetId` is 0 with QoS 0. */
export interface RawPublish {
  readonly topicName: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly dup: boolean;
  readonly packetId: number;
}

const FOR_EVER = Buffer.from('0511ffffffff', 'hex');

export type OnPacket = (packet: RawPacket, client: RawClient) => void;

/** RawClient is one network connection. Packets that are not awaited go to `onPacket`; what is sent to a connection that is gone is lost. */
export class RawClient {
  readonly version: 4 | 5;
  onPacket: OnPacket;
  readonly #socket: Socket;
  #pending: Buffer;
  #awaited: { readonly type: number; readonly resolve: (packet: RawPacket) => void } | null;

  constructor(socket: Socket, version: 4 | 5) {
    this.version = version;
    this.onPacket = () => {};
    this.#socket = socket;
    this.#pending = Buffer.alloc(0);
    this.#awaited = null;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && !this.#socket.readableEnded;
  }

  /** ask sends a packet and gives the answer of a type; rejects when the connection ends first. */
  ask(packet: Buffer, type: number): Promise<RawPacket> {
    return new Promise((resolve, reject) => {
      this.#awaited = { type, resolve };
      this.#socket.once('close', () => reject(new Error('the broker has closed the connection')));
      this.send(packet);
    });
  }

  send(packet: Buffer): void {
    if (this.isOpen) this.#socket.write(packet);
  }

  /** abort drops the connection; nothing comes after it. */
  abort(): void {
    this.onPacket = () => {};
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    let at = 0;
    for (;;) {
      const length = readLength(bytes.subarray(at + 1, at + 5));
      if (length === null || bytes.length < at + 1 + length.end + length.value) break;
      const body = at + 1 + length.end;
      this.#hand({ first: bytes[at] ?? 0, body: bytes.subarray(body, body + length.value) });
      at = body + length.value;
    }
    this.#pending = bytes.subarray(at);
  }

  #hand(packet: RawPacket): void {
    const awaited = this.#awaited;
    if (awaited?.type !== packet.first >> 4) return this.onPacket(packet, this);
    this.#awaited = null;
    awaited.resolve(packet);
  }
}

/** openRawClient connects; `hasSession` is CONNACK's Session Present. Rejects when the broker refuses or ends it. `onPacket` may be called before it resolves. */
export async function openRawClient(options: RawClientOptions, onPacket: OnPacket): Promise<{ client: RawClient; hasSession: boolean }> {
  const { port } = options;
  const socket = typeof port === 'string' ? connect(port) : connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  const client = new RawClient(socket, options.version);
  client.onPacket = onPacket;
  const { body } = await client.ask(connectPacket(options), 2);
  if (body[1] !== 0) throw new Error(`the broker refuses client "${options.clientId}" with ${body[1]}`);
  return { client, hasSession: body[0] === 1 };
}

/** packetBytes puts a packet together. */
export function packetBytes(first: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = [first];
  let rest = body.length;
  do {
    head.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from(head), body]);
}

/** ackBytes is PUBACK, PUBREC, PUBREL or PUBCOMP with success, by its first byte. */
export function ackBytes(first: number, packetId: number): Buffer {
  return packetBytes(first, [uint16(packetId)]);
}

export function publishBytes(version: 4 | 5, message: Omit<RawPublish, 'dup'> & { readonly retain: boolean }): Buffer {
  const first = 0x30 | (message.qos << 1) | (message.retain ? 1 : 0);
  const identifier = message.qos > 0 ? [uint16(message.packetId)] : [];
  return packetBytes(first, [text(message.topicName), ...identifier, noProperties(version), message.payload]);
}

export function subscribeBytes(version: 4 | 5, topicFilter: string, qos: number): Buffer {
  return packetBytes(0x82, [uint16(1), noProperties(version), text(topicFilter), Buffer.of(qos)]);
}

export function readPublish(version: 4 | 5, { first, body }: RawPacket): RawPublish {
  const qos = (first >> 1) & 3;
  let at = 2 + body.readUInt16BE(0);
  const topicName = body.toString('utf8', 2, at);
  const packetId = qos > 0 ? body.readUInt16BE(at) : 0;
  if (qos > 0) at += 2;
  const properties = version === 5 ? readLength(body.subarray(at)) : null;
  if (properties !== null) at += properties.end + properties.value;
  return { topicName, payload: body.subarray(at), qos, dup: (first & 8) !== 0, packetId };
}

function connectPacket({ clientId, version, clean }: RawClientOptions): Buffer {
  const keepAliveOff = uint16(0);
  const flags = Buffer.of(version, clean ? 2 : 0);
  const properties = version === 5 && !clean ? FOR_EVER : noProperties(version);
  return packetBytes(0x10, [text('MQTT'), flags, keepAliveOff, properties, text(clientId)]);
}

function noProperties(version: 4 | 5): Buffer {
  return version === 5 ? Buffer.of(0) : Buffer.alloc(0);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}
