// The scale measurements, in the order of the report, and how one is run on every broker.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reasonOf } from '../../../src/base/errors.ts';
import type { BenchBroker, RunningBroker } from '../brokers/broker.ts';
import type { Conditions } from '../rounds.ts';
import { idle } from './idle.ts';
import { mixed } from './mixed.ts';
import type { Probe, ProbeRow } from './probe.ts';
import { retained } from './retained.ts';
import { storm } from './storm.ts';
import { churn, subscriptions } from './subscriptions.ts';

export const PROBES: readonly Probe[] = [mixed, storm, idle, subscriptions, churn, retained];

/** measureProbe runs a probe on a fresh process of each broker, one after the other; a failure becomes the cell's text. */
export async function measureProbe(probe: Probe, brokers: readonly BenchBroker[], conditions: Conditions): Promise<ProbeRow> {
  const cells: Record<string, string> = {};
  for (const broker of brokers) cells[broker.name] = await cellOf(probe, broker, conditions);
  return { name: probe.name, title: probe.title, cells };
}

async function cellOf(probe: Probe, broker: BenchBroker, conditions: Conditions): Promise<string> {
  if (broker.version() === null) return 'not installed';
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  let running: RunningBroker | null = null;
  try {
    running = await broker.start({
      transport: probe.isSecured ? 'tls' : 'tcp',
      access: probe.isSecured ?? false,
      persistence: false,
      core: conditions.brokerCore,
      folder,
    });
    return await probe.run(running, conditions);
  } catch (error) {
    return reasonOf(error);
  } finally {
    await running?.child.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
