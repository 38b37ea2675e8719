// Retained topics up to a million: their memory, the time to load them, the time a "#" subscriber needs to get them, and what others notice of it.

import { setTimeout as pause } from 'node:timers/promises';
import { OperatorError } from '../../../src/base/errors.ts';
import { Client, PLAIN } from '../generator/client.ts';
import { residentBytes } from '../machine.ts';
import { Loader } from './loader.ts';
import { type Probe, sized } from './probe.ts';
import { pair } from './subscriptions.ts';

const SIZES = [10_000, 100_000, 1_000_000];
const STALL_MS = 5_000;
const LOOK_EVERY_MS = 20;

/** retained grows to a million topics. */
export const retained: Probe = {
  name: 'retained',
  titles: sized(
    SIZES,
    'retained topics: bytes each; seconds to load; until a "#" subscriber has them; p99 / longest wait in microseconds of a pair meanwhile',
  ),
  run: async function* (broker, conditions) {
    const { child, port } = broker;
    const empty = residentBytes(child.pid);
    const loader = await Loader.open(port, { retain: true });
    try {
      let loading = 0;
      for (const size of SIZES) {
        loading += await loader.loadTo(size);
        const each = (residentBytes(child.pid) - empty) / size;
        const beside = conditions.generator.run({
          ...pair(broker, conditions, 1),
          warmup: 0.2,
          seconds: Math.max(4, conditions.seconds),
        });
        const { seconds, count } = await takeAll(port, size);
        const { p99, max } = await beside;
        const got = count < size ? ` (only ${count.toLocaleString('en-US')})` : '';
        yield `${each.toFixed(0)}; ${loading.toFixed(1)}; ${seconds.toFixed(2)}${got}; ${p99.toFixed(0)} / ${max.toFixed(0)}`;
      }
    } finally {
      loader.close();
    }
  },
};

/** takeAll counts what comes to "home/#" with the retain flag; it gives up when nothing has come for five seconds. */
async function takeAll(port: number, size: number): Promise<{ seconds: number; count: number }> {
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
  while (count < size && performance.now() - last < STALL_MS) await Promise.race([pause(LOOK_EVERY_MS), client.lost]);
  client.close();
  if (count === 0) throw new OperatorError('no retained message came');
  return { seconds: (last - began) / 1000, count };
}
