// A whole appliance in the test's own process, stopped after the test.

import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { type Appliance, type ApplianceSetup, createAppliance } from '../../src/app/app.ts';
import { StateFolder } from '../../src/state/state-folder.ts';
import { recordingLog } from '../support/ports/recording-log.ts';

/** BUILD_DATE of test appliances, in milliseconds since 1970. */
export const BUILD_DATE = Date.parse('2026-01-01');

export interface OpenedAppliance {
  readonly appliance: Appliance;
  readonly state: StateFolder;
  readonly folder: string;
  readonly log: ReturnType<typeof recordingLog>;
}

/** openAppliance starts one with its state in a folder below that of the test. Default: it keeps no sessions and does not test itself. */
export async function openAppliance(
  context: TestContext,
  folder: string,
  setup: Pick<ApplianceSetup, 'configuration'> & Partial<Pick<ApplianceSetup, 'keepsSessions' | 'selfTest'>>,
): Promise<OpenedAppliance> {
  const state = new StateFolder(join(folder, 'state'), 'midge.db');
  const log = recordingLog();
  const fixed = {
    log,
    state,
    title: 'midge version 0',
    buildDate: BUILD_DATE,
    keyLog: null,
    serveHttp: (stream: Duplex) => void stream.destroy(),
  };
  const appliance = createAppliance({ keepsSessions: false, selfTest: null, ...fixed, ...setup });
  context.after(() => appliance.stop());
  await appliance.start();
  return { appliance, state, folder, log };
}
