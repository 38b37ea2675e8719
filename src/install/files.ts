// The files that an installation writes: those of rootfs/, which the bundler puts into the executable.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** InstallFiles are texts. */
export interface InstallFiles {
  readonly configuration: string;
  readonly unit: string;
  /** What installs an update when the broker asks, and what listens for that. */
  readonly upgradeService: string;
  readonly upgradePath: string;
}

declare const MIDGE_INSTALL_FILES: InstallFiles | undefined;

/** INSTALL_SOURCES: where each file is in the checkout. */
export const INSTALL_SOURCES = {
  configuration: 'rootfs/etc/midge/midge.conf',
  unit: 'rootfs/etc/systemd/system/midge.service',
  upgradeService: 'rootfs/etc/systemd/system/midge-upgrade.service',
  upgradePath: 'rootfs/etc/systemd/system/midge-upgrade.path',
} as const;

/** Settings of the unit that came with a version of systemd: an older one would complain of them in the log. systemd.service(5) */
const SINCE: Readonly<Record<string, number>> = { RestartSteps: 254, RestartMaxDelaySec: 254 };

/** installFiles gives the texts that this build carries, for a version of systemd (null = any); run from the sources, those of the checkout. */
export function installFiles(systemd: number | null): InstallFiles {
  const { unit, ...others } = typeof MIDGE_INSTALL_FILES === 'undefined' ? readSources() : MIDGE_INSTALL_FILES;
  const isKnown = (line: string) => (SINCE[line.slice(0, Math.max(0, line.indexOf('=')))] ?? 0) <= (systemd ?? Number.POSITIVE_INFINITY);
  return { ...others, unit: unit.split('\n').filter(isKnown).join('\n') };
}

function readSources(): InstallFiles {
  const read = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
  const { configuration, unit, upgradeService, upgradePath } = INSTALL_SOURCES;
  return {
    configuration: read(configuration),
    unit: read(unit),
    upgradeService: read(upgradeService),
    upgradePath: read(upgradePath),
  };
}
