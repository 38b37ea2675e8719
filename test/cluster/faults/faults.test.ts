// Three boxes, each with a midge and a NATS server, under all faults one after the other, with clients that remember everything: what was
// acknowledged is delivered, in order, QoS 2 once, and all boxes have the same retained messages.
//
// Each fault once: two minutes. MIDGE_CLUSTER_FAULTS=1800 in the environment goes on with further rounds for half an hour.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as later } from 'node:timers/promises';
import { DeliveryLedger } from '../../support/clients/delivery-ledger.ts';
import { staleTopics } from '../../support/clients/numbered-messages.ts';
import type { SteadfastPublisher } from '../../support/clients/steadfast-publisher.ts';
import { temporaryFolder } from '../../support/disk/temporary-folder.ts';
import { namespaceObstacle } from '../../support/network/network-namespaces.ts';
import { Box } from './box.ts';
import { again, type Fault, faultsOf, PEACE, SMALL } from './faults.ts';
import { Switch } from './hosts.ts';
import { Phases } from './phases.ts';

const SECONDS = Number(process.env['MIDGE_CLUSTER_FAULTS'] ?? 0);
const BOXES = 3;
/** Milliseconds between two attempts of clients whose messages were refused. */
const REFUSED = 5000;
/** Lines of each log in the words of a failure. */
const LINES = 40;

test('cluster keeps its promises through faults', { skip: namespaceObstacle() }, async (t) => {
  const scene = new Scene(t);
  await scene.begin();
  const counts = await scene.suffer();
  await scene.calm();
  console.log(`${JSON.stringify(counts)}; ${scene.summary()}`);
});

class Scene {
  readonly #boxes: readonly Box[];
  readonly #small: Box;
  readonly #jobs = new DeliveryLedger('the workers');
  readonly #faults: readonly Fault[];
  readonly #phases: Phases;
  readonly #end = performance.now() + SECONDS * 1000;
  #triedAt = 0;
  /** By the publishers of the box with the small disk, then. */
  #acknowledged: readonly number[] = [];

  constructor(t: TestContext) {
    const folder = temporaryFolder(t);
    const wires = new Switch(t, BOXES);
    const { hosts } = wires;
    this.#boxes = hosts.map((_, index) => {
      const own = join(folder, String(index));
      mkdirSync(own);
      return new Box(t, hosts, index, own, { jobs: this.#jobs, isDiskSmall: index === SMALL });
    });
    this.#small = this.#boxes[SMALL]!; // there are three
    this.#faults = faultsOf(this.#boxes, wires);
    this.#phases = new Phases(console.log, () => this.#boxes.map((box) => `--- ${box.id}\n${box.history(LINES)}`).join('\n'));
  }

