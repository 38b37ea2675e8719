// The history of the metrics: rings of time, means, and a file that survives a restart and a power cut.

import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HistoryFile } from '../../src/telemetry/history/file.ts';
import { HISTORY_RANGES, History } from '../../src/telemetry/history/history.ts';
import { HISTORY_METRICS } from '../../src/telemetry/history/metrics.ts';
import { Ring } from '../../src/telemetry/history/ring.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

/** A moment at the beginning of a quarter of an hour. Milliseconds since 1970. */
const BEGIN = 1_800_000_000_000;

/** A history whose broker has clients as a test wants. */
function measured(begin = BEGIN) {
  const traffic = { received: 0, sent: 0, connectedClients: 0, retained: 0 };
  const counters = { publishDropped: 0, bytesReceived: 0, bytesSent: 0 };
  const clock = { time: begin, steady: 5, now: () => clock.time, monotonic: () => clock.steady };
  const history = new History({ broker: { counters } as never, traffic, machine: () => null }, clock);
  const second = (): void => {
    clock.time += 1000;
    clock.steady += 1000;
    history.sample();
  };
  const of = (name: string, range: keyof typeof HISTORY_RANGES = '10m', since = 0) => {
    const { from, step, curves } = history.extract(range, new Set([name]), since);
    return { from, step, values: curves[0]?.values.map((each) => (Number.isNaN(each) ? null : each)) };
  };
  history.sample();
  return { history, traffic, counters, clock, second, of };
}

test('history has the rate of a counter and the value of a gauge for each second', () => {
  const { traffic, counters, second, of } = measured();
  for (let number = 1; number <= 3; number++) {
    traffic.received += 10 * number;
    traffic.connectedClients = number;
    counters.bytesSent += 100;
    second();
  }
  assert.deepEqual(of('messages_received'), { from: BEGIN, step: 1, values: [null, 10, 20, 30] });
  assert.deepEqual(of('clients').values, [0, 1, 2, 3]);
  assert.deepEqual(of('bytes_sent').values, [null, 100, 100, 100]);
  assert.deepEqual(of('temperature').values, [null, null, null, null], 'nobody tells it');
  assert.deepEqual(of('clients', '10m', BEGIN + 1000), { from: BEGIN + 2000, step: 1, values: [2, 3] });
  assert.deepEqual(of('clients', '10m', BEGIN + 9000).values, []);
});

test('history has the means of minutes and of quarters of an hour, and no more than a range is long', () => {
  const { traffic, second, of } = measured();
  for (let count = 0; count < 31 * 60; count++) {
    traffic.connectedClients = count % 60 < 30 ? 1 : 3;
    traffic.received += 5;
    second();
  }
  assert.equal(of('clients').values?.length, HISTORY_RANGES['10m'].length);
  const minutes = of('clients', '24h');
  assert.equal(minutes.values?.length, 31);
  assert.equal(minutes.from, BEGIN);
  assert.deepEqual(minutes.values?.slice(1, 30), Array(29).fill(2));
  assert.deepEqual(of('messages_received', '24h').values?.slice(0, 2), [5, 5]);
  assert.equal(of('clients', '30d').values?.length, 2);
});

test('history leaves a gap where nothing was measured, and forgets what the clock has not reached when it is set back', () => {
  const { traffic, clock, second, of } = measured();
  traffic.connectedClients = 7;
  second();
  clock.time += 3000; // the program stood still
  clock.steady += 3000;
  second();
  assert.deepEqual(of('clients').values, [0, 7, null, null, null, 7]);
  clock.time = BEGIN + 1000;
  traffic.connectedClients = 8;
  second();
  assert.deepEqual(of('clients').values, [0, 7, 8]);
  clock.time += 400 * 86_400_000; // the network tells the time at last
  second();
  assert.deepEqual(of('clients').values, [8]);
});

