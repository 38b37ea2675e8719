// No message carries bytes of another one, however memory is lent and shared on the way: random sizes, split anywhere, over TCP and WebSocket,
// MQTT 3.1.1 and 5, QoS 0 and 1, with readers that are slow and clients that go in the middle of a packet.
//
// MIDGE_MESSAGES=10000000 build/with.sh node --test test/broker/whose-bytes.test.ts checks so many deliveries, 20,000 without it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { DEFAULT_LISTENER_POLICY } from '../../src/broker/options.ts';
import { openListener } from '../listeners/test-listener.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';
import { hex } from '../support/protocol/hex-template.ts';

const DELIVERIES = Number(process.env['MIDGE_MESSAGES'] ?? 20_000);
const TOPICS = 4;
/** Bytes of a payload that say whose it is: its number, and its length. */
const HEAD = 8;
/** Bytes that a publisher has on their way at most. */
const AHEAD = 2_000_000;

test('no message carries bytes of another one', { timeout: 3_600_000 }, async (context) => {
  await using broker = await startTestBroker({ options: { maxQueuedMessages: 100 } });
  const policy = { ...DEFAULT_LISTENER_POLICY, allowAnonymous: true };
  const ports = { tcp: 0, websockets: 0 };
  for (const protocol of ['mqtt', 'websockets'] as const) {
    const { listener, next } = await openListener(context, { protocol, policy });
    ports[protocol === 'mqtt' ? 'tcp' : 'websockets'] = listener.port;
    void (async () => {
      for (;;) {
        const { stream, origin } = await next();
        broker.broker.handle(stream, origin);
      }
    })();
  }
  const tally = { delivered: 0, large: 0, cut: 0 };
  const isOver = () => tally.delivered >= DELIVERIES;
  const open = new Set<() => void>();
  context.after(() => open.forEach((cut) => void cut()));
  const subscribers = Array.from({ length: 12 }, (_, at) => subscribe(open, ports, at, tally, isOver));
  const publishers = Array.from({ length: 6 }, (_, at) => publish(open, ports.tcp, at, tally, isOver));
  await Promise.all([...publishers, ...subscribers]);
  assert.ok(tally.delivered >= DELIVERIES);
  assert.ok(tally.large > DELIVERIES / 50, `${tally.large} large ones`);
  assert.ok(tally.cut > 10, `${tally.cut} connections were cut`);
});

interface Tally {
  delivered: number;
  large: number;
  cut: number;
}

let lastNumber = 0;

/** A payload of a size that meets the limits of the code: none at all, around a page, many reads. */
function payloadOf(): Buffer {
  const kind = Math.random();
  const most = kind < 0.6 ? 200 : kind < 0.8 ? 5000 : kind < 0.97 ? 40_000 : kind < 0.995 ? 300_000 : 1_500_000;
  const number = ++lastNumber;
  const payload = Buffer.alloc(HEAD + Math.floor(Math.random() * most), wordOf(number));
  payload.writeUInt32BE(payload.length, 4);
  return payload;
}

function wordOf(number: number): Buffer {
  const word = Buffer.alloc(4);
  word.writeUInt32BE(number);
  return word;
}

/** Throws unless each word of a payload is its number: the length stands in the place of the second one. */
function check(payload: Buffer): void {
  assert.ok(payload.length >= HEAD, 'a payload is too short');
  const number = payload.readUInt32BE(0);
  assert.ok(number > 0 && number <= lastNumber, `number ${number}`);
  assert.equal(payload.readUInt32BE(4), payload.length, `length of ${number}`);
  const expected = Buffer.alloc(payload.length, wordOf(number));
  if (payload.compare(expected, HEAD, undefined, HEAD) === 0) return;
  let at = HEAD;
  while (payload[at] === expected[at]) at++;
  assert.fail(`message ${number} of ${payload.length} bytes has foreign bytes from ${at} on`);
}

