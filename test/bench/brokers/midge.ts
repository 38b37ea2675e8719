// This broker: from the sources, or the packed executable.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort } from '../../support/network/free-ports.ts';
import { startChild, waitForPort } from '../child.ts';
import type { BenchBroker } from './broker.ts';
import { writeConfiguration } from './configuration.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** midge makes the entry for the sources (`binary` null) or for an executable, by its path from the project's folder. */
export function midge(binary: string | null): BenchBroker {
  const command = binary === null ? [process.execPath, join(ROOT, 'src/main.ts')] : [join(ROOT, binary)];
  return {
    name: 'midge',
    missing: 'make binary',
    version: () => {
      const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }; // our own file
      return `${version} (${binary ?? `sources on Node ${process.versions.node}`})`;
    },
    start: async (setup) => {
      const port = await freePort();
      const state = join(setup.folder, 'state');
      const args = [...command.slice(1), 'serve', '-c', writeConfiguration(setup, port), '--state', state];
      const child = await startChild(command[0] ?? '', args, setup.core);
      await waitForPort(port, child, 'midge');
      return { child, port, fsyncs: setup.persistence ? () => countFsyncs(join(state, 'control.sock')) : null };
    },
  };
}

/** What `midge status` asks. */
async function countFsyncs(path: string): Promise<number> {
  const socket = connect(path);
  await once(socket, 'connect');
  socket.end('{"request":"status"}\n');
  const { result } = JSON.parse(await text(socket)) as { result: { store: { fsyncs: number } } }; // our own program's
  return result.store.fsyncs;
}
