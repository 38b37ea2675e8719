// The other broker comes and goes for a long time, under load: nothing acknowledged is lost, memory stays, and reconnects follow the back-off.
//
// MIDGE_BRIDGE_SOAK=600 is ten minutes.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePort } from '../support/network/free-ports.ts';
import { openPort, startMidge } from '../support/process/midge-process.ts';
import { client, listening } from './clients.ts';
import { frailWire } from './frail-wire.ts';
import { eventually, OTHER_MIDGE } from './scene.ts';

const SECONDS = Number(process.env['MIDGE_BRIDGE_SOAK'] ?? 20);
/** Seconds that the other broker is there, and that it is away. */
const PERIOD = 5;
const PER_SECOND = 400;
/** Kilobytes that the process may have grown by since its first quarter: the collector's leeway. */
const GROWTH_KB = 60_000;

test(`a bridge keeps everything for ${SECONDS} s in which the other broker comes and goes every ${PERIOD} s`, {
  timeout: (SECONDS + 120) * 1000,
}, async (t) => {
  const other = await OTHER_MIDGE.start(t);
  const wire = await frailWire(t, other.port);
  const there = await listening(t, other.port, 's/#', 1);
  const folder = temporaryFolder(t);
  const port = await freePort();
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'max_queued_messages 0', 'persistence true'];
  lines.push('connection over', `address 127.0.0.1:${wire.port}`, 'topic s/# out 1', 'restart_timeout 1 3');
  writeFileSync(join(folder, 'midge.conf'), `${lines.join('\n')}\n`);
  const midge = startMidge(t, folder, ['serve', '-c', join(folder, 'midge.conf')]);
  await openPort(midge);
  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${midge.pid}/status`, 'utf8'))?.[1]);
  const publisher = await client(t, port, { protocolVersion: 4 });
  let published = 0;
  let quarter = 0;
  for (let second = 0; second < SECONDS; second++) {
    const isThere = Math.floor(second / PERIOD) % 2 === 0;
    if (wire.isOpen && !isThere) wire.cut();
    wire.isOpen = isThere;
    const work: Promise<unknown>[] = [sleep(1000)];
    for (let each = 0; each < PER_SECOND; each++) work.push(publisher.publishAsync('s/t', `${published++}`, { qos: 1 }));
    await Promise.all(work);
    if (second === Math.floor(SECONDS / 4)) quarter = rss();
  }
  wire.isOpen = true;
  await eventually(() => new Set(there.texts()).size === published, 'all have come');
  const attempts = midge.lines.filter((line) => line.includes('Connecting bridge over')).length;
  t.diagnostic(
    `${published} messages, ${there.received.length} received, ${attempts} attempts, ${quarter} kB after a quarter, ${rss()} kB at the end`,
  );
  assert.ok(rss() - quarter < GROWTH_KB, `it has grown from ${quarter} kB to ${rss()} kB`);
  assert.ok(attempts <= SECONDS * 2, `${attempts} attempts`); // 250 ms at least between two, a second and more on average
});
