// Where phones were, in the store: what comes back, by which way it is found, and what it costs the card.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { LocationRecord } from '../../src/base/location-record.ts';
import type { LocationLog } from '../../src/store/location-log.ts';
import { LOCATION_STATEMENTS } from '../../src/store/location-table.ts';
import { migrate } from '../../src/store/schema.ts';
import { IGNORED, StoreFolder } from '../support/store/open-store.ts';
import { familyLocations, topicOfPhone } from './family-locations.ts';

const FROM = Date.UTC(2026, 0, 1);
const FAMILY = { phones: 30, perDay: 556, from: FROM };
const ALL = { from: 0, to: 8.64e15 };

/** Megabytes, and syncs, that 30 phones may cost in a day: a fifth of what a home costs otherwise. */
const MOST_PER_DAY = 200;
const MOST_SYNCS = 500;

const record = (more: Partial<LocationRecord> = {}): LocationRecord => ({
  ...{
    topic: 'owntracks/jane/phone',
    at: FROM,
    kind: 'location',
    received: FROM + 900,
    lat: 52.5166,
    lon: -13.3777777,
    acc: 4.5,
    alt: null,
  },
  ...{ vac: null, vel: 3, cog: null, batt: 80, bs: 1, tid: 'JA', t: null, conn: 'w', details: '{"SSID":"Home"}', ...more },
});

test('locations come back as they were, the newest first, page by page, over a restart', async (t) => {
  const folder = new StoreFolder(t);
  const first = await folder.open();
  await first.load(IGNORED);
  const told = Array.from({ length: 7 }, (_, index) =>
    record({ at: FROM + index * 1000, received: FROM + index * 1000 + 900, batt: index }),
  );
  const transition = record({ at: FROM + 3000, kind: 'transition', received: FROM + 3900, details: '{"event":"enter"}' });
  const encrypted = record({ at: FROM + 9000, kind: 'encrypted', lat: null, lon: null, received: FROM + 9000 });
  for (const each of [...told, transition, encrypted, told[2]!, record({ topic: 'owntracks/tom/phone' })]) first.locations.append(each);
  await first.stop();
  const second = await folder.open();
  await second.load(IGNORED);
  const { locations } = second;
  const span = { topic: 'owntracks/jane/phone', ...ALL };
  const whole = await locations.read(span, null, 100);
  assert.deepEqual(whole, [encrypted, told[6], told[5], told[4], transition, told[3], told[2], told[1], told[0]]);
  const pages: LocationRecord[] = [];
  for (let page = await locations.read(span, null, 2); page.length > 0; page = await locations.read(span, pages.at(-1) ?? null, 2))
    pages.push(...page);
  assert.deepEqual(pages, whole);
  assert.equal((await locations.read({ ...span, from: FROM + 2000, to: FROM + 4000 }, null, 100)).length, 4, 'both ends are included');
  assert.deepEqual(
    (await locations.newest()).filter(({ topic }) => topic === span.topic).map(({ kind, at }) => [kind, at]),
    [
      ['encrypted', FROM + 9000],
      ['transition', FROM + 3000],
    ],
  );
  assert.equal(await locations.count(span), 9);
  assert.equal(await locations.delete({ ...span, to: FROM + 4000 }), 6);
  assert.equal(await locations.delete(span), 3);
  assert.deepEqual(
    (await locations.phones()).map(({ topic }) => topic),
    ['owntracks/tom/phone'],
  );
  await second.stop();
});

test('every statement that looks for locations goes along the key, whatever there is', () => {
  const database = new DatabaseSync(':memory:');
  migrate(database);
  for (const [name, sql] of Object.entries(LOCATION_STATEMENTS)) {
    if (!sql.includes('location') || name === 'append') continue;
    const places = Array.from(sql.matchAll(/\?/g), () => 1);
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...places);
    const details = plan.map(({ detail }) => String(detail));
    const looks = details.filter((detail) => /\blocation\b/.test(detail));
    assert.ok(looks.length > 0 || name === 'first' || name === 'last', `${name}: ${details}`);
    for (const detail of looks)
      assert.match(detail, /SEARCH location USING (PRIMARY KEY|INDEX location_transition) \(phone=\?/, `${name}: ${detail}`);
    assert.ok(
      details.every((detail) => !/TEMP B-TREE|SCAN/.test(detail)),
      `${name} sorts or reads all: ${details}`,
    );
  }
});

test('what the page asks at first reads few pages, whatever is kept', async (t) => {
  const folder = new StoreFolder(t);
  const first = await folder.open();
  const phones = 10;
  const days = 10;
  for (const records of familyLocations({ ...FAMILY, phones }, days * 1440)) {
    for (const each of records) first.locations.append(each);
    await first.locations.flush();
  }
  await first.stop();
  const end = FROM + days * 86_400_000;
  for (const [name, most, query] of [
    ['last of each phone', phones * 6, (locations: LocationLog) => locations.newest()],
    ['phones with first and last', phones * 12, (locations: LocationLog) => locations.phones()],
    [
      'a day of a phone',
      60,
      (locations: LocationLog) => locations.read({ topic: topicOfPhone(3), from: end - 86_400_000, to: end }, null, 2000),
    ],
  ] as const) {
    const store = await folder.open();
    const before = bytesRead();
    const answer = await query(store.locations);
    const pages = Math.ceil((bytesRead() - before) / 4096);
    t.diagnostic(`${name}: ${pages} pages, ${answer.length} rows`);
    assert.ok(answer.length > 0 && pages <= most, `${name}: ${pages} pages`);
    await store.stop();
  }
});

/** proc(5), /proc/pid/io: of all threads, from files and caches. */
function bytesRead(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'latin1'))?.[1]);
}

test('30 phones cost the card little: an hour, written every five minutes', async (t) => {
  const folder = new StoreFolder(t, { writeBehind: 3_600_000 });
  const store = await folder.open();
  await store.load(IGNORED);
  const minutes = familyLocations(FAMILY, 1440 + 60);
  for (let minute = 0; minute < 1440; minute++) for (const each of minutes.next().value ?? []) store.locations.append(each);
  await store.locations.flush();
  const start = store.counters();
  for (let minute = 0; minute < 60; minute++) {
    for (const each of minutes.next().value ?? []) store.locations.append(each);
    if (minute % 5 === 4) await store.locations.flush(); // as its timer does
  }
  await store.locations.count({ topic: topicOfPhone(0), ...ALL });
  const end = store.counters();
  const perDay = ((end.bytesWritten - start.bytesWritten) * 24) / 1e6;
  const syncs = (end.fsyncs - start.fsyncs) * 24;
  t.diagnostic(`${perDay.toFixed(0)} MB and ${syncs} syncs a day`);
  assert.ok(perDay > 0 && perDay < MOST_PER_DAY, `${perDay.toFixed(0)} MB a day`);
  assert.ok(syncs > 0 && syncs < MOST_SYNCS, `${syncs} syncs a day`);
  await store.stop();
});
