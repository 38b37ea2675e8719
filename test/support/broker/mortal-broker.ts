// A broker's folder with clients around it that forget nothing: the broker is killed and started anew, and what it acknowledged must be there.
//
//   publishers (QoS 1, QoS 2, retained)  --->  midge, killed and started anew on the same folder  --->  kept sessions, online and offline

import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as later } from 'node:timers/promises';
import { DeliveryLedger } from '../clients/delivery-ledger.ts';
import { dial } from '../clients/dial.ts';
import { isClear, readNumbered, retainedMessage, staleTopics, streamMessage } from '../clients/numbered-messages.ts';
import { readPublish } from '../clients/raw-client.ts';
import { type PublisherPlan, SteadfastPublisher } from '../clients/steadfast-publisher.ts';
import { SteadfastSubscriber } from '../clients/steadfast-subscriber.ts';
import { openPort, startMidge } from '../process/midge-process.ts';
import type { WatchedProcess } from '../process/watched-process.ts';
import { readLength } from '../protocol/hex-template.ts';

/** A life ends at the latest after so many acknowledgements. */
const MOST_ACKNOWLEDGED = 600;

/** Payloads in bytes: large ones make a checkpoint, at 4 MB of log, come every two hundred of them. */
const SMALL = 40;
const LARGE = 20_000;

const CONFIGURATION = `
allow_anonymous true
persistence true
max_queued_messages 0
max_queued_bytes 0
`;

const PLANS: readonly PublisherPlan[] = [
  { name: 'once', version: 4, qos: 1, window: 20, message: (n) => streamMessage('once', n, SMALL) },
  { name: 'large', version: 5, qos: 1, window: 5, message: (n) => streamMessage('large', n, LARGE) },
  { name: 'exactly', version: 5, qos: 2, window: 20, message: (n) => streamMessage('exactly', n, SMALL) },
  { name: 'value', version: 4, qos: 1, window: 5, message: (n) => retainedMessage('value', n, SMALL) },
  { name: 'exact-value', version: 4, qos: 2, window: 5, message: (n) => retainedMessage('exact-value', n, LARGE) },
];

/** Published last: who has it has all that was published before. */
const MARKER: PublisherPlan = { name: 'marker', version: 4, qos: 2, window: 1, message: (n) => streamMessage('marker', n, SMALL) };

/** Files with whose writes a broker dies: a checkpoint writes some hundred pages, a life more to the log, and it dies with one of the first so many. */
const DEADLY_WRITES = { checkpoint: { file: 'midge.db', most: 100 }, commit: { file: 'midge.db-wal', most: 400 } } as const;

/**
 * Moment is when the broker is killed: after some acknowledgements, or some after its database was deleted and written anew, while it
 * starts, or within a commit or a checkpoint, which a preloaded recorder does.
 */
export type Moment = 'acknowledgements' | 'deletion' | 'start' | keyof typeof DEADLY_WRITES;

/** Life says how the broker lives and dies. */
export interface Life {
  readonly moment: Moment;
  /** The session that is mostly away comes to take its messages. */
  readonly isVisited: boolean;
  /** Everybody loses the connection once and comes back. */
  readonly isShaken: boolean;
}

/** MortalBroker is the broker's folder with the clients around it. */
export class MortalBroker {
  readonly #test: TestContext;
  readonly #folder: string;
  readonly #words: readonly string[];
  /** What Node has compiled: each start takes a third of the time. */
  readonly #env: Readonly<Record<string, string>>;
  /** Milliseconds that the last start took. */
  #startTime: number;
  readonly #publishers: readonly SteadfastPublisher[];
  readonly #subscribers: readonly { readonly subscriber: SteadfastSubscriber; readonly ledger: DeliveryLedger }[];

