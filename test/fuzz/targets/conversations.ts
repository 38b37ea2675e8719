// Half-right conversations of four clients with a broker: no exception reaches anybody, nothing hangs, and nothing is kept of a client that is gone.

import assert from 'node:assert/strict';
import { type Duplex, duplexPair } from 'node:stream';
import fc from 'fast-check';
import type { Durability } from '../../../src/broker/ports.ts';
import { MemoryStore } from '../../store/memory-store.ts';
import { startTestBroker, type TestBroker, type TestBrokerOptions, testOrigin } from '../../support/broker/test-broker.ts';
import { nextTurn, quiet, until } from '../../support/broker/turns.ts';
import { recordingLog } from '../../support/ports/recording-log.ts';
import { TestClock } from '../../support/ports/test-clock.ts';
import {
  connectPacket,
  type Mutation,
  mutate,
  mutation,
  type RandomPacket,
  randomPacket,
  type Version,
} from '../../support/protocol/random-packets.ts';
import type { Target } from '../target.ts';
import { split } from './decoder.ts';

/** Chunks in a conversation, at most. */
const STEPS = 50;
const MAX_PACKET_SIZE = 1000;

interface Step {
  readonly client: number;
  readonly what: { readonly kind: 'send' | 'noise' | 'end' | 'abort' | 'pass'; readonly packet: RandomPacket; readonly noise: Uint8Array };
  readonly mutation: Mutation | null;
  readonly cuts: readonly number[];
  /** Lets the broker work before the next step. */
  readonly waits: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  client: fc.nat(3),
  what: fc.record({
    kind: fc.constantFrom(...Array<'send'>(14).fill('send'), 'noise', 'end', 'abort', 'pass'),
    packet: randomPacket,
    noise: fc.uint8Array({ maxLength: 20 }),
  }),
  mutation: fc.option(mutation, { freq: 8 }).map((one) => one),
  cuts: fc.array(fc.nat(400), { maxLength: 2 }),
  waits: fc.boolean(),
});

const client = fc.record({ version: fc.constantFrom<Version>(3, 4, 5, 5), connect: connectPacket });

const options = fc.record({
  maxInflightMessages: fc.constantFrom(1, 2, 20),
  maxQueuedMessages: fc.constantFrom(2, 1000),
  maxQueuedBytes: fc.constantFrom(0, 10),
  maxSubscriptions: fc.constantFrom(2, 50_000),
  queueQos0Messages: fc.boolean(),
  upgradeOutgoingQos: fc.boolean(),
  allowDuplicateMessages: fc.boolean(),
  retainAvailable: fc.boolean(),
  maxKeepalive: fc.constantFrom(0, 30),
});

const policy = fc.record({
  mountPoint: fc.constantFrom('', '', 'mount/'),
  maxQos: fc.constantFrom<0 | 1 | 2>(2, 2, 1, 0),
  maxTopicAlias: fc.constantFrom(0, 10),
  maxTopicAliasBroker: fc.constantFrom(0, 10),
});

/** A random client: connects again whenever it has no connection. */
class Fuzzer {
  readonly #house: TestBroker;
  readonly #version: Version;
  readonly #connect: RandomPacket;
  readonly #policy: Parameters<typeof testOrigin>[0];
  #near: Duplex | null = null;

  constructor(house: TestBroker, version: Version, connect: RandomPacket, policyOf: Parameters<typeof testOrigin>[0]) {
    this.#house = house;
    this.#version = version;
    this.#connect = connect;
    this.#policy = policyOf;
  }

