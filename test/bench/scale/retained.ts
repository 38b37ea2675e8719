// A million retained topics: the time to load them, the time a "#" subscriber needs to get them, and what others notice of it.

import { setTimeout as pause } from 'node:timers/promises';
import { OperatorError } from '../../../src/base/errors.ts';
import { Client, PLAIN, packet, text } from '../generator/client.ts';
import { residentBytes } from '../machine.ts';
import type { Probe } from './probe.ts';
import { pair } from './subscriptions.ts';

const COUNT = 1_000_000;
const BATCH = 500;
const STALL_MS = 5_000;
const LOOK_EVERY_MS = 20;
const PAYLOAD = Buffer.alloc(16, '5');

/** retained publishes with QoS 1, at most 500 outstanding, and takes the PUBACKs as the proof that all are there. */
export const retained: Probe = {
  name: 'retained',
  title:
    '1,000,000 retained topics: time to load; time until a "#" subscriber has them; p99 / longest wait in microseconds of a pair meanwhile; RSS',
  run: async (broker, conditions) => {
    const loading = await load(broker.port);
    const beside = conditions.generator.run({ ...pair(broker, conditions, 1), warmup: 0.2, seconds: Math.max(4, conditions.seconds) });
    const { seconds, count } = await takeAll(broker.port);
    const { p99, max } = await beside;
    const got = count < COUNT ? ` (only ${count.toLocaleString('en-US')})` : '';
    return `${loading.toFixed(1)} s; ${seconds.toFixed(1)} s${got}; ${p99.toFixed(0)} / ${max.toFixed(0)}; ${(residentBytes(broker.child.pid) / 2 ** 20).toFixed(0)} MiB`;
  },
};

/** load returns the seconds until the last PUBACK. */
async function load(port: number): Promise<number> {
  const began = performance.now();
  let acknowledged = 0;
  let sent = 0;
  let done: (() => void) | null = null;
  const client = new Client({ ...PLAIN, port }, 'loader', (self) => {
    if (++acknowledged === sent) {
      if (sent < COUNT) sent += sendBatch(self, sent);
      else done?.();
    }
  });
  await client.open();
  const finished = new Promise<void>((resolve) => {
    done = resolve;
  });
  sent = sendBatch(client, 0);
  await Promise.race([finished, client.lost]);
  client.close();
  return (performance.now() - began) / 1000;
}

function sendBatch(client: Client, from: number): number {
  const frames: Buffer[] = [];
  for (let i = 0; i < BATCH; i++) {
    const number = from + i;
    const topic = text(`home/${Math.floor(number / 10_000)}/room/${Math.floor(number / 100) % 100}/sensor/${number % 100}`);
    frames.push(packet(0x33, [topic, Buffer.from([(i + 1) >> 8, (i + 1) & 0xff]), PAYLOAD]));
  }
  client.write(Buffer.concat(frames));
  return BATCH;
}

/** takeAll counts what comes to "home/#" with the retain flag; it gives up when nothing has come for five seconds. */
async function takeAll(port: number): Promise<{ seconds: number; count: number }> {
  const began = performance.now();
  let count = 0;
  let last = began;
  const client = new Client({ ...PLAIN, port }, 'taker', (_self, bytes, at, _end, _body, time) => {
    if (((bytes[at] ?? 0) & 0xf1) !== 0x31) return;
    count++;
    last = time;
  });
  await client.open();
  await client.subscribe('home/#', 0);
  while (count < COUNT && performance.now() - last < STALL_MS) await Promise.race([pause(LOOK_EVERY_MS), client.lost]);
  client.close();
  if (count === 0) throw new OperatorError('no retained message came');
  return { seconds: (last - began) / 1000, count };
}
