// How much a bridge carries for a second of a processor, beside mosquitto's, and whether it keeps up with a rate: npm run bench:bridge
// [-- --messages 300000 --rounds 3 --seconds 60 --version 5]
//
//   publisher -> broker with a bridge -> sink      the sink counts and acknowledges; for the other direction it publishes itself
//
// Processor time of the broker, not the clock: the other processes of the bench share its machine.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Qos } from '../../src/mqtt/packet-types.ts';
import { findMosquitto } from '../conversations/mosquitto-target.ts';
import { freePort } from '../support/network/free-ports.ts';
import { Peer, until } from './bridge-peer.ts';
import { type Child, startChild } from './child.ts';
import { spreadOf } from './statistics.ts';

type Direction = 'out' | 'in';
type What = 'midge' | 'mosquitto';

/** Ends are the two of a direction while the broker between them runs. */
interface Ends {
  readonly broker: Child;
  readonly from: Peer;
  readonly to: Peer;
}

/** Messages a second that a bridge has to keep up with. */
const RATES = { 0: 20_000, 1: 5_000 } as const;
/** Clock ticks and pages of /proc. */
const TICKS = 100;
const PAGE = 4096;
const MB = 1_000_000;

const MAIN = join(import.meta.dirname, '../../src/main.ts');

const number = (value: number) => ({ type: 'string', default: String(value) }) as const;
const { values } = parseArgs({ options: { messages: number(300_000), rounds: number(3), seconds: number(60), version: number(5) } });
const VERSION = Number(values.version) === 5 ? 5 : 4;
await saturate(Number(values.messages), Number(values.rounds));
await keepUp(Number(values.seconds));

/** The two take turns, so that what else the machine does meets both. */
async function saturate(messages: number, rounds: number): Promise<void> {
  console.log(`A bridge of MQTT ${VERSION === 5 ? '5' : '3.1.1'}, 100 bytes each: messages for a second of a processor, medians\n`);
  for (const direction of ['out', 'in'] as const) {
    for (const qos of [0, 1] as const) {
      const [midge, mosquitto]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        midge.push(await capacity('midge', direction, qos, messages));
        if (findMosquitto() !== null) mosquitto.push(await capacity('mosquitto', direction, qos, messages));
      }
      const other =
        mosquitto.length === 0
          ? ''
          : `, mosquitto ${thousands(mosquitto)}: ${(spreadOf(midge).median / spreadOf(mosquitto).median).toFixed(1)} times`;
      console.log(`${direction.padEnd(3)} QoS ${qos}: midge ${thousands(midge)}${other}`);
    }
  }
}

function thousands(samples: readonly number[]): string {
  const inThousands = (one: number) => Math.round(one / 1000).toLocaleString('en');
  return `${inThousands(spreadOf(samples).median)},000 (${samples.map(inThousands).join(' ')})`;
}

function capacity(what: What, direction: Direction, qos: Qos, messages: number): Promise<number> {
  return withBridge(what, direction, qos, async ({ broker, from, to }) => {
    await from.publish(qos, messages / 3, to); // what runs for the first time is slow
    const before = processorSeconds(broker);
    await from.publish(qos, messages, to);
    return messages / (processorSeconds(broker) - before);
  });
}

async function keepUp(seconds: number): Promise<void> {
  console.log(`\nThe same at a constant rate for ${seconds} s: means of the first and of the last quarter\n`);
  for (const direction of ['out', 'in'] as const) {
    for (const qos of [0, 1] as const) {
      console.log(await withBridge('midge', direction, qos, (ends) => offered(ends, direction, qos, seconds)));
    }
  }
}

async function offered({ broker, from, to }: Ends, direction: Direction, qos: 0 | 1, seconds: number): Promise<string> {
  const rate = RATES[qos];
  const waiting: number[] = [];
  const memory: number[] = [];
  const base = to.received;
  const before = processorSeconds(broker);
  const sent = await from.offer(qos, { rate, seconds }, (soFar) => {
    waiting.push(soFar - (to.received - base));
    memory.push(residentBytes(broker) / MB);
  });
  const share = (100 * (processorSeconds(broker) - before)) / seconds;
  await until(() => to.received - base >= sent);
  const onTheirWay = `on their way ${quarters(waiting)} (most ${Math.max(...waiting)})`;
  return `${direction.padEnd(3)} QoS ${qos}: ${rate}/s, ${to.received - base} of ${sent} came; ${onTheirWay}; memory ${quarters(memory)} MB; processor ${share.toFixed(0)} %`;
}

function quarters(samples: readonly number[]): string {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const mean = (some: readonly number[]) => Math.round(some.reduce((sum, one) => sum + one, 0) / some.length);
  return `${mean(samples.slice(0, quarter))} -> ${mean(samples.slice(-quarter))}`;
}

/** Starts a broker whose bridge carries everything in one direction, and stops it when `use` is done. */
async function withBridge<T>(what: What, direction: Direction, qos: Qos, use: (ends: Ends) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'midge-bench-'));
  const sink = await Peer.asServer(VERSION);
  const port = await freePort();
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'max_queued_messages 0', 'log_type error', 'user root'];
  lines.push(
    'connection b',
    `address 127.0.0.1:${sink.port}`,
    `topic # ${direction} ${qos}`,
    'notifications false',
    `bridge_protocol_version ${VERSION === 5 ? 'mqttv50' : 'mqttv311'}`,
  );
  writeFileSync(join(folder, 'conf'), `${lines.join('\n')}\n`);
  const broker = await start(what, folder);
  try {
    await until(() => sink.isSubscribed || (direction === 'out' && sink.isConnected));
    const client = await Peer.asClient(port, direction === 'in');
    const [from, to] = direction === 'out' ? [client, sink] : [sink, client];
    return await use({ broker, from, to });
  } finally {
    await broker.stop();
    sink.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(what: What, folder: string): Promise<Child> {
  if (what === 'mosquitto') return startChild(findMosquitto()!, ['-c', join(folder, 'conf')], null); // saturate has asked
  return startChild(process.execPath, [MAIN, 'serve', '-c', join(folder, 'conf'), '--state', folder], null);
}

function processorSeconds({ pid }: Child): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' '); // proc_pid_stat(5): utime, stime
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

function residentBytes({ pid }: Child): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE; // proc_pid_statm(5)
}
