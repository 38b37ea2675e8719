// One run of the JavaScript load generator. Frames are made once, whole chunks are parsed in place, and each connection is written to once
// a turn. A payload is: send time (8 bytes), publisher (4), sequence (4), padding; sequence & (slots - 1) is the slot of an outstanding
// message, slot + 1 its packet identifier.

import { processorSeconds } from '../machine.ts';
import { Client, type ClientOptions, packet } from './client.ts';
import { Histogram } from './histogram.ts';

const STALL_MS = 2_000;
const DRAIN_MS = 10_000;

/** GeneratorLoad is what generate.c takes as arguments, complete. */
export interface GeneratorLoad {
  readonly port: number;
  readonly publishers: number;
  readonly subscribers: number;
  readonly topics: number;
  readonly wildcard: number;
  readonly spread: number;
  readonly window: number;
  readonly qos: number;
  readonly payload: number;
  readonly version: number;
  /** 1: the sessions of the subscribers are kept. */
  readonly kept: number;
  readonly broker: number;
  readonly warmup: number;
  readonly seconds: number;
  readonly client: ClientOptions;
}

class Publisher {
  readonly client: Client;
  readonly index: number;
  readonly fanout: number;
  readonly frame: Buffer;
  readonly payloadAt: number;
  /** The two digits that differ when the publisher goes round several topics. */
  readonly spreadAt: number;
  /** Per slot: the sequence of its message and how many confirmations are still to come. */
  readonly sequences: Uint32Array;
  readonly left: Uint32Array;
  /** Per slot: when its message was sent. */
  readonly times: Float64Array;
  outstanding: number;
  next: number;
  waiting: boolean;

  constructor(client: Client, index: number, load: GeneratorLoad, slots: number) {
    this.client = client;
    this.index = index;
    this.fanout = fanoutOf(load, index);
    const topic = Buffer.from(topicOf(load, index, '/00'));
    const between = Buffer.alloc((load.qos > 0 ? 2 : 0) + (load.version === 5 ? 1 : 0));
    this.frame = packet(0x30 | (load.qos << 1), [Buffer.from([0, topic.length]), topic, between, Buffer.alloc(load.payload, 'x')]);
    this.payloadAt = this.frame.length - load.payload;
    this.spreadAt = this.payloadAt - between.length - 2;
    this.sequences = new Uint32Array(slots);
    this.left = new Uint32Array(slots);
    this.times = new Float64Array(slots);
    this.outstanding = 0;
    this.next = 0;
    this.waiting = false;
  }
}

/** Run is one run: `open` connects all clients and starts to send, `measure` gives what generate.c prints. */
export class Run {
  readonly #load: GeneratorLoad;
  readonly #slots: number;
  readonly #publishers: Publisher[];
  readonly #histogram: Histogram;
  readonly #clients: Client[];
  #waiting: Publisher[];
  #delivered: number;
  #duplicates: number;
  #writtenOff: number;
  #sending: boolean;
  #measuring: boolean;
  #scheduled: boolean;

  constructor(load: GeneratorLoad) {
    this.#load = load;
    this.#slots = 2 ** Math.ceil(Math.log2(Math.max(256, 4 * load.window)));
    this.#publishers = [];
    this.#histogram = new Histogram();
    this.#clients = [];
    this.#waiting = [];
    this.#delivered = 0;
    this.#duplicates = 0;
    this.#writtenOff = 0;
    this.#sending = true;
    this.#measuring = false;
    this.#scheduled = false;
  }

