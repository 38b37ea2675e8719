// A session moves, and at each word of the two brokers one of them, or both, is killed: what was acknowledged comes once or more, QoS 2 once, and one
// broker has the session afterwards.
//
//   giver: the broker where the session is     taker: the one that its client goes to     others: a third one, where messages are published

import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as later } from 'node:timers/promises';
import { STATE_NAMES } from '../../../src/base/state-names.ts';
import { askControl } from '../../../src/control/ask-control.ts';
import { DeliveryLedger } from '../../support/clients/delivery-ledger.ts';
import { readNumbered, streamMessage } from '../../support/clients/numbered-messages.ts';
import { SteadfastPublisher } from '../../support/clients/steadfast-publisher.ts';
import { SteadfastSubscriber } from '../../support/clients/steadfast-subscriber.ts';
import { temporaryFolder } from '../../support/disk/temporary-folder.ts';
import { type WatchedProcess, watchProcess } from '../../support/process/watched-process.ts';
import { startNats } from '../scene.ts';
import { NatsWire, type Stop } from './nats-wire.ts';
import { Phases } from './phases.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const WANDERER = 'wanderer';
/** Words of a move, in their order. */
const ASKS = ['claim', 'cut', 'take', 'part', 'done'] as const;
const VICTIMS = ['giver', 'taker', 'both', 'taker, and the client goes back'] as const;
/** Messages of each publisher that wait for the client when it moves, and that come when all is over. */
const SOME = 10;
/** Moves in which brokers are killed at a moment that chance gives, and milliseconds in which a move is over on a busy machine. */
const CHANCES = Number(process.env['MIDGE_CLUSTER_MOVES'] ?? 8);
const MOVE_MS = 120;
const SIZE = 40;
/** Milliseconds between two messages of a publisher. */
const PAUSE = 10;
const START_MS = 120_000;
const ANSWER_MS = 10_000;

/** Place is a broker that is killed and started again. */
class Place {
  readonly id: string;
  readonly wire: NatsWire;
  readonly socket: string;
  readonly #test: TestContext;
  readonly #folder: string;
  readonly #earlier: string[] = [];
  #midge: WatchedProcess | null = null;

  constructor(test: TestContext, id: string, folder: string, wire: NatsWire) {
    this.#test = test;
    this.id = id;
    this.wire = wire;
    this.#folder = folder;
    this.socket = join(folder, 'mqtt.sock');
    mkdirSync(join(folder, 'state'), { recursive: true, mode: 0o700 });
    const words = [`listener 0 ${this.socket}`, 'allow_anonymous true', 'persistence true', 'max_queued_messages 0', 'max_queued_bytes 0'];
    writeFileSync(
      join(folder, 'midge.conf'),
      [...words, `cluster nats://127.0.0.1:${wire.port}`, `cluster_id ${id}`, 'cluster_name test', ''].join('\n'),
    );
  }