  take({ what, mutation: change, cuts }: Step, clock: TestClock): void {
    if (what.kind === 'pass') {
      clock.advance(10_000);
      this.#house.broker.wheel.advance();
    } else if (what.kind === 'end' || what.kind === 'abort') {
      if (what.kind === 'end') this.#near?.end();
      else this.#near?.destroy();
      this.#near = null;
    } else {
      const bytes = what.kind === 'noise' ? Buffer.from(what.noise) : what.packet(this.#version);
      const stream = this.#stream();
      for (const chunk of split(change === null ? bytes : mutate(bytes, change), cuts)) stream.write(chunk);
    }
  }

  leave(): void {
    this.#near?.destroy();
  }

  #stream(): Duplex {
    if (this.#near?.writable === true) return this.#near;
    const [near, far] = duplexPair({ allowHalfOpen: false });
    near.on('error', () => {});
    near.resume();
    this.#house.broker.open(far, testOrigin(this.#policy));
    near.write(this.#connect(this.#version));
    this.#near = near;
    return near;
  }
}

/** A store that takes its time, and now and then has no space. */
class LateStore extends MemoryStore {
  #asked = 0;

  override whenDurable(callback: (outcome: Durability) => void): void {
    const outcome = ++this.#asked % 7 === 0 ? 'full' : 'durable';
    setImmediate(() => callback(outcome));
  }
}

const HOUSES: Readonly<Record<string, (store: MemoryStore) => TestBrokerOptions>> = {
  'let in at once': () => ({}),
  'waiting for an authenticator': () => ({ authenticator: { authenticate: async () => 'accepted' as const } }),
  'with kept sessions': (store) => ({ openStore: async () => store }),
};

const conversation = fc.record({
  house: fc.constantFrom(...Object.keys(HOUSES)),
  clients: fc.array(client, { minLength: 4, maxLength: 4 }),
  steps: fc.array(step, { minLength: 1, maxLength: STEPS, size: 'max' }),
  options,
  policy,
});

type Conversation = typeof conversation extends fc.Arbitrary<infer T> ? T : never;

/** CONVERSATIONS: each chunk of bytes counts as one input. */
export const CONVERSATIONS: Target<Conversation> = {
  name: 'conversations',
  what: 'packets of MQTT 3.1, 3.1.1 and 5 in every state of four clients and their broker',
  input: conversation,
  open() {
    const uncaught: unknown[] = []; // exceptions that reached nobody
    const note = (error: unknown) => uncaught.push(error);
    process.on('uncaughtException', note);
    return {
      feed: async (value) => {
        await converse(value, uncaught);
        return value.steps.length;
      },
      close: () => void process.off('uncaughtException', note),
    };
  },
};

async function converse({ house: name, clients, steps, options: chosen, policy: chosenPolicy }: Conversation, uncaught: unknown[]) {
  const [clock, log, store] = [new TestClock(), recordingLog(['error']), new LateStore()];
  const given = HOUSES[name]!(store); // chosen from its keys
  const house = await startTestBroker({ clock, log, options: { ...chosen, maxPacketSize: MAX_PACKET_SIZE }, ...given });
  try {
    const fuzzers = clients.map(({ version, connect }) => new Fuzzer(house, version, connect, chosenPolicy));
    for (const one of steps) {
      fuzzers[one.client]!.take(one, clock); // client < 4
      if (one.waits) await nextTurn();
    }
    await quiet(() => house.broker.counters.bytesReceived);
    await isServed(house);
    for (const fuzzer of fuzzers) fuzzer.leave();
    await isEmpty(house, clock);
    assert.deepEqual([...store.sessions.keys()], []);
  } finally {
    end(house);
    assert.deepEqual([...log.lines, ...uncaught.splice(0)], []); // an exception that was caught leaves a line
  }
}

/** Ends a broker even when it is broken: a failure must be reported, not hang. */
function end({ broker }: TestBroker): void {
  for (const connection of broker.connections) connection.destroy();
  broker.wheel.stop();
  broker.close(() => {});
}

/** A client that behaves still gets what is published. */
async function isServed(house: TestBroker): Promise<void> {
  const witness = await house.connect({ clientId: 'witness', version: 4, keepAlive: 30 });
  witness.send(`82 [ 0001 'witness' 00 ] 30 [ 'witness' |here| ]`);
  await witness.expect('90 03 0001 00');
  await witness.expect(`30 [ 'witness' |here| ]`);
  witness.send('E0 00');
  await until(() => witness.closed);
}

/** Once all have left and their time is up, only sessions that never expire are kept; without them nothing is. */
async function isEmpty({ broker }: TestBroker, clock: TestClock): Promise<void> {
  await until(() => broker.connections.size === 0);
  for (let minute = 0; minute < 3; minute++) {
    clock.advance(60_000);
    broker.wheel.advance();
  }
  assert.equal(broker.connectedClients, 0);
  assert.deepEqual(Object.keys(broker.clients), []);
  for (const session of [...broker.sessions]) {
    assert.equal(session.connection, null);
    assert.ok(session.expiryInterval > 60, `${session.clientId} is kept, which asked for ${session.expiryInterval} s`);
    broker.sessions.end(session);
  }
  assert.deepEqual({ all: broker.tree.count, shared: broker.tree.sharedCount }, { all: 0, shared: 0 });
  assert.ok(broker.tree.match('a/b/c').isEmpty);
}
