// How large the history of locations is, and how long its queries take: 30 phones for 90 days, 1.5 million locations.
//
//   build/with.sh node test/bench/locations.ts

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { STORE_DEFAULTS } from '../../src/store/options.ts';
import { openStore } from '../../src/store/store.ts';
import { familyLocations, topicOfPhone } from '../store/family-locations.ts';

const DAYS = 90;
const DAY_MS = 86_400_000;
const FAMILY = { phones: 30, perDay: 556, from: Date.UTC(2026, 0, 1) };

/** Minutes that are written together: the order on the disk is that of single minutes, the time is not. */
const TOGETHER = 20;

const ROUNDS = 20;

void measure();

async function measure(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'midge-locations-'));
  try {
    const store = await openStore({ ...STORE_DEFAULTS, folder, synchronous: 'NORMAL' }, { clock: systemClock, log: silentLogger });
    const { locations } = store;
    let [count, minute] = [0, 0];
    for (const records of familyLocations(FAMILY, DAYS * 1440)) {
      for (const record of records) locations.append(record);
      count += records.length;
      if (++minute % TOGETHER === 0) await locations.flush();
    }
    await locations.flush();
    const topic = topicOfPhone(7);
    const end = FAMILY.from + DAYS * DAY_MS;
    const day = { topic, from: end - 30 * DAY_MS, to: end - 29 * DAY_MS };
    await say('last of each phone', () => locations.newest());
    await say('a day of a phone', () => locations.read(day, null, 2000));
    await say('newest 500 of a phone', () => locations.read({ topic, from: 0, to: end }, null, 500));
    await say('a page of 2000 in the middle', () => locations.read({ topic, from: 0, to: end - 45 * DAY_MS }, null, 2000));
    await say('phones with first and last', () => locations.phones());
    await say('count of a phone, for a preview', () => locations.count({ topic, from: 0, to: end }));
    const began = performance.now();
    for (const { topic: each } of await locations.phones()) await locations.delete({ topic: each, from: 0, to: FAMILY.from + DAY_MS });
    process.stdout.write(`the oldest day of all phones deleted: ${(performance.now() - began).toFixed(0)} ms\n`);
    await store.stop();
    process.stdout.write(`${count} locations: ${(statSync(join(folder, STORE_DEFAULTS.file)).size / 1e6).toFixed(0)} MB\n`);
    const start = performance.now();
    await (await openStore({ ...STORE_DEFAULTS, folder }, { clock: systemClock, log: silentLogger })).stop();
    process.stdout.write(`opened, with every page checked: ${(performance.now() - start).toFixed(0)} ms\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function say(what: string, query: () => Promise<unknown>): Promise<void> {
  const times: number[] = [];
  let rows = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const answer = await query();
    times.push(performance.now() - start);
    rows = Array.isArray(answer) ? answer.length : Number(answer);
  }
  times.sort((one, other) => one - other);
  process.stdout.write(`${what}: ${times[ROUNDS / 2]!.toFixed(1)} ms, at most ${times.at(-1)!.toFixed(1)} ms (${rows})\n`);
}
