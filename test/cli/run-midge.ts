// The command line in the test's own process, with buffers for a terminal; and foreign programs beside it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { COMMAND_TABLE } from '../../src/commands.ts';
import { runCommandLine } from '../../src/terminal/command-line.ts';

/** Ran is what a program left behind. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
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

/** runForeign runs another program to its end. */
export async function runForeign(program: string, words: readonly string[], { stdin = '', env = {} }: RunOptions = {}): Promise<Ran> {
  const child = spawn(program, words, { env: { PATH: process.env['PATH'] ?? '', XDG_CONFIG_HOME: '/nowhere', ...env } });
  child.stdin.on('error', () => {}); // it may end without reading
  child.stdin.end(stdin);
  const outputs = Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  const [status] = (await once(child, 'close')) as [number | null]; // the event's first argument
  const [stdout, stderr] = await outputs;
  return { status, stdout, stderr: stderr.toString() };
}

/** missing gives the reason to skip when programs are not installed, or false. */
export function missing(programs: readonly string[], debian: string): string | false {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin'];
  const absent = programs.find((program) => !folders.some((folder) => existsSync(join(folder, program))));
  return absent === undefined ? false : `${absent} is not installed (Debian package ${debian})`;
}
