// The report's arithmetic and what it must not hide.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NULL_BROKER } from './brokers/null-broker.ts';
import type { Measurement } from './generator.ts';
import { familiesOf, LOADS, type Load } from './loads.ts';
import { type LoadRow, messageTable, remarksOf, reportPage } from './report.ts';
import type { BrokerResult } from './rounds.ts';
import { spreadOf } from './statistics.ts';

const GOOD: Measurement = {
  ...{ rate: 1_000_000, p50: 20, p99: 40.4, p999: 60, max: 90, seconds: 1 },
  ...{ expected: 500, delivered: 500, duplicates: 0, writtenOff: 0, generatorCpu: 0.5, brokerCpu: 1 },
};

const named = (name: string): Load => LOADS.find((load) => load.name === name) ?? assert.fail(name);
const result = (broker: string, ...rounds: Partial<Measurement>[]): BrokerResult => ({
  broker,
  measurements: rounds.map((round) => ({ ...GOOD, ...round })),
  failure: null,
});
const row = (load: string, ...results: BrokerResult[]): LoadRow => ({ load: named(load), results });

test('a spread is the middle value of an odd and the middle of an even number of rounds', () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, least: 1, most: 3 });
  assert.deepEqual(spreadOf([4, 1, 2, 10]), { median: 3, least: 1, most: 10 });
  assert.throws(() => spreadOf([]), RangeError);
});

test('the message table takes the ratio round by round when the machine changes its speed between rounds', () => {
  const table = messageTable([
    row(
      'pairs',
      result('midge', { rate: 1_000_000 }, { rate: 2_000_000 }, { rate: 500_000 }),
      result('mosquitto', { rate: 100_000 }, { rate: 200_000 }, { rate: 50_000 }),
    ),
  ]);
  assert.match(table, /\| midge : mosquitto \|/);
  assert.match(table, /\| 1,000 \(500-2,000\) \| 100 \(50\.0-200\) \| 10\.0 \| - \|$/m);
});

test('the message table shows a dash when a broker could not be measured', () => {
  const failed: BrokerResult = { broker: 'mosquitto', measurements: [], failure: 'not installed - install it' };
  const rows = [row('pairs', result('midge', {}), failed)];
  assert.match(messageTable(rows), /\| 1,000 \| - \| - \|/);
  assert.deepEqual(rows.flatMap(remarksOf), ['`pairs`, mosquitto: not installed - install it']);
});

test('the remarks name lost and doubled messages', () => {
  assert.deepEqual(remarksOf(row('pairs', result('aedes', { delivered: 493 }, { duplicates: 2 }))), [
    '`pairs`, aedes: 7 of 1000 deliveries were lost',
    '`pairs`, aedes: 2 deliveries came twice or out of order',
  ]);
});

test('the remarks name the generator as the limit when it is busy and the broker is not, except for the ceiling itself', () => {
  const limited = { generatorCpu: 0.99, brokerCpu: 0.6 };
  assert.match(remarksOf(row('pairs', result('midge', {}, limited))).join(), /midge: the generator was at its limit/);
  assert.deepEqual(
    remarksOf(row('pairs', result('midge', { generatorCpu: 0.99, brokerCpu: 0.99 }), result(NULL_BROKER, { ...limited, rate: 9_000_000 }))),
    [],
  );
});

test('the remarks say that a rate is near the ceiling when it is above seven tenths of it', () => {
  assert.match(
    remarksOf(row('pairs', result('midge', { rate: 800 }), result(NULL_BROKER, { rate: 1000 }))).join(),
    /midge: 80 % of the ceiling/,
  );
  assert.deepEqual(remarksOf(row('pairs', result('midge', { rate: 600 }), result(NULL_BROKER, { rate: 1000 }))), []);
});

test('the page has a table of latencies, in microseconds', () => {
  const page = reportPage(
    { date: '', lines: [], command: '' },
    [row('pairs', result('midge', {}, { p50: 30 }), result('mosquitto', {}))],
    [],
  );
  assert.match(page, /^\| `pairs` \| 20 pairs[^|]*\| 25 \/ 40 \/ 60 \| 20 \/ 40 \/ 60 \|$/m);
});

test('the page says that all was delivered only when there is no remark', () => {
  const header = { date: '2026-01-02', lines: ['Machine: a'], command: 'bench' };
  const all = /Every message of every run was delivered once/;
  assert.match(reportPage(header, [row('pairs', result('midge', {}))], []), all);
  assert.doesNotMatch(reportPage(header, [row('pairs', result('midge', { delivered: 1 }))], []), all);
});

test('the page shows what part of a rate is left when a row is the variant of another', () => {
  const page = reportPage(
    { date: '', lines: [], command: '' },
    [row('pairs', result('midge', {})), row('pairs-v5', result('midge', { rate: 900_000 }))],
    [],
  );
  assert.match(page, /\| `pairs-v5` \| of `pairs` \| 90 % \|/);
});

test('the loads have unique names and their variants are measured beside a load that exists', () => {
  assert.equal(new Set(LOADS.map((load) => load.name)).size, LOADS.length);
  for (const family of familiesOf(LOADS)) assert.ok(named(family[0]?.variantOf ?? family[0]?.name ?? ''));
  const pairs = familiesOf(LOADS).find((family) => family[0]?.name === 'pairs');
  assert.deepEqual(
    pairs?.map((load) => load.name),
    ['pairs', 'pairs-topics', 'pairs-v5', 'pairs-access', 'pairs-tls', 'pairs-websocket'],
  );
});
