// What a message costs in a cluster of one, two and three brokers, and how long it is under way: npm run bench:cluster [-- --messages 200000 --rounds 3]
//
//   publisher -> broker A -> NATS -> broker B -> subscriber          and so on for C; each counts what it gets
//
// Processor time, not the clock: brokers, NATS and the bench share the cores of one machine. What several machines can do is worked out from it.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { STATE_NAMES } from '../../src/base/state-names.ts';
import type { ClusterState } from '../../src/cluster/state.ts';
import { askControl } from '../../src/control/ask-control.ts';
import { freePort } from '../support/network/free-ports.ts';
import { Peer, until } from './bridge-peer.ts';
import { type Child, startChild, waitForPort } from './child.ts';
import { Client, PLAIN, packet, text } from './generator/client.ts';
import { Histogram } from './generator/histogram.ts';
import { spreadOf } from './statistics.ts';

interface Box extends Child {
  readonly port: number;
  readonly folder: string;
}

/** Cost in microseconds of processor time for each message. */
interface Cost {
  readonly sender: number;
  /** Of all receiving brokers; 0 = there is none. */
  readonly receivers: number;
  readonly nats: number;
  /** NATS messages for each message. */
  readonly carried: number;
}

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const PATIENCE_MS = 15_000;
/** QoS 0 messages of 100 bytes that are under way at once: a broker drops what is over 1 MB for another. */
const ON_THEIR_WAY = 5000;
/** Messages one after the other, so that none waits for another. */
const TIMED = 5000;

const number = (value: number) => ({ type: 'string', default: String(value) }) as const;
const { values } = parseArgs({ options: { messages: number(200_000), rounds: number(3) } });
await run(Number(values.messages), Number(values.rounds));