test('ring keeps the last slots, and takes none that is older', () => {
  const ring = new Ring(1, 3, 1);
  for (const slot of [10, 11, 13]) ring.put(slot, [slot]);
  ring.put(10, [99]);
  assert.deepEqual(ring.valuesOf(0, 0), [11, Number.NaN, 13]);
  ring.setOne(0, 12, 5);
  ring.setOne(0, 13, 5);
  assert.deepEqual(ring.valuesOf(0, 12), [5, 13]);
  ring.forgetAfter(11);
  assert.equal(ring.newest, 11);
  assert.deepEqual(ring.valuesOf(0, 0), [Number.NaN, Number.NaN, 11]);
  assert.equal(ring.firstFrom(0), 11);
  assert.equal(ring.firstFrom(12), null);
});

test('history outlives a restart by its file, also when the last line was cut off', async (context) => {
  const path = join(temporaryFolder(context), 'metrics-history');
  const before = measured();
  const file = new HistoryFile(path, before.history);
  await file.read();
  before.traffic.connectedClients = 4;
  for (let count = 0; count < 1000; count++) before.second();
  await file.write();
  const size = statSync(path).size;
  await file.write();
  assert.equal(statSync(path).size, size, 'nothing is new: nothing is written');
  for (let count = 0; count < 120; count++) before.second();
  before.history.finish();
  await file.write();
  assert.equal(statSync(path).mode & 0o777, 0o600);
  appendFileSync(path, '{"step":60,"from":18000000');
  const after = measured(before.clock.time + 60_000);
  const other = new HistoryFile(path, after.history);
  await other.read();
  assert.deepEqual(
    after.of('clients', '24h').values,
    [4 - 4 / 60, ...Array(18).fill(4)].map((each) => Number(each.toPrecision(5))).map(Math.fround),
  );
  assert.equal(after.of('clients', '30d').values?.length, 2);
  for (let count = 0; count < 120; count++) after.second();
  await other.write();
  const third = measured(after.clock.time);
  await new HistoryFile(path, third.history).read();
  assert.equal(third.of('clients', '24h').from, BEGIN);
  assert.ok((third.of('clients', '24h').values?.length ?? 0) >= 21, 'the line after the torn one is read');
});

test('history writes little: a month of quarters of an hour stays below a megabyte and a bit, whatever the values', async (context) => {
  const path = join(temporaryFolder(context), 'metrics-history');
  const { history, clock } = measured();
  const file = new HistoryFile(path, history);
  await file.read();
  let written = 0;
  let size = 0;
  const values = (index: number) => Array.from({ length: 15 }, (_, minute) => 123_456_789 * Math.sqrt(index + minute + 1));
  for (let quarter = 0; quarter < 3000; quarter++) {
    const curves = HISTORY_METRICS.map(({ name }) => ({ name, values: values(quarter) }));
    history.recall({ step: 60, from: clock.time, curves });
    history.recall({ step: 900, from: clock.time, curves: curves.map((curve) => ({ ...curve, values: curve.values.slice(0, 1) })) });
    clock.time += 900_000;
    await file.write();
    const now = statSync(path).size;
    written += now > size ? now - size : now;
    size = now;
  }
  assert.ok(size < 1_010_000, `${size} bytes`);
  assert.ok(written / 3000 < 8000, `${written / 3000} bytes each time`);
  const lines = readFileSync(path, 'utf8').split('\n');
  assert.ok(lines.length > 2);
  const again = measured(clock.time);
  await new HistoryFile(path, again.history).read();
  assert.ok((again.of('clients', '30d').values?.length ?? 0) >= HISTORY_RANGES['30d'].length - 1);
  assert.ok((again.of('clients', '24h').values?.length ?? 0) >= HISTORY_RANGES['24h'].length - 1);
});

test('history of a file that is none of ours is empty', async (context) => {
  const path = join(temporaryFolder(context), 'metrics-history');
  appendFileSync(
    path,
    'null\n[]\n{"step":60,"from":-1,"values":{}}\n{"step":60,"from":1e300,"values":{"clients":[1]}}\n{"step":7,"from":0,"values":{"clients":[1]}}\n{"step":60,"from":0,"values":{"clients":"x","other":[1],"cpu":["y"]}}\n',
  );
  const { history, of } = measured();
  await new HistoryFile(path, history).read();
  assert.deepEqual(of('clients', '24h').values, []);
});