/** Publishes until all is over; now and then it goes in the middle of a packet. */
async function publish(open: Set<() => void>, port: number, index: number, tally: Tally, isOver: () => boolean): Promise<void> {
  const version = index % 2 === 0 ? 4 : 5;
  while (!isOver()) {
    const socket = connect(port, '127.0.0.1');
    const cut = () => void socket.destroy();
    open.add(cut);
    socket.on('error', () => {}).resume();
    socket.once('close', () => open.delete(cut));
    socket.write(connectPacket(version, `publisher${index}`));
    for (let round = 0; round < 20 && !isOver() && !socket.destroyed; round++) {
      const packets = Buffer.concat(Array.from({ length: 1 + Math.floor(Math.random() * 20) }, () => publishPacket(version)));
      await writeInParts(socket, packets);
      while (socket.writableLength > AHEAD && !socket.destroyed) await pause();
    }
    if (Math.random() < 0.5) socket.write(publishPacket(version).subarray(0, -1)); // it never comes whole
    tally.cut++;
    await pause();
    if (Math.random() < 0.5) socket.end();
    else socket.destroy();
  }
}

async function writeInParts(socket: Socket, bytes: Buffer): Promise<void> {
  const parts = Math.random() < 0.7 ? 0 : 3;
  let start = 0;
  for (let part = 0; part < parts; part++) {
    const end = start + Math.floor(Math.random() * (bytes.length - start));
    socket.write(bytes.subarray(start, end));
    start = end;
    await pause();
  }
  socket.write(bytes.subarray(start));
  await pause();
}

function publishPacket(version: 4 | 5): Buffer {
  const payload = payloadOf();
  const qos = Math.random() < 0.7 ? 0 : 1;
  const topic = `t/${Math.floor(Math.random() * TOPICS)}`;
  const id = qos === 0 ? [] : [1 + (lastNumber % 60_000)];
  const head = Buffer.concat([
    Buffer.from([0, topic.length]),
    Buffer.from(topic),
    ...id.map((value) => Buffer.from([value >> 8, value & 0xff])),
    version === 5 ? Buffer.from([0]) : Buffer.alloc(0),
  ]);
  return Buffer.concat([Buffer.from([0x30 | (qos << 1)]), lengthOf(head.length + payload.length), head, payload]);
}

function lengthOf(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
    if (rest === 0) return Buffer.from(bytes);
  }
}

function connectPacket(version: 4 | 5, clientId: string): Buffer {
  return version === 5 ? hex(`10 [ 'MQTT' 05 02 0000 {} '${clientId}' ]`, 5) : hex(`10 [ 'MQTT' 04 02 0000 '${clientId}' ]`, 4);
}

/** Subscribes, and looks at all that comes, until all is over. Some read slowly, some go and come back. */
async function subscribe(
  open: Set<() => void>,
  ports: { tcp: number; websockets: number },
  index: number,
  tally: Tally,
  isOver: () => boolean,
): Promise<void> {
  const version = index % 2 === 0 ? 4 : 5;
  const filter = index % 3 === 0 ? '#' : `t/${index % TOPICS}`;
  const isSlow = index % 4 === 3;
  while (!isOver()) {
    const reader = new Reader(version, tally);
    const link = index < 8 ? await dialTcp(ports.tcp, reader) : await dialWebSocket(ports.websockets, reader);
    const cut = () => link.cut();
    open.add(cut);
    link.write(connectPacket(version, `subscriber${index}`));
    link.write(hex(`82 [ 0001 ${version === 5 ? '{}' : ''} '${filter}' 01 ]`, version));
    const until = tally.delivered + 500 + Math.random() * 3000;
    while (!isOver() && tally.delivered < until && !link.isOver()) {
      if (reader.failure !== null) throw reader.failure;
      if (isSlow) await link.rest();
      else await pause();
    }
    if (reader.failure !== null) throw reader.failure;
    tally.cut++;
    open.delete(cut);
    cut();
  }
}

