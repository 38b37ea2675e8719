// Certificates of a machine whose clock, names and folder the test holds in its hands.

import type { TestContext } from 'node:test';

import type { Clock } from '../../src/base/clock.ts';
import { type Certificates, createCertificates } from '../../src/certificates/certificates.ts';
import type { MachineNames } from '../../src/certificates/options.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { type RecordingLog, recordingLog } from '../support/ports/recording-log.ts';

export const DAY = 86_400_000;
export const BUILD_DATE = Date.UTC(2026, 5, 1);

/** HandClock has a wall clock that the test sets; the monotonic one stands still unless set too. */
export class HandClock implements Clock {
  wall: number;
  steady = 0;

  constructor(wall: number) {
    this.wall = wall;
  }

  now(): number {
    return this.wall;
  }

  monotonic(): number {
    return this.steady;
  }
}

export interface Appliance {
  readonly folder: string;
  readonly clock: HandClock;
  readonly log: RecordingLog;
  machine: MachineNames;
  /** boot makes new certificates on the same folder, clock and machine, as after a restart; stopped when the test ends. */
  boot(): Promise<Certificates>;
}

/** makeAppliance stands a month after its build date and is called pi. */
export function makeAppliance(test: TestContext, options: { now?: number; extraNames?: string[]; folder?: string } = {}): Appliance {
  const folder = options.folder ?? `${temporaryFolder(test)}/certificates`;
  const appliance: Appliance = {
    folder,
    clock: new HandClock(options.now ?? BUILD_DATE + 30 * DAY),
    log: recordingLog(),
    machine: { hostName: 'pi', addresses: ['192.0.2.7', '2001:DB8::7', 'fe80::1'] },
    async boot() {
      const { clock, log } = appliance;
      const setup = { options: { folder, extraNames: options.extraNames ?? [] }, clock, log, buildDate: BUILD_DATE };
      const certificates = createCertificates({ ...setup, machine: () => appliance.machine });
      test.after(() => certificates.stop());
      await certificates.start();
      return certificates;
    },
  };
  return appliance;
}
