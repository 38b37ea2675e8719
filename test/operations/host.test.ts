// The machine, and how it and the broker fared.

import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { MachineWatch } from '../../src/host/machine-watch.ts';
import { History } from '../../src/telemetry/history/history.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { operationsOn } from './test-operations.ts';

test('host tells names, health and versions', async (context) => {
  const folder = temporaryFolder(context);
  const clock = { now: () => 0, monotonic: () => 0 };
  const program = { title: 'midge version 1.2.3', buildDate: 0, since: 0 };
  const ask = operationsOn({ machine: new MachineWatch(folder, clock), program, announcedHost: 'box.local' });
  const host = await ask('host', {}, 'viewer');
  assert.deepEqual([host.hostName, host.announced], [hostname(), 'box.local']);
  assert.deepEqual([host.versions.program, host.versions.node], ['midge version 1.2.3', process.versions.node]);
  assert.ok(host.memory.total > host.memory.available && host.processors >= 1);
  assert.equal(host.disk.path, folder);
});

test('history is told by range, metric and moment, to who may only see counts as well', async () => {
  const traffic = { received: 0, sent: 0, connectedClients: 2, retained: 0 };
  const counters = { publishDropped: 0, bytesReceived: 0, bytesSent: 0 };
  const clock = { time: 1_800_000_000_000, now: () => clock.time, monotonic: () => clock.time };
  const history = new History({ broker: { counters } as never, traffic, machine: () => null }, clock);
  for (const received of [0, 3, 9]) {
    traffic.received = received;
    history.sample();
    clock.time += 1000;
  }
  const ask = operationsOn({ history });
  const all = await ask('history', {}, 'monitoring');
  assert.equal(all.metrics.length, 12);
  const chosen = await ask('history', { metric: ['messages_received', 'clients'], since: 1_800_000_000_000 }, 'monitoring');
  assert.deepEqual(
    [chosen.step, chosen.from, chosen.metrics.map(({ values }: { values: unknown }) => values)],
    [
      1,
      1_800_000_001_000,
      [
        [3, 6],
        [2, 2],
      ],
    ],
  );
  assert.deepEqual((await ask('history', { range: '30d', metric: ['clients'] }, 'monitoring')).metrics[0].values, []);
  await assert.rejects(ask('history', { metric: ['colour'] }), { reason: 'bad input' });
  await assert.rejects(operationsOn({ history: null })('history'), { reason: 'not possible' });
});
