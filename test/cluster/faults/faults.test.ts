// Three boxes, each with a midge and a NATS server, under all faults one after the other, with clients that remember everything: what was
// acknowledged is delivered, in order, QoS 2 once, and all boxes have the same retained messages.
//
// Two minutes; MIDGE_CLUSTER_FAULTS=1800 in the environment makes it half an hour (then by `node --test`, which ends no test).

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
import { Switch } from './hosts.ts';

const SECONDS = Number(process.env['MIDGE_CLUSTER_FAULTS'] ?? 120);
const BOXES = 3;
/** The box whose disk becomes full, and the one whose clock is wrong. */
const SMALL = 1;
const WRONG = 2;
const HOUR = 3600;
/** Milliseconds of a fault that others must notice (after five seconds), of a short one, and of the peace after each. */
const LONG = 8000;
const SHORT = 3000;
const PEACE = 2000;
/** Milliseconds in which all must have come. */
const PATIENCE = 240_000;

type Fault = readonly [name: string, happen: () => Promise<void>];

test(`cluster keeps its promises through ${SECONDS} seconds of faults`, {
  skip: namespaceObstacle(),
}, async (t) => {
  const scene = new Scene(t);
  await scene.begin();
  const counts = await scene.suffer();
  await scene.calm();
  t.diagnostic(`${JSON.stringify(counts)}; ${scene.summary()}`);
});

class Scene {
  readonly #switch: Switch;
  readonly #boxes: readonly Box[];
  readonly #jobs = new DeliveryLedger('the workers');
  readonly #end = performance.now() + SECONDS * 1000;

  constructor(t: TestContext) {
    const folder = temporaryFolder(t);
    this.#switch = new Switch(t, BOXES);
    const { hosts } = this.#switch;
    this.#boxes = hosts.map((_, index) => {
      const own = join(folder, String(index));
      mkdirSync(own);
      return new Box(t, hosts, index, own, { jobs: this.#jobs, isDiskSmall: index === SMALL });
    });
  }