  get lines(): readonly string[] {
    return [...this.#earlier, ...(this.#midge?.lines ?? [])];
  }

  async start(): Promise<void> {
    const env = { HOME: this.#folder, STATE_DIRECTORY: join(this.#folder, 'state'), NODE_COMPILE_CACHE: join(this.#folder, 'compiled') };
    rmSync(this.socket, { force: true });
    this.#earlier.push(...(this.#midge?.lines ?? []));
    this.#midge = watchProcess(this.#test, [process.execPath, [MAIN, 'serve', '-c', join(this.#folder, 'midge.conf')]], env);
    await this.#midge.line(/version .* running$/, 0, START_MS);
  }

  async kill(): Promise<void> {
    await this.#midge?.kill();
  }

  /** wanderer is what it has of the client: null = nothing. */
  async wanderer(): Promise<{ connected: boolean; queue: { inflight: number; waiting: number } } | null> {
    const { items } = (await this.#ask({ request: 'clients', search: WANDERER })) as {
      items: { id: string; connected: boolean; queue: { inflight: number; waiting: number } }[];
    };
    return items.find(({ id }) => id === WANDERER) ?? null;
  }

  /** linked names the brokers that it is linked to. */
  async linked(): Promise<string[]> {
    const { peers } = (await this.#ask({ request: 'cluster' })) as { peers: { id: string; phase: string }[] };
    return peers.filter(({ phase }) => phase === 'connected').map(({ id }) => id);
  }

  #ask(request: object): Promise<unknown> {
    return askControl(join(this.#folder, 'state', STATE_NAMES.controlSocket), request, ANSWER_MS);
  }
}

/** Publisher belongs to a broker, and comes back when that does. */
interface Publisher {
  readonly place: Place;
  readonly publisher: SteadfastPublisher;
}

class Scene {
  readonly #places: readonly Place[];
  readonly #publishers: readonly Publisher[];
  readonly #ledger = new DeliveryLedger(WANDERER);
  readonly #wanderer: SteadfastSubscriber;
  readonly phases: Phases;
  /** Where the client is. */
  #at = 0;

  static async begin(t: TestContext): Promise<Scene> {
    const nats = await startNats(t);
    const natsPort = Number(nats.servers[0]!.split(':')[1]); // it has one
    const folder = temporaryFolder(t);
    const places: Place[] = [];
    for (const id of ['a', 'b', 'c']) places.push(new Place(t, id, join(folder, id), await NatsWire.open(t, natsPort)));
    const scene = new Scene(t, places);
    await scene.#begin();
    return scene;
  }

  private constructor(t: TestContext, places: readonly Place[]) {
    this.#places = places;
    this.phases = new Phases(console.log, () => places.map(({ id, lines }) => `--- ${id}\n${lines.slice(-40).join('\n')}`).join('\n'));
    this.#publishers = places.flatMap((place) =>
      ([1, 2] as const).map((qos) => {
        const name = `${place.id}${qos}`;
        const message = (sequence: number) => streamMessage(name, sequence, SIZE);
        return { place, publisher: new SteadfastPublisher({ name, version: 4, qos, window: 2, pause: PAUSE, message }) };
      }),
    );
    const take = (payload: Buffer): void => {
      const { publisher, sequence } = readNumbered(payload)!; // none is empty
      this.#ledger.note(publisher, sequence);
    };
    this.#wanderer = new SteadfastSubscriber(WANDERER, 5, 'stream/#', take, { mayBeForgotten: true }); // by a broker that does not get an answer
    t.after(() => {
      this.#wanderer.detach();
      for (const { publisher } of this.#publishers) publisher.detach();
    });
  }

  async #begin(): Promise<void> {
    await this.phases.step('brokers start', Promise.all(this.#places.map((place) => place.start())));
    await this.#areLinked();
    await this.phases.step('the client connects', this.#wanderer.attach(this.#places[0]!.socket));
    for (const place of this.#places) {
      const name = `probe-${place.id}`;
      const message = (sequence: number) => streamMessage(name, sequence, SIZE);
      const probe = new SteadfastPublisher({ name, version: 4, qos: 1, window: 1, pause: PAUSE, message });
      await probe.attach(place.socket);
      await this.phases.step(`${place.id} knows what the client wants`, this.#ledger.arrived(name));
      probe.detach();
    }
    for (const { place, publisher } of this.#publishers) await publisher.attach(place.socket);
  }

  /** move kills at a word, or so many milliseconds after the CONNECT, while the client goes to the other broker, and has all come back. */
  async move(name: string, moment: Pick<Stop, 'part' | 'ask'> | number, victim: (typeof VICTIMS)[number]): Promise<void> {
    const [giver, taker] = [this.#places[this.#at]!, this.#places[1 - this.#at]!]; // the third stays
    const victims = victim === 'both' ? [giver, taker] : [victim === 'giver' ? giver : taker];
    const goesBack = victim === 'taker, and the client goes back';
    const owner = goesBack ? giver : taker;
    await this.#quiet(giver, name);
    this.#wanderer.detach();
    for (const { publisher } of this.#publishers) publisher.goOn();
    await this.#more(`${name}: messages wait`);
    const isTimed = typeof moment === 'number';
    const { wire } = isTimed || moment.part === 'question' ? taker : giver;
    const reached = isTimed ? later(moment) : wire.stopAt({ ...moment, of: giver.id });
    const attempt = this.#wanderer.attach(taker.socket).catch(() => {}); // it dies with its broker
    await this.phases.step(`${name}: the moment comes`, reached);
    for (const one of victims) for (const { place, publisher } of this.#publishers) if (place === one) publisher.detach();
    await Promise.all(victims.map((one) => one.kill()));
    wire.release();
    await this.phases.step(`${name}: the client is let in, or its broker is gone`, attempt);
    if (goesBack) await this.phases.step(`${name}: the client goes back`, this.#wanderer.attach(giver.socket));
    await this.phases.step(`${name}: started again`, Promise.all(victims.map((one) => one.start())));
    if (victims.includes(owner)) await this.phases.step(`${name}: the client comes again`, this.#wanderer.attach(taker.socket));
    for (const one of victims) for (const { place, publisher } of this.#publishers) if (place === one) await publisher.attach(place.socket);
    if (!goesBack) this.#at = 1 - this.#at;
    await this.#areLinked();
    await this.#more(`${name}: messages come`, this.#ledger);
    await this.phases.until(`${name}: one broker has the session`, async () => {
      const had = await Promise.all(this.#places.map(async (place) => ({ id: place.id, session: await place.wanderer() })));
      const owners = had.filter(({ session }) => session !== null).map(({ id, session }) => `${id} ${session?.connected}`);
      return owners.join() === `${owner.id} true` ? [] : [owners.join(' and ')];
    });
    await this.#check(name);
  }

  /** No message is published, and none is under way to the client. */
  async #quiet(place: Place, name: string): Promise<void> {
    await this.#stopPublishing(name);
    await this.phases.until(`${name}: all has come before it`, () => this.#missing());
    await this.phases.until(`${name}: all is quiet`, async () => {
      const session = await place.wanderer();
      return session?.connected === true && session.queue.inflight + session.queue.waiting === 0 ? [] : [JSON.stringify(session)];
    });
  }

  /** All that was acknowledged has come, in order, and none of QoS 2 twice. */
  async #check(name: string): Promise<void> {
    await this.#stopPublishing(name);
    await this.phases.until(`${name}: all has come`, () => this.#missing());
    for (const { publisher } of this.#publishers)
      if (publisher.plan.qos === 2) assert.equal(this.#ledger.repetitions(publisher.plan.name), 0, `${name}: ${publisher.plan.name} twice`);
  }

  #missing(): string[] {
    return this.#publishers.flatMap(({ publisher: { plan, acknowledged } }) => {
      const left = this.#ledger.missing(plan.name, acknowledged);
      return left.length === 0 ? [] : [`${left.length} of ${plan.name}, from ${left[0]} to ${left.at(-1)}`];
    });
  }

  async #stopPublishing(name: string): Promise<void> {
    const unfinished = new Set(this.#publishers);
    for (const one of unfinished) void one.publisher.finish().then(() => unfinished.delete(one));
    await this.phases.until(`${name}: all is acknowledged`, () => Array.from(unfinished, ({ publisher: { plan } }) => plan.name));
  }

  /** Each publisher has some more acknowledged, or the client has some more of each. */
  async #more(name: string, ledger: DeliveryLedger | null = null): Promise<void> {
    const goals = this.#publishers.map(({ publisher }) => ({ publisher, goal: publisher.sent + SOME }));
    const reached = ({ plan, acknowledged }: SteadfastPublisher) =>
      ledger === null ? (acknowledged.at(-1) ?? 0) : ledger.latest(plan.name);
    await this.phases.until(name, () =>
      goals.filter(({ publisher, goal }) => reached(publisher) < goal).map(({ publisher }) => publisher.plan.name),
    );
  }

  async #areLinked(): Promise<void> {
    await this.phases.until('brokers are linked', async () => {
      const linked = await Promise.all(this.#places.map((place) => place.linked()));
      return this.#places.filter((_, at) => linked[at]!.length < this.#places.length - 1).map(({ id }) => id); // one for each
    });
  }

  summary(): string {
    const acknowledged = this.#publishers.reduce((sum, { publisher }) => sum + publisher.acknowledged.length, 0);
    return `${acknowledged} acknowledged, came: ${JSON.stringify(this.#ledger.total())}`;
  }
}

test('cluster keeps a session whole when brokers are killed at any word of its move', async (t) => {
  const scene = await Scene.begin(t);
  for (const ask of ASKS)
    for (const part of ['question', 'answer'] as const)
      for (const victim of VICTIMS) await scene.move(`${victim} killed at the ${part} of "${ask}"`, { part, ask }, victim);
  console.log(scene.summary());
});

test('cluster keeps a session whole when brokers are killed at any moment of its move', async (t) => {
  const scene = await Scene.begin(t);
  for (let round = 0; round < CHANCES; round++) {
    const moment = Math.round(Math.random() * MOVE_MS);
    const victim = VICTIMS[round % 3]!; // not the one that goes back: when the move is over by then, what is under way to it is not sent again elsewhere
    await scene.move(`${round}: ${victim} killed after ${moment} ms`, moment, victim);
  }
  console.log(scene.summary());
});
