// Debian's mosquitto, as it is.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { freePort, startChild, waitForPort } from '../child.ts';
import type { BenchBroker } from './broker.ts';
import { writeConfiguration } from './configuration.ts';

const PLACES = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'];

export const mosquitto: BenchBroker = {
  name: 'mosquitto',
  missing: 'install the Debian package mosquitto',
  version: () => {
    const path = installed();
    if (path === null) return null;
    return /mosquitto version (\S+)/.exec(spawnSync(path, ['-h'], { encoding: 'utf8' }).stdout)?.[1] ?? 'of unknown version';
  },
  start: async (setup) => {
    const port = await freePort();
    const child = await startChild(installed() ?? 'mosquitto', ['-c', writeConfiguration(setup, port)], setup.core);
    await waitForPort(port, child, 'mosquitto');
    return { child, port };
  },
};

function installed(): string | null {
  return PLACES.find((path) => existsSync(path)) ?? null;
}
