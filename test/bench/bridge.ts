// How much a bridge carries for a second of a processor, beside mosquitto's: npm run bench:bridge [-- --messages 300000]
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
import { Peer, until } from './bridge-peer.ts';
import { type Child, freePort, startChild } from './child.ts';

type Direction = 'out' | 'in';

/** Clock ticks of /proc per second. */
const TICKS = 100;

const MAIN = join(import.meta.dirname, '../../src/main.ts');

await run(Number(parseArgs({ options: { messages: { type: 'string', default: '300000' } } }).values.messages));

async function run(messages: number): Promise<void> {
  console.log('A bridge of MQTT 3.1.1, 100 bytes each: messages for a second of a processor\n');
  for (const direction of ['out', 'in'] as const) {
    for (const qos of [0, 1] as const) {
      const midge = await measure('midge', direction, qos, qos === 0 ? messages : messages / 3);
      const mosquitto = findMosquitto() === null ? null : await measure('mosquitto', direction, qos, qos === 0 ? messages : messages / 3);
      const ratio = mosquitto === null ? '' : `, mosquitto ${Math.round(mosquitto)}: ${(midge / mosquitto).toFixed(1)} times`;
      console.log(`${direction.padEnd(3)} QoS ${qos}: midge ${Math.round(midge)}${ratio}`);
    }
  }
}

async function measure(what: 'midge' | 'mosquitto', direction: Direction, qos: Qos, messages: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'midge-bench-'));
  const sink = await Peer.asServer();
  const port = await freePort();
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'max_queued_messages 0', 'log_type error', 'user root'];
  lines.push('connection b', `address 127.0.0.1:${sink.port}`, `topic # ${direction} ${qos}`, 'notifications false');
  writeFileSync(join(folder, 'conf'), `${lines.join('\n')}\n`);
  const broker = await start(what, folder);
  try {
    await until(() => sink.isSubscribed || (direction === 'out' && sink.isConnected));
    const client = await Peer.asClient(port, direction === 'in');
    const [from, to] = direction === 'out' ? [client, sink] : [sink, client];
    await from.publish(qos, messages / 10, to); // what runs for the first time is slow
    const before = processorSeconds(broker);
    await from.publish(qos, messages, to);
    return messages / (processorSeconds(broker) - before);
  } finally {
    await broker.stop();
    sink.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

function start(what: 'midge' | 'mosquitto', folder: string): Promise<Child> {
  if (what === 'mosquitto') return startChild(findMosquitto()!, ['-c', join(folder, 'conf')], null); // run has asked
  return startChild(process.execPath, [MAIN, 'serve', '-c', join(folder, 'conf'), '--state', folder], null);
}

function processorSeconds({ pid }: Child): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' '); // proc_pid_stat(5): utime, stime
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}
