// The table of connection-states.ts, walked: each event happens to a connection in each state, and the connection does what stands there.

import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import type { Connection } from '../../../src/broker/connection/connection.ts';
import {
  CONNECTION_EVENT,
  CONNECTION_STATES,
  type ConnectionState,
  type Reaction,
} from '../../../src/broker/connection/connection-states.ts';
import type { AuthenticationVerdict } from '../../../src/broker/ports.ts';
import { REASON } from '../../../src/mqtt/reason-codes.ts';
import { startTestBroker, type TestBroker, testOrigin } from '../../support/broker/test-broker.ts';
import { nextTurn } from '../../support/broker/turns.ts';
import { hex } from '../../support/protocol/hex-template.ts';
import { HeldStore } from '../../support/store/held-store.ts';

type EventName = keyof typeof CONNECTION_EVENT;

const CONNECT = "10 [ PROTOCOL 02 000A { 11 0000003C } 'guest' ]";

/** What a client says, by the name of its event. */
const PACKETS: Readonly<Partial<Record<EventName, string>>> = {
  CONNECT,
  CONNACK: '20 [ 00 00 {} ]',
  PUBLISH: "32 [ 'a' 0001 {} ]",
  PUBACK: '40 02 0001',
  PUBREC: '50 02 0001',
  PUBREL: '62 02 0001',
  PUBCOMP: '70 02 0001',
  SUBSCRIBE: "82 [ 0001 {} 'a' 00 ]",
  SUBACK: '90 [ 0001 {} 00 ]',
  UNSUBSCRIBE: "A2 [ 0001 {} 'a' ]",
  UNSUBACK: 'B0 [ 0001 {} 00 ]',
  PINGREQ: 'C0 00',
  PINGRESP: 'D0 00',
  DISCONNECT: 'E0 00',
  AUTH: 'F0 00',
};

/** Seconds of the timers, by which the test tells them apart. */
const TIMERS = { CONNECT_TIMEOUT: 30, KEEP_ALIVE_TIMEOUT: 15, CLOSE_TIMEOUT: 2 };

/** The stream of a connection: what is written is recorded, what comes is handed over at once, and it ends when the test says so. */
class Wire extends Duplex {
  readonly written: Buffer[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(Buffer.from(chunk));
    done();
  }

  override _final(): void {}

  receive(bytes: string): void {
    this.emit('data', hex(bytes, 5));
  }
}

/** One connection on a broker of its own, brought into a state. */
class Stage {
  readonly house: TestBroker;
  readonly store: HeldStore;
  readonly wire = new Wire();
  readonly connection: Connection;
  readonly #timers: { seconds: number; callback: () => void }[] = [];
  readonly #verdicts: ((verdict: AuthenticationVerdict) => void)[];
  #sent = 0;
  #handled = 0;

  private constructor(house: TestBroker, store: HeldStore, verdicts: ((verdict: AuthenticationVerdict) => void)[]) {
    this.house = house;
    this.store = store;
    this.#verdicts = verdicts;
    const { wheel } = house.broker;
    const after = wheel.after.bind(wheel);
    wheel.after = (seconds, callback) => {
      this.#timers.push({ seconds, callback });
      return after(seconds, callback);
    };
    this.connection = house.broker.open(this.wire, testOrigin());
  }

  /** `from` is the state that the connection comes to its end from. */
  static async open(state: ConnectionState, from: ConnectionState): Promise<Stage> {
    const store = new HeldStore();
    const verdicts: ((verdict: AuthenticationVerdict) => void)[] = [];
    const authenticate = () => new Promise<AuthenticationVerdict>((decide) => verdicts.push(decide));
    const house = await startTestBroker({ openStore: async () => store, authenticator: { authenticate } });
    const stage = new Stage(house, store, verdicts);
    await stage.#reach(state, from);
    assert.equal(stage.connection.state, state);
    stage.take();
    return stage;
  }

