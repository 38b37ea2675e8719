// One box of a cluster under faults: a midge and a nats-server on a machine of their own, and clients that forget nothing.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { DeliveryLedger } from '../../support/clients/delivery-ledger.ts';
import { readNumbered, retainedMessage, streamMessage } from '../../support/clients/numbered-messages.ts';
import { openRawClient, readPublish, subscribeBytes } from '../../support/clients/raw-client.ts';
import { type PublishedMessage, type PublisherPlan, SteadfastPublisher } from '../../support/clients/steadfast-publisher.ts';
import { SteadfastSubscriber } from '../../support/clients/steadfast-subscriber.ts';
import { type WatchedProcess, watchProcess } from '../../support/process/watched-process.ts';
import type { Host } from './hosts.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const CLOCK = join(import.meta.dirname, 'turned-clock.ts');
const NATS_PORT = 4222;
const ROUTE_PORT = 6222;
/** Bytes of a payload. */
const SIZE = 40;
/** Milliseconds between two messages, and how many of a publisher are under way: some hundred messages a second in all. */
const PAUSE = 40;
const WINDOW = 4;
/** Topics that publishers of all boxes set and clear. */
const COMMON = 5;
/** Milliseconds in which a handful of retained messages have come. */
const RETAINED_MS = 400;
const SUBACK = 9;
/** Lines of a log that tell why something is missing. */
const TELLING = /Cluster|Error|Cannot|written again|dropped|running$/;
/** Milliseconds that a program may take to start, on a busy machine too. */
const START_MS = 180_000;

/** Box is number `index` of `hosts`. */
export class Box {
  readonly id: string;
  readonly publishers: readonly SteadfastPublisher[];
  /** Of its subscriber of all streams. */
  readonly ledger: DeliveryLedger;
  readonly #test: TestContext;
  readonly #hosts: readonly Host[];
  readonly #index: number;
  readonly #folder: string;
  readonly #state: string;
  readonly #subscribers: readonly SteadfastSubscriber[];
  #midge: WatchedProcess | null = null;
  /** Lines of its runs before. */
  readonly #earlier: string[] = [];
  #nats: WatchedProcess | null = null;

  /** `jobs` has what the members of the shared subscription get. A small disk has room for some minutes. */
  constructor(
    test: TestContext,
    hosts: readonly Host[],
    index: number,
    folder: string,
    { jobs, isDiskSmall }: { jobs: DeliveryLedger; isDiskSmall: boolean },
  ) {
    this.id = `box-${index}`;
    this.#test = test;
    this.#hosts = hosts;
    this.#index = index;
    this.#folder = folder;
    this.#state = isDiskSmall ? smallDisk(test) : join(folder, 'state');
    mkdirSync(this.#state, { recursive: true, mode: 0o700 });
    this.setClock(0);
    this.#configure();
    this.publishers = plansFor(this.id, !isDiskSmall).map((plan) => new SteadfastPublisher(plan));
    this.ledger = new DeliveryLedger(this.id);
    const into = (ledger: DeliveryLedger) => (payload: Buffer) => {
      const numbered = readNumbered(payload);
      if (numbered !== null) ledger.note(numbered.publisher, numbered.sequence);
    };
    this.#subscribers = [
      new SteadfastSubscriber(`all-${this.id}`, 5, 'stream/#', into(this.ledger)),
      new SteadfastSubscriber(`worker-${this.id}`, 5, '$share/workers/job/#', into(jobs)),
    ];
    test.after(() => this.detach());
  }

  /** What the log of this run says. */
  get lines(): readonly string[] {
    return this.#midge?.lines ?? [];
  }