/** Reader takes a subscriber's packets apart. */
class Reader {
  answer: (ack: Buffer) => void = () => {};
  failure: Error | null = null;
  readonly #version: 4 | 5;
  readonly #tally: Tally;
  #rest: Buffer[] = [];
  #length = 0;
  #wanted = 2;

  constructor(version: 4 | 5, tally: Tally) {
    this.#version = version;
    this.#tally = tally;
  }

  read(bytes: Buffer): void {
    this.#rest.push(bytes);
    this.#length += bytes.length;
    if (this.#length < this.#wanted || this.failure !== null) return;
    try {
      this.#take(Buffer.concat(this.#rest));
    } catch (error) {
      this.failure = error as Error; // an AssertionError
    }
  }

  /** message takes one WebSocket message, which is one whole packet. */
  message(bytes: Buffer): void {
    this.read(bytes);
    if (this.#length > 0) this.failure ??= new Error('a WebSocket message is not one whole packet');
  }

  #take(bytes: Buffer): void {
    let start = 0;
    for (;;) {
      const [body, end] = borders(bytes, start);
      this.#wanted = end - start;
      if (end > bytes.length) break;
      if (bytes[start]! >> 4 === 3) this.#onPublish(bytes[start]!, bytes.subarray(body, end));
      start = end;
    }
    this.#rest = start < bytes.length ? [bytes.subarray(start)] : [];
    this.#length = bytes.length - start;
  }

  #onPublish(first: number, body: Buffer): void {
    let at = 2 + body.readUInt16BE(0);
    assert.match(body.toString('latin1', 2, at), /^t\/[0-3]$/);
    if ((first & 6) !== 0) {
      this.answer(Buffer.from([0x40, 2, body[at]!, body[at + 1]!]));
      at += 2;
    }
    if (this.#version === 5) assert.equal(body[at++], 0);
    check(body.subarray(at));
    this.#tally.delivered++;
    if (body.length > 4096) this.#tally.large++;
  }
}

/** Where the body of the packet at `start` begins and where it ends; beyond the bytes when they do not say it. */
function borders(bytes: Buffer, start: number): [body: number, end: number] {
  let length = 0;
  for (let at = start + 1; at < start + 5; at++) {
    if (at >= bytes.length) return [0, bytes.length + 1];
    length |= (bytes[at]! & 0x7f) << (7 * (at - start - 1));
    if (bytes[at]! < 0x80) return [at + 1, at + 1 + length];
  }
  throw new Error('a Remaining Length is longer than four bytes');
}

/** Link is a subscriber's connection. */
interface Link {
  write(bytes: Buffer): void;
  cut(): void;
  isOver(): boolean;
  /** rest reads nothing for some turns, then for some. */
  rest(): Promise<void>;
}

async function dialTcp(port: number, reader: Reader): Promise<Link> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {}).on('data', (bytes: Buffer) => reader.read(bytes));
  reader.answer = (ack) => socket.write(ack);
  return { write: (bytes) => socket.write(bytes), cut: () => socket.destroy(), isOver: () => socket.destroyed, rest: () => restOf(socket) };
}

async function dialWebSocket(port: number, reader: Reader): Promise<Link> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, ['mqtt']);
  socket.on('error', () => {}).on('message', (bytes: Buffer) => reader.message(bytes));
  await once(socket, 'open');
  reader.answer = (ack) => socket.send(ack);
  return {
    write: (bytes) => socket.send(bytes),
    cut: () => socket.terminate(),
    isOver: () => socket.readyState !== WebSocket.OPEN,
    rest: () => restOf(socket),
  };
}

async function restOf(socket: { pause(): void; resume(): void }): Promise<void> {
  socket.pause();
  for (let turn = 0; turn < 30; turn++) await pause();
  socket.resume();
  for (let turn = 0; turn < 10; turn++) await pause();
}

function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