  async begin(): Promise<void> {
    await Promise.all(this.#boxes.map((box) => box.startNats()));
    await Promise.all(this.#boxes.map((box) => box.start()));
    for (const box of this.#boxes)
      await patiently(
        () => linksOf(box) === BOXES - 1,
        () => `${box.id} is linked to the others: ${box.lines.join('\n')}`,
      );
    await Promise.all(this.#boxes.map((box) => box.subscribe()));
    const arrived = (name: string) => Promise.all(this.#boxes.map(({ ledger }) => ledger.arrived(name)));
    await Promise.all(this.#boxes.map((box) => box.probe(arrived)));
    await Promise.all(this.#boxes.map((box) => box.publish()));
  }

  /** suffer has faults happen until the time is over: each of them at least once. */
  async suffer(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    do {
      for (const [name, happen] of this.#faults()) {
        await happen();
        await later(PEACE);
        counts[name] = (counts[name] ?? 0) + 1;
        if (performance.now() > this.#end && Object.keys(counts).length === this.#names.size) break;
      }
    } while (performance.now() < this.#end);
    return counts;
  }

  /** calm brings everything to an end, and compares what came with what was acknowledged. */
  async calm(): Promise<void> {
    const finished = Promise.all(this.#boxes.flatMap(({ publishers }) => publishers.map((publisher) => publisher.finish())));
    let isFinished = false;
    void finished.then(() => {
      isFinished = true;
    });
    await patiently(
      async () => isFinished || (await again(this.#boxes[SMALL]!).then(() => isFinished)), // it may have been refused for longer than that
      () =>
        this.#publishers('')
          .map(({ plan, sent, acknowledged }) => `${plan.name}: ${acknowledged.length} of ${sent}`)
          .join(', '),
    );
    const streams = [...this.#publishers('once'), ...this.#publishers('exactly')];
    const jobs = [...this.#publishers('job'), ...this.#publishers('exact-job')];
    const missing = () =>
      [
        ...this.#boxes.flatMap(({ id, ledger }) => streams.map((one) => `${id} ${missingOf(ledger, one)}`)),
        ...jobs.map((one) => `workers ${missingOf(this.#jobs, one)}`),
      ].filter((words) => !words.endsWith(' none'));
    await patiently(
      () => missing().length === 0,
      () => missing().join(', '),
    );
    await later(PEACE); // for what would come twice
    for (const { ledger } of this.#boxes) for (const { plan, acknowledged } of streams) ledger.check(plan.name, plan.qos, acknowledged);
    for (const { plan } of this.#publishers('exact-job')) assert.equal(this.#jobs.repetitions(plan.name), 0, `${plan.name} came twice`);
    await this.#checkRetained();
  }

  summary(): string {
    const acknowledged = this.#boxes.flatMap(({ publishers }) => publishers).reduce((sum, one) => sum + one.acknowledged.length, 0);
    const came = [...this.#boxes.map(({ ledger }) => ledger), this.#jobs].map((ledger) => ledger.total());
    return `${acknowledged} acknowledged; came: ${came.map(({ messages, repetitions }) => `${messages} (QoS 1 again: ${repetitions})`).join(', ')}`;
  }

  async #checkRetained(): Promise<void> {
    let last = '';
    const areRight = async () => {
      const kept = await Promise.all(this.#boxes.map((box) => box.retained('kept/#')));
      const stale = kept.flatMap((found, index) =>
        this.#publishers('kept').flatMap(({ plan, sent }) =>
          staleTopics(plan.name, found, sent, sent).map((words) => `box-${index} ${words}`),
        ),
      );
      const common = await Promise.all(this.#boxes.map((box) => box.retained('common/#')));
      const asText = common.map((found) => JSON.stringify([...found].map(([topic, payload]) => `${topic} ${payload}`).sort()));
      const differing = new Set(asText).size > 1 ? asText : [];
      last = [...stale, ...differing].join('\n');
      return last === '';
    };
    await patiently(areRight, () => last);
  }

  #publishers(kind: string): SteadfastPublisher[] {
    return this.#boxes.flatMap(({ publishers }) => publishers.filter(({ plan }) => kind === '' || plan.name.startsWith(`${kind}-box`)));
  }

  get #names(): Set<string> {
    return new Set(this.#faults().map(([name]) => name));
  }

  #faults(): Fault[] {
    const boxes = this.#boxes;
    const wires = this.#switch;
    const [small, wrong] = [boxes[SMALL]!, boxes[WRONG]!]; // there are three
    const pairs = [
      [0, 1],
      [1, 2],
      [0, 2],
    ] as const;
    return [
      ...boxes.map((box): Fault => ['broker killed', () => reborn(box)]),
      ...boxes.map(
        (box): Fault => [
          'NATS server killed',
          () =>
            box
              .killNats()
              .then(() => later(SHORT))
              .then(() => box.startNats()),
        ],
      ),
      ...pairs.map(
        ([one, other]): Fault => [
          'pair parted',
          () =>
            meanwhile(
              LONG,
              () => wires.cut(one, other),
              () => wires.mend(one, other),
            ),
        ],
      ),
      [
        'box unplugged',
        () =>
          meanwhile(
            LONG,
            () => wires.unplug(0),
            () => wires.plug(0),
          ),
      ],
      [
        'link slow',
        () =>
          meanwhile(
            LONG,
            () => wires.slow(0),
            () => wires.speedUp(0),
          ),
      ],
      [
        'disk full',
        () =>
          meanwhile(
            LONG,
            () => small.fillDisk(),
            () => small.emptyDisk(),
          ).then(() => again(small)),
      ],
      [
        'clock ahead',
        () =>
          meanwhile(
            SHORT,
            () => wrong.setClock(HOUR),
            () => wrong.setClock(0),
          ),
      ],
      [
        'clock behind',
        () =>
          meanwhile(
            SHORT,
            () => wrong.setClock(-HOUR),
            () => wrong.setClock(0),
          ),
      ],
      [
        'unplugged and killed',
        async () => {
          wires.unplug(0);
          await later(LONG);
          await reborn(boxes[0]!); // as above
          wires.plug(0);
        },
      ],
    ];
  }
}

function linksOf({ lines }: Box): number {
  return new Set(lines.filter((line) => /Cluster: connected to /.test(line)).map((line) => line.slice(line.indexOf('connected to')))).size;
}

async function meanwhile(milliseconds: number, begin: () => void, end: () => void): Promise<void> {
  begin();
  await later(milliseconds);
  end();
}

async function reborn(box: Box): Promise<void> {
  await box.kill();
  await later(SHORT);
  await box.start();
  await box.attach();
}

/** Clients whose messages were not acknowledged connect anew and send them again. */
async function again(box: Box): Promise<void> {
  await later(PEACE);
  box.detach();
  await box.attach();
}

function missingOf(ledger: DeliveryLedger, { plan, acknowledged }: SteadfastPublisher): string {
  const missing = ledger.missing(plan.name, acknowledged);
  return `misses of ${plan.name}: ${missing.length === 0 ? 'none' : `${missing.length}, from ${missing[0]} to ${missing.at(-1)}`}`;
}

/** As long as a busy machine needs. */
async function patiently(condition: () => boolean | Promise<boolean>, what: () => string): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`it never came true: ${what()}`);
    await later(50);
  }
}
