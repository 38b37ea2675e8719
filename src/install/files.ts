// The files that an installation writes: those of rootfs/, which the bundler puts into the executable.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** InstallFiles are texts. */
export interface InstallFiles {
  readonly configuration: string;
  readonly unit: string;
}

declare const MIDGE_INSTALL_FILES: InstallFiles | undefined;

/** INSTALL_SOURCES: where each file is in the checkout. */
export const INSTALL_SOURCES = {
  configuration: 'rootfs/etc/midge/midge.conf',
  unit: 'rootfs/etc/systemd/system/midge.service',
} as const;

/** installFiles gives the texts that this build carries; run from the sources, those of the checkout. */
export function installFiles(): InstallFiles {
  if (typeof MIDGE_INSTALL_FILES !== 'undefined') return MIDGE_INSTALL_FILES;
  const read = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
  return { configuration: read(INSTALL_SOURCES.configuration), unit: read(INSTALL_SOURCES.unit) };
}
