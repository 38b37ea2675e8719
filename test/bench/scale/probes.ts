// The scale measurements, in the order of the report, and how one is run on every broker.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reasonOf } from '../../../src/base/errors.ts';
import type { BenchBroker, RunningBroker } from '../brokers/broker.ts';
import type { Conditions } from '../rounds.ts';
import { connections, tlsConnections } from './connections.ts';
import { mixed } from './mixed.ts';
import type { Probe, ProbeRow } from './probe.ts';
import { retained } from './retained.ts';
import { storm } from './storm.ts';
import { churn, subscriptions } from './subscriptions.ts';
import { topics } from './topics.ts';

export const PROBES: readonly Probe[] = [mixed, storm, churn, connections, tlsConnections, topics, retained, subscriptions];

/** measureProbe runs a probe on a fresh process of each broker, one after the other; a failure becomes the text of the cells that it leaves open. */
export async function measureProbe(probe: Probe, brokers: readonly BenchBroker[], conditions: Conditions): Promise<ProbeRow[]> {
  const columns: Record<string, string[]> = {};
  for (const broker of brokers) columns[broker.name] = await columnOf(probe, broker, conditions);
  return probe.titles.map((title, row) => {
    const cells = Object.entries(columns).map(([name, column]) => [name, column[row] ?? '-']);
    return { name: probe.name, title, cells: Object.fromEntries(cells) };
  });
}

async function columnOf(probe: Probe, broker: BenchBroker, conditions: Conditions): Promise<string[]> {
  if (broker.version() === null) return ['not installed'];
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const cells: string[] = [];
  let running: RunningBroker | null = null;
  try {
    running = await broker.start({
      transport: probe.isSecured ? 'tls' : 'tcp',
      access: probe.isSecured ?? false,
      persistence: false,
      core: conditions.brokerCore,
      folder,
    });
    for await (const cell of probe.run(running, conditions)) cells.push(cell);
  } catch (error) {
    cells.push(reasonOf(error));
  } finally {
    await running?.child.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return cells;
}