  async open(): Promise<void> {
    const { subscribers, publishers, wildcard, qos, kept, client } = this.#load;
    for (let i = 0; i < subscribers; i++) {
      const expected = new Uint32Array(publishers);
      const subscriber = new Client({ ...client, kept: kept === 1 }, `sub${i}`, (one, bytes, at, end, body, time) =>
        this.#toSubscriber(one, bytes, at, end, body, time, expected),
      );
      this.#clients.push(subscriber);
      await subscriber.open();
      await subscriber.subscribe(wildcard ? 'bench/#' : topicOf(this.#load, i, '/#'), qos);
    }
    for (let i = 0; i < publishers; i++) {
      const connection = new Client(client, `pub${i}`, (one, bytes, at, _end, body, time) =>
        this.#toPublisher(one, bytes, at, body, time, i),
      );
      this.#clients.push(connection);
      await connection.open();
      this.#publishers.push(new Publisher(connection, i, this.#load, this.#slots));
    }
    for (const publisher of this.#publishers) this.#wantToSend(publisher);
  }

  /** measure rejects when a connection is lost. */
  measure(): Promise<Record<string, number>> {
    return Promise.race([this.#measure(), ...this.#clients.map((client) => client.lost)]);
  }

  async #measure(): Promise<Record<string, number>> {
    const guard = this.#guardAgainstStalls();
    await later(this.#load.warmup * 1000);
    const before = this.#delivered;
    const own = process.cpuUsage();
    const broker = this.#brokerSeconds();
    const began = performance.now();
    this.#measuring = true;
    await later(this.#load.seconds * 1000);
    this.#measuring = false;
    const seconds = (performance.now() - began) / 1000;
    const used = process.cpuUsage(own);
    const brokerUsed = this.#brokerSeconds() - broker;
    const rate = (this.#delivered - before) / seconds;
    this.#sending = false;
    await this.#drain();
    clearInterval(guard);
    return {
      rate,
      p50: this.#histogram.percentile(0.5),
      p99: this.#histogram.percentile(0.99),
      p999: this.#histogram.percentile(0.999),
      max: this.#histogram.largest,
      seconds,
      expected: this.#publishers.reduce((sum, one) => sum + one.next * Math.max(1, one.fanout), 0),
      delivered: this.#delivered,
      duplicates: this.#duplicates,
      writtenOff: this.#writtenOff,
      generatorCpu: (used.user + used.system) / 1e6 / seconds,
      brokerCpu: brokerUsed / seconds,
    };
  }

  #toSubscriber(client: Client, bytes: Buffer, at: number, end: number, body: number, time: number, expected: Uint32Array): void {
    const head = bytes[at] ?? 0;
    if ((head & 0xf0) === 0x60) {
      client.acknowledge(0x70, bytes.readUInt16BE(body));
      return;
    }
    if ((head & 0xf0) !== 0x30) throw new Error(`Cannot go on: the broker sent a packet of type ${head >> 4}`);
    const qos = (head >> 1) & 3;
    if (qos > 0) client.acknowledge(qos === 1 ? 0x40 : 0x50, bytes.readUInt16BE(body + 2 + bytes.readUInt16BE(body)));
    this.#deliver(bytes, end - this.#load.payload, time, expected);
  }

  #deliver(bytes: Buffer, payload: number, time: number, expected: Uint32Array): void {
    const publisher = this.#publishers[bytes.readUInt32LE(payload + 8)];
    if (publisher === undefined) throw new Error('Cannot go on: a payload came back changed');
    const sequence = bytes.readUInt32LE(payload + 12);
    const next = expected[publisher.index] ?? 0;
    if (sequence < next) {
      this.#duplicates++;
      return;
    }
    for (let dropped = next; dropped < sequence; dropped++) this.#credit(publisher, dropped);
    expected[publisher.index] = sequence + 1;
    this.#credit(publisher, sequence);
    this.#count(time - bytes.readDoubleLE(payload));
  }

  #count(latency: number): void {
    this.#delivered++;
    if (this.#measuring) this.#histogram.add(latency * 1e6);
  }

  /** Without subscribers an acknowledgement is what counts: the broker has the message then. */
  #toPublisher(client: Client, bytes: Buffer, at: number, body: number, time: number, index: number): void {
    const type = (bytes[at] ?? 0) & 0xf0;
    const packetId = bytes.readUInt16BE(body);
    if (type === 0x50) {
      client.acknowledge(0x62, packetId);
      return;
    }
    const publisher = this.#publishers[index];
    if (publisher === undefined || (type !== 0x40 && type !== 0x70))
      throw new Error(`Cannot go on: the broker sent a packet of type ${type >> 4}`);
    if (this.#load.subscribers === 0) this.#count(time - (publisher.times[packetId - 1] ?? 0));
    this.#credit(publisher, publisher.sequences[packetId - 1] ?? 0);
  }

  #credit(publisher: Publisher, sequence: number): void {
    const slot = sequence & (this.#slots - 1);
    const left = publisher.left[slot] ?? 0;
    if (left === 0 || publisher.sequences[slot] !== sequence) return;
    publisher.left[slot] = left - 1;
    if (left > 1) return;
    publisher.outstanding--;
    this.#wantToSend(publisher);
  }

  #wantToSend(publisher: Publisher): void {
    if (publisher.waiting || !this.#sending) return;
    publisher.waiting = true;
    this.#waiting.push(publisher);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#sendMore());
  }

  #sendMore(): void {
    this.#scheduled = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const publisher of waiting) {
      publisher.waiting = false;
      if (this.#sending) this.#fillWindow(publisher);
    }
  }

  #fillWindow(publisher: Publisher): void {
    const { window, qos, spread } = this.#load;
    const room = window - publisher.outstanding;
    const length = publisher.frame.length;
    const batch = Buffer.allocUnsafe(room * length);
    const time = performance.now();
    let at = 0;
    for (let i = 0; i < room; i++) {
      const slot = publisher.next & (this.#slots - 1);
      if ((publisher.left[slot] ?? 0) > 0) break;
      batch.set(publisher.frame, at);
      batch.writeDoubleLE(time, at + publisher.payloadAt);
      batch.writeUInt32LE(publisher.index, at + publisher.payloadAt + 8);
      batch.writeUInt32LE(publisher.next, at + publisher.payloadAt + 12);
      if (spread > 0) batch.writeUInt16BE(twoDigits(publisher.next % spread), at + publisher.spreadAt);
      if (qos > 0) batch.writeUInt16BE(slot + 1, at + publisher.payloadAt - (this.#load.version === 5 ? 3 : 2));
      publisher.times[slot] = time;
      publisher.sequences[slot] = publisher.next++;
      publisher.left[slot] = publisher.fanout + (qos > 0 ? 1 : 0);
      publisher.outstanding++;
      at += length;
    }
    if (at > 0) publisher.client.write(batch.subarray(0, at));
  }

  #brokerSeconds(): number {
    return this.#load.broker === 0 ? 0 : processorSeconds(this.#load.broker);
  }

  #guardAgainstStalls(): NodeJS.Timeout {
    let seen = -1;
    return setInterval(() => {
      if (this.#delivered === seen) this.#writeOff();
      seen = this.#delivered;
    }, STALL_MS);
  }

  #writeOff(): void {
    for (const publisher of this.#publishers) {
      publisher.left.fill(0);
      this.#writtenOff += publisher.outstanding;
      publisher.outstanding = 0;
      this.#wantToSend(publisher);
    }
  }

  async #drain(): Promise<void> {
    const limit = performance.now() + DRAIN_MS;
    while (this.#publishers.some((one) => one.outstanding > 0) && performance.now() < limit) await later(5);
  }
}

function topicOf(load: GeneratorLoad, index: number, below: string): string {
  return `bench/${String(index % load.topics).padStart(2, '0')}${load.spread > 0 ? below : ''}`;
}

function twoDigits(value: number): number {
  return ((48 + Math.floor(value / 10)) << 8) | (48 + (value % 10)); // ASCII
}

function fanoutOf(load: GeneratorLoad, index: number): number {
  if (load.wildcard) return load.subscribers;
  let fanout = 0;
  for (let j = 0; j < load.subscribers; j++) if (j % load.topics === index % load.topics) fanout++;
  return fanout;
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
