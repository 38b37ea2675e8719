// Debian's mosquitto, as it is.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { freePort } from '../../support/network/free-ports.ts';
import { startChild, waitForPort } from '../child.ts';
import type { BenchBroker, Setup } from './broker.ts';
import { writeConfiguration } from './configuration.ts';

const PLACES = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'];

/** mosquitto as it is; it writes its database every half hour. */
export const mosquitto = mosquittoThat('mosquitto', []);

/** savingMosquitto writes its whole database every second. */
export const savingMosquitto = mosquittoThat('mosquitto, autosave_interval 1', ['autosave_interval 1']);

function mosquittoThat(name: string, words: readonly string[]): BenchBroker {
  return {
    name,
    missing: 'install the Debian package mosquitto',
    version: () => {
      const path = installed();
      if (path === null) return null;
      return /mosquitto version (\S+)/.exec(spawnSync(path, ['-h'], { encoding: 'utf8' }).stdout)?.[1] ?? 'of unknown version';
    },
    start: async (setup) => {
      const port = await freePort();
      const child = await startChild(
        installed() ?? 'mosquitto',
        ['-c', writeConfiguration(setup, port, [...(await quirks(setup)), ...words])],
        setup.core,
      );
      await waitForPort(port, child, 'mosquitto');
      return { child, port, fsyncs: null };
    },
  };
}

// Mosquitto 2.0.11 ends when all its listeners are WebSocket ones.
async function quirks(setup: Setup): Promise<string[]> {
  return setup.transport === 'websocket' ? [`listener ${await freePort()} 127.0.0.1`] : [];
}

function installed(): string | null {
  return PLACES.find((path) => existsSync(path)) ?? null;
}