  async #reach(state: ConnectionState, from: ConnectionState): Promise<void> {
    if (state === 'connecting') return;
    if (state === 'disconnecting') {
      await this.#reach(from, from);
      return this.connection.closeFor('test');
    }
    if (state === 'closed') {
      await this.#reach('disconnecting', from);
      this.wire.emit('close');
      return;
    }
    this.store.holds = state === 'committing';
    this.wire.receive(CONNECT);
    if (state === 'authenticating') return;
    await this.verdict();
  }

  async verdict(): Promise<void> {
    for (const decide of this.#verdicts.splice(0)) decide('accepted');
    await nextTurn();
  }

  async commit(): Promise<void> {
    this.store.holds = false;
    this.store.commit();
    await nextTurn();
  }

  /** fire has a timer go off, even if it was cancelled: it may have been too late for that. False = there was none. */
  fire(timer: keyof typeof TIMERS): boolean {
    const fired = this.#timers.findLast(({ seconds }) => seconds === TIMERS[timer]);
    fired?.callback();
    return fired !== undefined;
  }

  count(timer: keyof typeof TIMERS): number {
    return this.#timers.filter(({ seconds }) => seconds === TIMERS[timer]).length;
  }

  /** take gives what was written and how many packets were handled since it was last called. */
  take(): { sent: string; handled: number } {
    const sent = Buffer.concat(this.wire.written.slice(this.#sent)).toString('hex');
    this.#sent = this.wire.written.length;
    const { packetsReceived } = this.house.broker.counters;
    const handled = packetsReceived - this.#handled;
    this.#handled = packetsReceived;
    return { sent, handled };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.house.broker.connections) connection.destroy();
    await this.house.stop();
  }
}

/** Has a packet come. Behind the end nothing is read from the stream, but what was held may still be handed over. */
function packetComes(stage: Stage, state: ConnectionState, packet: string): void {
  if (state !== 'disconnecting' && state !== 'closed') return stage.wire.receive(packet);
  const bytes = hex(packet, 5);
  assert.equal(stage.connection.onPacket(bytes, 0, 2, bytes.length), false);
}

/** The state behind a packet that is handled. */
function stateBehind(event: EventName): ConnectionState {
  if (event === 'CONNECT') return 'authenticating';
  return event === 'DISCONNECT' || event === 'AUTH' ? 'disconnecting' : 'connected';
}

async function walkPacket(stage: Stage, state: ConnectionState, event: EventName, packet: string, reaction: Reaction): Promise<void> {
  const { connection } = stage;
  packetComes(stage, state, packet);
  await nextTurn();
  const { sent, handled } = stage.take();
  switch (reaction) {
    case 'do':
      assert.equal(handled, 1);
      assert.equal(connection.state, stateBehind(event));
      return;
    case 'hold':
      assert.deepEqual({ state: connection.state, sent, handled }, { state, sent: '', handled: 0 });
      await stage.verdict();
      await stage.commit();
      assert.equal(stage.take().handled, 1, 'what was held is handled behind CONNACK');
      return;
    case 'refuse':
      assert.equal(connection.state, 'disconnecting');
      assert.match(sent, state === 'connecting' ? /^$/ : /^e00182$/);
      return;
    case 'ignore':
      assert.deepEqual({ state: connection.state, sent, handled }, { state, sent: '', handled: 0 });
      return;
    default:
      assert.fail(`a packet can not be met by "${reaction}"`);
  }
}

/** What each other event does, and what is seen of it by the reaction. */
const WALKS: Readonly<Partial<Record<EventName, (stage: Stage, state: ConnectionState, reaction: Reaction) => Promise<void> | void>>> = {
  CHUNK: (stage, state, reaction) => {
    const { counters } = stage.house.broker;
    const before = counters.bytesReceived;
    stage.wire.receive(state === 'connecting' ? '10' : 'C0');
    assert.equal(counters.bytesReceived - before, reaction === 'do' ? 1 : 0);
    assert.equal(stage.connection.state, state);
  },
  BAD_PACKET: (stage, state, reaction) => {
    stage.wire.receive(state === 'connecting' ? "10 [ PROTOCOL 03 000A {} 'guest' ]" : 'C0 FF FF FF FF');
    expectEnd(stage, state, reaction, { do: 'e00181', refuse: '2003008100' });
  },
  CONNECT_TIMEOUT: (stage, state, reaction) => {
    assert.ok(stage.fire('CONNECT_TIMEOUT'));
    expectEnd(stage, state, reaction, { do: '' });
  },
  KEEP_ALIVE_TIMEOUT: (stage, state, reaction) => {
    stage.connection.reading.lastHeard = Number.NEGATIVE_INFINITY;
    const before = stage.count('KEEP_ALIVE_TIMEOUT');
    assert.equal(stage.fire('KEEP_ALIVE_TIMEOUT'), state !== 'connecting' && state !== 'authenticating', 'it runs from CONNECT to the end');
    if (reaction !== 'later') return expectEnd(stage, state, reaction, { do: 'e0018d' });
    assert.equal(stage.connection.state, state);
    assert.equal(stage.count('KEEP_ALIVE_TIMEOUT'), before + 1);
  },
  CLOSE_TIMEOUT: (stage, state, reaction) => {
    assert.equal(stage.fire('CLOSE_TIMEOUT'), state === 'disconnecting' || state === 'closed', 'it runs from the last words on');
    assert.equal(stage.wire.destroyed, reaction === 'do' || state === 'closed');
    assert.equal(stage.connection.state, state);
  },
  VERDICT: async (stage, state, reaction) => {
    await stage.verdict();
    assert.equal(stage.connection.state, reaction === 'do' ? 'connected' : state);
    assert.equal(stage.take().sent.startsWith('20'), reaction === 'do');
  },
  COMMIT: async (stage, state, reaction) => {
    await stage.commit();
    assert.equal(stage.connection.state, reaction === 'do' ? 'connected' : state);
    assert.equal(stage.take().sent.startsWith('20'), reaction === 'do');
  },
  DISCONNECT_BY_US: (stage, state, reaction) => {
    stage.connection.disconnect(REASON.ADMINISTRATIVE_ACTION);
    expectEnd(stage, state, reaction, { do: 'e00198' });
  },
  CLOSE_BY_US: (stage, state, reaction) => {
    stage.connection.closeFor('test');
    expectEnd(stage, state, reaction, { do: '' });
  },
  STREAM_END: (stage, _state, reaction) => {
    let told = 0;
    if (reaction === 'do') stage.connection.whenClosed(() => told++);
    stage.wire.emit('close');
    assert.equal(stage.connection.state, 'closed');
    assert.equal(told, reaction === 'do' ? 1 : 0);
    assert.equal(stage.take().sent, '');
    assert.equal(stage.house.broker.connections.size, 0);
  },
};

/** The connection is about to end with these last words, or goes on as if nothing had happened. */
function expectEnd(stage: Stage, state: ConnectionState, reaction: Reaction, words: Partial<Record<Reaction, string>>): void {
  const { sent } = stage.take();
  const found = [stage.connection.state, sent];
  if (reaction === 'ignore') return assert.deepEqual(found, [state, '']);
  assert.deepEqual(found, ['disconnecting', reaction === 'silently' ? '' : words[reaction]]);
}

/** Where a connection was before its end when a late event of that time comes. */
const ENDS_FROM: Readonly<Partial<Record<EventName, ConnectionState>>> = {
  CONNECT_TIMEOUT: 'connecting',
  VERDICT: 'authenticating',
  COMMIT: 'committing',
};

for (const state of CONNECTION_STATES) {
  for (const [event, number] of Object.entries(CONNECTION_EVENT) as [EventName, number][]) {
    test(`connection that is ${state} does what the table says when ${event} comes`, async () => {
      await using stage = await Stage.open(state, ENDS_FROM[event] ?? 'connected');
      const reaction = stage.connection.reactionTo(number as (typeof CONNECTION_EVENT)[EventName]); // of the same entry
      const packet = PACKETS[event];
      if (packet !== undefined) await walkPacket(stage, state, event, packet, reaction);
      else await WALKS[event]!(stage, state, reaction); // each event is in one of the two
    });
  }
}

test('connection gives way without a word while CONNACK waits, and with DISCONNECT afterwards, when its session is taken over', async () => {
  for (const [state, words] of [
    ['committing', ''],
    ['connected', 'e0018e'],
  ] as const) {
    await using stage = await Stage.open(state, state);
    stage.house.broker.open(new Wire(), testOrigin()).onPacket(hex(CONNECT, 5), 0, 2, hex(CONNECT, 5).length);
    await stage.verdict();
    assert.deepEqual([stage.connection.state, stage.take().sent], ['disconnecting', words]);
  }
});
