// How large the history of locations is, and how long its queries take: 30 phones for 90 days, 1.5 million locations.
//
//   build/with.sh node test/bench/locations.ts

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { LocationLog } from '../../src/store/location-log.ts';
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
    const store = await open(folder);
    const { locations } = store;
    let [count, minute] = [0, 0];
    for (const records of familyLocations(FAMILY, DAYS * 1440)) {
      for (const record of records) locations.append(record);
      count += records.length;
      if (++minute % TOGETHER === 0) await locations.flush();
    }
    await store.stop();
    const file = join(folder, STORE_DEFAULTS.file);
    process.stdout.write(`${count} locations: ${(statSync(file).size / 1e6).toFixed(0)} MB\n\n`);
    const topic = topicOfPhone(7);
    const end = FAMILY.from + DAYS * DAY_MS;
    const day = { topic, from: end - 30 * DAY_MS, to: end - 29 * DAY_MS };
    const whole = { topic, from: 0, to: end };
    process.stdout.write('| query | rows | first, ms | KiB read | then, ms | at most, ms |\n|---|---|---|---|---|---|\n');
    const say = (what: string, query: Query) => measureQuery(folder, what, query);
    await say('last location and transition of each phone', (log) => log.newest());
    await say('a day of a phone', (log) => log.read(day, null, 2000));
    await say('newest 500 of a phone', (log) => log.read(whole, null, 500));
    await say('a page of 2000 in the middle', (log) => log.read({ ...whole, to: end - 45 * DAY_MS }, null, 2000));
    await say('phones with first and last', (log) => log.phones());
    await say('how many of a phone, before they are deleted', (log) => log.count(whole));
    const start = performance.now();
    const last = await open(folder);
    process.stdout.write(`\nopened, with every page checked: ${(performance.now() - start).toFixed(0)} ms\n`);
    const began = performance.now();
    for (const { topic: each } of await last.locations.phones())
      await last.locations.delete({ topic: each, from: 0, to: FAMILY.from + DAY_MS });
    process.stdout.write(`the oldest day of all phones deleted: ${(performance.now() - began).toFixed(0)} ms\n`);
    await last.stop();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Query = (log: LocationLog) => Promise<unknown>;

/** The first time is that of a store that has just been opened: its cache has the end of the file. */
async function measureQuery(folder: string, what: string, query: Query): Promise<void> {
  const store = await open(folder);
  const times: number[] = [];
  const before = bytesRead();
  let read = 0;
  let rows = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const answer = await query(store.locations);
    times.push(performance.now() - start);
    if (round === 0) read = bytesRead() - before;
    rows = Array.isArray(answer) ? answer.length : Number(answer);
  }
  await store.stop();
  const [first = 0, ...others] = times;
  others.sort((one, other) => one - other);
  const cells = [first, read / 1024, others[ROUNDS / 2] ?? 0, others.at(-1) ?? 0].map((each, index) => each.toFixed(index === 1 ? 0 : 1));
  process.stdout.write(`| ${what} | ${rows} | ${cells.join(' | ')} |\n`);
}

function open(folder: string) {
  return openStore({ ...STORE_DEFAULTS, folder, synchronous: 'NORMAL' }, { clock: systemClock, log: silentLogger });
}

/** proc(5), /proc/pid/io: of all threads, from files and caches. */
function bytesRead(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'latin1'))?.[1]);
}
