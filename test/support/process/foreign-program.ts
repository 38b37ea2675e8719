// Programs of others in tests: whether they are there, and one run of them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { buffer } from 'node:stream/consumers';

/** Ran is what a program left behind. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface ForeignOptions {
  readonly stdin?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
}

/** runForeign runs another program to its end. */
export async function runForeign(program: string, words: readonly string[], { stdin = '', env = {} }: ForeignOptions = {}): Promise<Ran> {
  const child = spawn(program, words, { env: { PATH: process.env['PATH'] ?? '', XDG_CONFIG_HOME: '/nowhere', ...env } });
  child.stdin.on('error', () => {}); // it may end without reading
  child.stdin.end(stdin);
  const outputs = Promise.all([buffer(child.stdout), buffer(child.stderr)]);
  const [status] = (await once(child, 'close')) as [number | null]; // the event's first argument
  const [stdout, stderr] = await outputs;
  return { status, stdout, stderr: stderr.toString() };
}

/** findProgram gives the path of a program on PATH, or null. */
export function findProgram(name: string): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** missing gives the reason to skip when programs are not installed, or false. Those of the system count also where PATH does not name their folder. */
export function missing(programs: readonly string[], debian: string): string | false {
  const absent = programs.find((program) => findProgram(program) === null && !existsSync(join('/usr/sbin', program)));
  return absent === undefined ? false : `${absent} is not installed (Debian package ${debian})`;
}
