// The command line in the test's own process, with buffers for a terminal.

import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { COMMAND_TABLE } from '../../../src/commands.ts';
import { runCommandLine } from '../../../src/terminal/command-line.ts';
import type { ForeignOptions, Ran } from './foreign-program.ts';

export interface RunOptions extends ForeignOptions {
  /** Name that the program is started under. */
  readonly program?: string;
}

/** runMidge runs `midge WORDS`, or the program of that name. No file of standing flags is read unless `env` names its folder. */
export async function runMidge(words: readonly string[], { stdin = '', env = {}, program = 'midge' }: RunOptions = {}): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const input = new PassThrough();
  input.end(stdin);
  const output = buffer(stdout);
  const errors = buffer(stderr);
  const argv = ['/usr/bin/node', `/usr/bin/${program}`, ...words];
  const status = await runCommandLine(COMMAND_TABLE, {
    argv0: 'node',
    argv,
    stdin: input,
    stdout,
    stderr,
    env: { XDG_CONFIG_HOME: '/nowhere', ...env },
  });
  stdout.end();
  stderr.end();
  return { status, stdout: await output, stderr: (await errors).toString() };
}