  async begin(): Promise<void> {
    const all = (act: (box: Box) => Promise<unknown>) => Promise.all(this.#boxes.map(act));
    const phases = this.#phases;
    await phases.step(
      'NATS starts',
      all((box) => box.startNats()),
    );
    await phases.step(
      'brokers start',
      all((box) => box.start()),
    );
    await phases.until('brokers are linked', () =>
      this.#boxes.filter((box) => linksOf(box) < BOXES - 1).map(({ id }) => `${id} with the others`),
    );
    await phases.step(
      'subscribers connect',
      all((box) => box.subscribe()),
    );
    const arrived = (name: string) => all(({ ledger }) => ledger.arrived(name));
    await phases.step(
      'brokers know what is wanted',
      all((box) => box.probe(arrived)),
    );
    await phases.step(
      'publishers connect',
      all((box) => box.publish()),
    );
  }

  /** suffer has each fault happen, and again in another order until the time is over. In every other round the next fault comes before all is well again. */
  async suffer(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    let faults = this.#faults;
    for (let round = 0; round === 0 || performance.now() < this.#end; round++) {
      for (const { name, happen } of faults) {
        await this.#phases.step(`${name} (round ${round + 1})`, happen());
        counts[name] = (counts[name] ?? 0) + 1;
        if (round % 2 === 0) await this.#isWell(`well again after "${name}"`);
        else await later(PEACE);
        if (round > 0 && performance.now() > this.#end) break;
      }
      faults = shuffled(faults);
    }
    return counts;
  }

  /** Messages that are published from now on come everywhere, and no client has lost its connection. */
  async #isWell(name: string): Promise<void> {
    const marks = new Map(this.#publishers('').map((one) => [one, one.sent]));
    const isBehind = (ledger: DeliveryLedger, one: SteadfastPublisher) => ledger.latest(one.plan.name) <= marks.get(one)!; // all are in it
    const missing = () => [
      ...this.#boxes.flatMap(({ id, ledger }) =>
        this.#streams.filter((one) => isBehind(ledger, one)).map(({ plan }) => `${id} gets no more of ${plan.name}`),
      ),
      ...this.#work.filter((one) => isBehind(this.#jobs, one)).map(({ plan }) => `workers get no more of ${plan.name}`),
      ...this.#boxes.flatMap(({ id, ended }) => ended.map((client) => `${id} has disconnected ${client}`)),
    ];
    await this.#phases.until(name, missing, () => this.#sendAgain());
  }

  /** calm brings everything to an end, and compares what came with what was acknowledged. */
  async calm(): Promise<void> {
    const unfinished = new Set(this.#publishers(''));
    for (const one of unfinished) void one.finish().then(() => unfinished.delete(one));
    await this.#phases.until(
      'all is acknowledged',
      () => Array.from(unfinished, ({ plan, sent, acknowledged }) => `${plan.name}: ${acknowledged.length} of ${sent}`),
      () => this.#sendAgain(),
    );
    await this.#phases.until('all that was acknowledged has come', () =>
      [
        ...this.#boxes.flatMap(({ id, ledger }) => this.#streams.map((one) => `${id} ${missingOf(ledger, one)}`)),
        ...this.#work.map((one) => `workers ${missingOf(this.#jobs, one)}`),
      ].filter((words) => !words.endsWith(' none')),
    );
    await later(PEACE); // for what would come twice
    for (const { ledger } of this.#boxes)
      for (const { plan, acknowledged } of this.#streams) ledger.check(plan.name, plan.qos, acknowledged);
    for (const { plan } of this.#publishers('exact-job')) assert.equal(this.#jobs.repetitions(plan.name), 0, `${plan.name} came twice`);
    await this.#phases.until('all boxes have the retained messages', () => this.#wrongRetained());
  }

  summary(): string {
    const acknowledged = this.#publishers('').reduce((sum, one) => sum + one.acknowledged.length, 0);
    const came = [...this.#boxes.map(({ ledger }) => ledger), this.#jobs].map((ledger) => ledger.total());
    return `${acknowledged} acknowledged; came: ${came.map(({ messages, repetitions }) => `${messages} (QoS 1 again: ${repetitions})`).join(', ')}`;
  }

  /** A broker whose disk is full answers an older client nothing: it sends again on a new connection. */
  async #sendAgain(): Promise<void> {
    if (performance.now() - this.#triedAt < REFUSED) return;
    this.#triedAt = performance.now();
    const { publishers } = this.#small;
    const before = this.#acknowledged;
    this.#acknowledged = publishers.map(({ acknowledged }) => acknowledged.length);
    const isStuck = publishers.some(({ unfinished }, at) => unfinished > 0 && this.#acknowledged[at] === before[at]);
    if (isStuck) await again(this.#small);
  }

  async #wrongRetained(): Promise<string[]> {
    const kept = await Promise.all(this.#boxes.map((box) => box.retained('kept/#')));
    const stale = kept.flatMap((found, index) =>
      this.#publishers('kept').flatMap(({ plan, sent }) =>
        staleTopics(plan.name, found, sent, sent).map((words) => `box-${index} ${words}`),
      ),
    );
    const common = await Promise.all(this.#boxes.map((box) => box.retained('common/#')));
    const asText = common.map((found) => JSON.stringify([...found].map(([topic, payload]) => `${topic} ${payload}`).sort()));
    return [...stale, ...(new Set(asText).size > 1 ? asText : [])];
  }

  get #streams(): SteadfastPublisher[] {
    return [...this.#publishers('once'), ...this.#publishers('exactly')];
  }

  get #work(): SteadfastPublisher[] {
    return [...this.#publishers('job'), ...this.#publishers('exact-job')];
  }

  #publishers(kind: string): SteadfastPublisher[] {
    return this.#boxes.flatMap(({ publishers }) => publishers.filter(({ plan }) => kind === '' || plan.name.startsWith(`${kind}-box`)));
  }
}

function linksOf({ lines }: Box): number {
  return new Set(lines.filter((line) => /Cluster: connected to /.test(line)).map((line) => line.slice(line.indexOf('connected to')))).size;
}

function missingOf(ledger: DeliveryLedger, { plan, acknowledged }: SteadfastPublisher): string {
  const missing = ledger.missing(plan.name, acknowledged);
  return `misses of ${plan.name}: ${missing.length === 0 ? 'none' : `${missing.length}, from ${missing[0]} to ${missing.at(-1)}`}`;
}

function shuffled<T>(all: readonly T[]): T[] {
  return all
    .map((one) => [Math.random(), one] as const)
    .sort(([one], [other]) => one - other)
    .map(([, one]) => one);
}
