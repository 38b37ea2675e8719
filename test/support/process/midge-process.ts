// The program itself, run from the sources in a folder of the test's own.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type WatchedProcess, watchProcess } from './watched-process.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** startMidge starts `midge WORDS` with the folder as home and state; it ends with the test. `program` is another name (a link) to start it by, `env` joins the environment. */
export function startMidge(test: TestContext, folder: string, words: readonly string[], { program = MAIN, env = {} } = {}): WatchedProcess {
  return watchProcess(test, [process.execPath, [program, ...words]], { ...environment(folder), ...env });
}

/** runMidge runs `midge WORDS` to its end in the folder. */
export function runMidge(folder: string, words: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [MAIN, ...words], { cwd: folder, env: { ...process.env, ...environment(folder) } });
  const outcome = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => {
    outcome.stdout += text;
  });
  child.stderr.on('data', (text) => {
    outcome.stderr += text;
  });
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, ...outcome })));
}

/** openPort waits until the broker runs and gives the port of its first IPv4 listener. */
export async function openPort(broker: WatchedProcess): Promise<number> {
  await broker.line(/version .* running$/);
  const line = await broker.line(/Opening (ipv4|websockets) listen socket on port \d+\.$/);
  return Number(/(\d+)\.$/.exec(line)?.[1]);
}

function environment(folder: string): Record<string, string> {
  return { HOME: folder, XDG_STATE_HOME: join(folder, 'state'), STATE_DIRECTORY: join(folder, 'state/midge') };
}