  /** `env` joins the environment of the broker. */
  constructor(test: TestContext, folder: string, env: Readonly<Record<string, string>> = {}) {
    this.#test = test;
    this.#folder = folder;
    const configuration = join(folder, 'midge.conf');
    writeFileSync(configuration, CONFIGURATION);
    this.#words = ['serve', '-p', '0', '-c', configuration];
    this.#env = { NODE_COMPILE_CACHE: join(folder, 'compiled'), ...env };
    this.#startTime = 0;
    this.#publishers = PLANS.map((plan) => new SteadfastPublisher(plan));
    this.#subscribers = [subscriberNamed('present', 5), subscriberNamed('mostly-away', 4)];
    test.after(() => this.#detach());
  }

  /** warmUp lets the subscribers subscribe and stops the broker in order, which makes Node keep what it has compiled. */
  async warmUp(): Promise<void> {
    const broker = this.#start();
    const port = await openPort(broker);
    for (const { subscriber } of this.#subscribers) await subscriber.attach(port);
    this.#detach();
    await broker.end();
  }

  /** live lets the broker live until it is killed; gives the moment, which is 'acknowledgements' where no commit or checkpoint was long enough in time. */
  async live({ moment, isVisited, isShaken }: Life): Promise<Moment> {
    const broker = this.#start(deadlyWrite(moment));
    if (moment === 'start') {
      await later(Math.random() * this.#startTime);
      await broker.kill();
      return moment;
    }
    const began = performance.now();
    const port = await openPort(broker);
    this.#startTime = performance.now() - began;
    await this.#checkRetained(port);
    const [end] = await Promise.all([this.#endOfLife(moment, broker), this.#serve(port, isVisited, isShaken)]);
    this.#detach();
    return end;
  }

  /** finish starts the broker once more and lets everyone bring to an end what was begun. */
  async finish(): Promise<void> {
    const port = await openPort(this.#start());
    await this.#checkRetained(port);
    await this.#attach(port, true);
    await Promise.all(this.#publishers.map((publisher) => publisher.finish()));
    const marker = new SteadfastPublisher(MARKER);
    this.#test.after(() => marker.detach());
    await marker.attach(port);
    await Promise.all([marker.finish(), ...this.#subscribers.map(({ ledger }) => ledger.arrived(MARKER.name))]);
    await this.#checkRetained(port);
  }

  /** check compares what came with what was acknowledged. */
  check(): void {
    for (const { ledger } of this.#subscribers) {
      for (const { plan, acknowledged } of this.#publishers) {
        const isRetained = plan.message(1).retain;
        ledger.check(plan.name, plan.qos, isRetained ? acknowledged.filter((sequence) => !isClear(sequence)) : acknowledged);
      }
    }
  }

  summary(): string {
    const acknowledged = this.#publishers.reduce((sum, one) => sum + one.acknowledged.length, 0);
    const got = this.#subscribers.map(({ ledger }) => ledger.total()).map((one) => `${one.messages} (${one.repetitions} again)`);
    return `${acknowledged} messages acknowledged, delivered ${got.join(' and ')}`;
  }

  #start(env: Readonly<Record<string, string>> = {}): WatchedProcess {
    return startMidge(this.#test, this.#folder, this.#words, { env: { ...this.#env, ...env } });
  }

  /** Of a broker that dies meanwhile everybody loses his connection. */
  async #serve(port: number, isVisited: boolean, isShaken: boolean): Promise<void> {
    try {
      await this.#attach(port, isVisited);
      if (isShaken) await this.#reattach(port);
    } catch (error) {
      if (!/closed the connection|ECONN/.test(String(error))) throw error;
    }
  }

  async #attach(port: number, isVisited: boolean): Promise<void> {
    const [present, away] = this.#subscribers;
    await present?.subscriber.attach(port);
    if (isVisited) await away?.subscriber.attach(port);
    await Promise.all(this.#publishers.map((publisher) => publisher.attach(port)));
  }

  /** Everybody who is there loses the connection and comes back at once: the broker has not written everything down by then. */
  async #reattach(port: number): Promise<void> {
    const [present] = this.#subscribers;
    for (const publisher of this.#publishers) publisher.detach();
    present?.subscriber.detach();
    await Promise.all([present?.subscriber.attach(port), ...this.#publishers.map((publisher) => publisher.attach(port))]);
  }

  #detach(): void {
    for (const { subscriber } of this.#subscribers) subscriber.detach();
    for (const publisher of this.#publishers) publisher.detach();
  }

  /** Kills at once when the moment has come; resolves when the broker is dead. */
  async #endOfLife(moment: Moment, broker: WatchedProcess): Promise<Moment> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const isCounted = moment === 'acknowledgements' || moment === 'deletion';
    let left = isCounted ? Math.ceil(Math.random() ** 2 * MOST_ACKNOWLEDGED) : MOST_ACKNOWLEDGED;
    let deletes = moment === 'deletion';
    const act = async () => {
      if (!deletes) return resolve(broker.kill());
      deletes = false;
      for (const end of ['', '-wal']) rmSync(join(this.#folder, `state/midge/midge.db${end}`));
      await broker.line(/written all of its content there again/);
      left = Math.ceil(Math.random() * MOST_ACKNOWLEDGED);
    };
    for (const publisher of this.#publishers) {
      publisher.onAcknowledged = () => {
        if (--left === 0) void act();
      };
    }
    await Promise.race([promise, broker.ended]);
    assert.equal(await broker.end(), null, `the broker ended by itself:\n${broker.lines.join('\n')}`);
    assert.ok(!isCounted || left <= 0, 'somebody else has killed the broker');
    return left > 0 || isCounted ? moment : 'acknowledgements';
  }

  /** As a new client sees them: each the newest that was acknowledged, or one that was sent after it. */
  async #checkRetained(port: number): Promise<void> {
    const peer = dial(port, { version: 4 });
    peer.send("10 [ PROTOCOL 02 0000 'reader' ]");
    await peer.expect('20 02 00 00');
    peer.send("82 [ 0001 'kept/#' 00 ]");
    await peer.expect('90 03 0001 00');
    await peer.settle();
    const found = new Map(peer.waiting.map((packet) => readRetained(packet)));
    peer.abort();
    for (const { plan, acknowledged, sent } of this.#publishers) {
      if (plan.message(1).retain) assert.deepEqual(staleTopics(plan.name, found, acknowledged.at(-1) ?? 0, sent), []);
    }
  }
}

function deadlyWrite(moment: Moment): Record<string, string> {
  if (moment === 'acknowledgements' || moment === 'deletion' || moment === 'start') return {};
  const { file, most } = DEADLY_WRITES[moment];
  return { DISK_RECORDER_KILL: `${file}:${Math.ceil(Math.random() * most)}` };
}

function subscriberNamed(name: string, version: 4 | 5): { subscriber: SteadfastSubscriber; ledger: DeliveryLedger } {
  const ledger = new DeliveryLedger(name);
  const note = (payload: Buffer) => {
    const numbered = readNumbered(payload);
    if (numbered !== null) ledger.note(numbered.publisher, numbered.sequence);
  };
  return { subscriber: new SteadfastSubscriber(name, version, '#', note), ledger };
}

function readRetained(packet: Buffer): [string, Buffer] {
  const length = readLength(packet.subarray(1));
  const { topicName, payload } = readPublish(4, { first: packet[0] ?? 0, body: packet.subarray(1 + (length?.end ?? 0)) });
  return [topicName, payload];
}