  /** history is what the logs of all its runs say of the cluster and of trouble, at most so many lines. */
  history(most: number): string {
    return [...this.#earlier, ...this.lines]
      .filter((line) => TELLING.test(line))
      .slice(-most)
      .join('\n');
  }

  /** ended names the clients whose connection the broker has ended. */
  get ended(): string[] {
    const clients = [
      ...this.#subscribers.map((one) => ({ name: one.name, one })),
      ...this.publishers.map((one) => ({ name: one.plan.name, one })),
    ];
    return clients.filter(({ one }) => !one.isAttached).map(({ name }) => name);
  }

  async startNats(): Promise<void> {
    const { address } = this.#host;
    const routes = this.#hosts.map((host) => `nats://${host.address}:${ROUTE_PORT}`).join(',');
    const words = ['-a', address, '-p', String(NATS_PORT), '--cluster_name', 'test', '--cluster', `nats://${address}:${ROUTE_PORT}`];
    this.#nats = watchProcess(this.#test, this.#host.command('nats-server', ...words, '--routes', routes));
    await this.#nats.line(/Server is ready/, 0, START_MS);
  }

  async killNats(): Promise<void> {
    await this.#nats?.kill();
  }

  async start(): Promise<void> {
    const env = {
      ...{ HOME: this.#folder, STATE_DIRECTORY: this.#state, TURNED_CLOCK: this.#clock },
      NODE_COMPILE_CACHE: join(this.#folder, 'compiled'),
    };
    const words = ['--import', CLOCK, MAIN, 'serve', '-c', join(this.#folder, 'midge.conf')];
    rmSync(this.#socket, { force: true });
    this.#earlier.push(...this.lines);
    this.#midge = watchProcess(this.#test, this.#host.command(process.execPath, ...words), env);
    await this.#midge.line(/version .* running$/, 0, START_MS);
  }

  async kill(): Promise<void> {
    this.detach();
    await this.#midge?.kill();
  }

  /** subscribe connects the subscribers. */
  async subscribe(): Promise<void> {
    for (const one of this.#subscribers) await one.attach(this.#socket);
  }

  /** publish connects the publishers, which send again what is not acknowledged. */
  async publish(): Promise<void> {
    for (const one of this.publishers) await one.attach(this.#socket);
  }

  /** probe publishes until others know what is wanted: what came before that they need not have. */
  async probe(hasArrived: (publisher: string) => Promise<unknown>): Promise<void> {
    const name = `probe-${this.id}`;
    const message = (sequence: number) => streamMessage(name, sequence, SIZE);
    const probe = new SteadfastPublisher({ name, version: 4, qos: 1, window: 1, pause: PAUSE, message });
    await probe.attach(this.#socket);
    await hasArrived(name);
    probe.detach();
  }

  async attach(): Promise<void> {
    await this.subscribe();
    await this.publish();
  }

  detach(): void {
    for (const one of [...this.#subscribers, ...this.publishers]) one.detach();
  }

  /** setClock turns the clock of its midge by seconds. */
  setClock(seconds: number): void {
    writeFileSync(this.#clock, String(seconds));
  }

  /** fillDisk leaves no room. */
  fillDisk(): void {
    const { bavail, bsize } = statfsSync(this.#state);
    writeFileSync(this.#filler, Buffer.alloc(Math.max(0, bavail * bsize - bsize)));
  }

  emptyDisk(): void {
    rmSync(this.#filler, { force: true });
  }

  /** retained gives the values below a filter, as a newcomer gets them. */
  async retained(topicFilter: string): Promise<Map<string, Buffer>> {
    const found = new Map<string, Buffer>();
    const options = { port: this.#socket, clientId: `looks-${this.id}`, version: 4, clean: true } as const;
    const { client } = await openRawClient(options, (packet) => {
      const { topicName, payload } = readPublish(4, packet);
      found.set(topicName, Buffer.from(payload));
    });
    await client.ask(subscribeBytes(4, topicFilter, 0), SUBACK);
    await new Promise((resolve) => setTimeout(resolve, RETAINED_MS));
    client.abort();
    return found;
  }

  get #host(): Host {
    return this.#hosts[this.#index]!; // it is one of them
  }

  get #socket(): string {
    return join(this.#folder, 'mqtt.sock');
  }

  get #clock(): string {
    return join(this.#folder, 'clock');
  }

  get #filler(): string {
    return join(this.#state, 'filler');
  }

  /** Its own NATS server stands first. */
  #configure(): void {
    const [own, others] = [this.#host, this.#hosts.filter((host) => host !== this.#host)];
    const servers = [own, ...others].map(({ address }) => `nats://${address}:${NATS_PORT}`).join(',');
    const words = [
      `listener 0 ${this.#socket}`,
      'allow_anonymous true',
      'persistence true',
      'max_queued_messages 0',
      'max_queued_bytes 0',
      `cluster ${servers}`,
      `cluster_id ${this.id}`,
    ];
    writeFileSync(join(this.#folder, 'midge.conf'), `${words.join('\n')}\n`);
  }
}

/** Its folder goes when it is not mounted any more. */
function smallDisk(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'midge-small-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48M,mode=700', 'tmpfs', folder]);
  test.after(() => {
    spawnSync('umount', ['-l', folder]);
    rmdirSync(folder);
  });
  return folder;
}

/** Where the disk becomes full there is none of QoS 2: a client that is refused then sends a message anew. */
function plansFor(id: string, withQos2: boolean): PublisherPlan[] {
  const plan = (name: string, qos: 1 | 2, message: (name: string, sequence: number) => PublishedMessage): PublisherPlan => ({
    ...{ name: `${name}-${id}`, version: 4, qos, window: WINDOW, pause: PAUSE },
    message: (sequence) => message(`${name}-${id}`, sequence),
  });
  return [
    plan('once', 1, (name, sequence) => streamMessage(name, sequence, SIZE)),
    plan('job', 1, (name, sequence) => ({ ...streamMessage(name, sequence, SIZE), topicName: `job/${name}` })),
    plan('kept', 1, (name, sequence) => retainedMessage(name, sequence, SIZE)),
    plan('common', 1, (name, sequence) => ({ ...retainedMessage(name, sequence, SIZE), topicName: `common/${sequence % COMMON}` })),
    ...(withQos2 ? [plan('exactly', 2, (name, sequence) => streamMessage(name, sequence, SIZE))] : []),
    ...(withQos2 ? [plan('exact-job', 2, (name, sequence) => ({ ...streamMessage(name, sequence, SIZE), topicName: `job/${name}` }))] : []),
  ];
}