async function run(messages: number, rounds: number): Promise<void> {
  const nats = await startNats();
  const folder = mkdtempSync(join(tmpdir(), 'midge-bench-'));
  const boxes: Box[] = [];
  try {
    for (const id of ['a', 'b', 'c']) boxes.push(await startBox(folder, id, nats.port));
    await untilAsked(async () => (await clusterOf(boxes[0]!)).peers.filter(({ phase }) => phase === 'connected').length === 2);
    console.log(
      `100 bytes each, microseconds of processor time for a message, with a database, medians of ${rounds} rounds of ${messages}\n`,
    );
    for (const qos of [0, 1] as const) {
      const costs = new Map<number, Cost>();
      for (const others of [0, 1, 2]) costs.set(others, await costOf(nats, boxes, { qos, others, messages, rounds }));
      report(qos, costs);
    }
    await reportLatency(boxes);
  } finally {
    for (const box of boxes) await box.stop();
    await nats.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Wish {
  readonly qos: 0 | 1;
  /** Brokers, besides that of the publisher, whose clients want each message. */
  readonly others: number;
  readonly messages: number;
  readonly rounds: number;
}

/** A subscriber at the publisher's broker in any case: without one there would be nothing to wait for where nobody else wants it. */
async function costOf(nats: Child, [a, ...rest]: readonly Box[], { qos, others, messages, rounds }: Wish): Promise<Cost> {
  const there = rest.slice(0, others);
  const sinks = [await Peer.asClient(a!.port, true, 'sink-a')];
  for (const [at, { port }] of there.entries()) sinks.push(await Peer.asClient(port, true, `sink-${at}`));
  await untilAsked(async () => (await clusterOf(a!)).peers.filter(({ filters }) => filters > 0).length === others);
  const publisher = await Peer.asClient(a!.port, false, 'publisher');
  const slowest = {
    get received(): number {
      return Math.min(...sinks.map(({ received }) => received)); // QoS 0 beyond what a broker holds for another is dropped
    },
  };
  const all: Cost[] = [];
  for (let round = -1; round < rounds; round++) {
    const before = [seconds(a!), sum(there.map(seconds)), seconds(nats), (await clusterOf(a!)).carried] as const;
    const goals = sinks.map(({ received }) => received + messages);
    await publisher.publish(qos, messages, slowest, ON_THEIR_WAY);
    await until(() => sinks.every(({ received }, at) => received >= goals[at]!));
    const each = (now: number, then: number) => ((now - then) / messages) * 1e6;
    const cost = {
      sender: each(seconds(a!), before[0]),
      receivers: each(sum(there.map(seconds)), before[1]),
      nats: each(seconds(nats), before[2]),
      carried: ((await clusterOf(a!)).carried - before[3]) / messages,
    };
    if (round >= 0) all.push(cost); // what runs for the first time is slow
  }
  for (const peer of [...sinks, publisher]) peer.end();
  await untilAsked(async () => (await clusterOf(a!)).peers.every(({ filters }) => filters === 0));
  const median = (of: (cost: Cost) => number) => spreadOf(all.map(of)).median;
  return {
    sender: median((one) => one.sender),
    receivers: median((one) => one.receivers),
    nats: median((one) => one.nats),
    carried: median((one) => one.carried),
  };
}

/** With n brokers of one core each, and publishers spread over them, a broker is the sender of one message in n, and a receiver of k in n. */
function report(qos: number, costs: ReadonlyMap<number, Cost>): void {
  for (const [others, { sender, receivers, nats, carried }] of costs) {
    const receiver = others === 0 ? '' : `, each receiver ${(receivers / others).toFixed(1)}, NATS ${nats.toFixed(1)}`;
    console.log(
      `QoS ${qos}, wanted at ${others} other brokers: sender ${sender.toFixed(1)}${receiver}; ${carried.toFixed(3)} NATS messages for each`,
    );
  }
  const capacity = ({ sender, receivers }: Cost, brokers: number) => Math.round((brokers * 1e6) / (sender + receivers));
  for (const brokers of [1, 2, 3])
    for (const [others, cost] of costs) {
      if (others >= brokers) continue;
      const arithmetic = `${brokers} x 1,000,000 / (${cost.sender.toFixed(1)} + ${cost.receivers.toFixed(1)})`;
      console.log(
        `  ${brokers} brokers, each message wanted at ${others} others: ${arithmetic} = ${capacity(cost, brokers).toLocaleString('en')} messages/s`,
      );
    }
  console.log('');
}

async function reportLatency([a, b]: readonly Box[]): Promise<void> {
  for (const [name, at] of [
    ['the same broker', a!],
    ['another broker', b!],
  ] as const) {
    const times = new Histogram();
    let came: (time: number) => void = () => {};
    const sink = new Client({ ...PLAIN, port: at.port }, 'timed-sink', (_client, _bytes, _at, _end, _body, time) => came(time));
    await sink.open();
    await sink.subscribe('timed', 0);
    if (at !== a) await untilAsked(async () => (await clusterOf(a!)).peers.some(({ filters }) => filters > 0));
    const publisher = new Client({ ...PLAIN, port: a!.port }, 'timed-publisher', () => {});
    await publisher.open();
    const message = packet(0x30, [text('timed'), Buffer.alloc(100, 'x')]);
    for (let each = -TIMED / 5; each < TIMED; each++) {
      const arrival = new Promise<number>((resolve) => {
        came = resolve;
      });
      const from = performance.now();
      publisher.write(message);
      const time = (await arrival) - from;
      if (each >= 0) times.add(time * 1e6);
    }
    sink.close();
    publisher.close();
    console.log(
      `From publisher to subscriber at ${name}: p50 ${times.percentile(0.5).toFixed(0)} us, p99 ${times.percentile(0.99).toFixed(0)} us, most ${times.largest.toFixed(0)} us`,
    );
  }
}

async function startNats(): Promise<Child & { port: number }> {
  const port = await freePort();
  const child = await startChild('nats-server', ['-a', '127.0.0.1', '-p', String(port)], null);
  await waitForPort(port, child, 'nats-server');
  return { ...child, port };
}

async function startBox(parent: string, id: string, natsPort: number): Promise<Box> {
  const folder = join(parent, id);
  const port = await freePort();
  const file = join(parent, `${id}.conf`);
  const cluster = `cluster nats://127.0.0.1:${natsPort}\ncluster_id ${id}\n`;
  writeFileSync(
    file,
    `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence true\nmax_queued_messages 0\nlog_type error\n${cluster}`,
  );
  const child = await startChild(process.execPath, [MAIN, 'serve', '-c', file, '--state', folder], null);
  await waitForPort(port, child, `broker ${id}`);
  return { ...child, port, folder };
}

async function clusterOf({ folder }: Box): Promise<ClusterState> {
  return (await askControl(join(folder, STATE_NAMES.controlSocket), { request: 'cluster' }, PATIENCE_MS)) as ClusterState; // the row's output has these fields
}

async function untilAsked(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50);
}

/** To the nanosecond, of all threads: proc_pid_schedstat(5). */
function seconds({ pid }: Child): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const ran = (thread: string) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  return sum(threads.map(ran)) / 1e9;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
