// The executables as a person has them: a file, started in an empty folder with an empty home and nothing on PATH.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../support/process/foreign-program.ts';
import type { Outcome } from '../support/process/outcome.ts';

const DIST = join(import.meta.dirname, '../../dist');
const QEMU = 'qemu-aarch64-static';
const ARM64_LIBRARIES = '/usr/aarch64-linux-gnu';
/** Milliseconds until a program that should have ended is stopped; qemu is ten times slower than the machine. */
const PATIENCE = 60_000;

/** Executable is one of dist/ and the words that start it here. */
export interface Executable {
  readonly name: string;
  readonly file: string;
  /** Words before the file: the emulator with its libraries, or none. */
  readonly runner: readonly string[];
  /** Why it cannot run here, or false. */
  readonly skip: string | false;
}

/** EXECUTABLES: a machine runs its own architecture, and arm64 also through qemu. */
export const EXECUTABLES: readonly Executable[] = [executable('x64'), executable('arm64')];

function executable(architecture: 'x64' | 'arm64'): Executable {
  const name = `midge-linux-${architecture}`;
  const file = join(DIST, name);
  const runner = architecture === 'arm64' && process.arch !== architecture ? [findProgram(QEMU) ?? QEMU, '-L', ARM64_LIBRARIES] : [];
  return { name, file, runner, skip: obstacle(architecture, file) };
}

function obstacle(architecture: 'x64' | 'arm64', file: string): string | false {
  if (!existsSync(file)) return `dist has no ${architecture} executable, run make binary first`;
  if (process.arch === architecture) return false;
  if (architecture === 'x64') return 'this machine is no x64';
  if (findProgram(QEMU) === null) return `${QEMU} is not installed (Debian package qemu-user-static)`;
  if (!existsSync(join(ARM64_LIBRARIES, 'lib/libstdc++.so.6')))
    return 'the libraries of arm64 are not installed (Debian package libstdc++6-arm64-cross)';
  return false;
}

/** bare gives the words that run other words in `folder`, which is also the home, with nothing else in the environment. */
export function bare(folder: string, words: readonly string[]): [string, string[]] {
  return ['/usr/bin/env', ['-i', '-C', folder, `HOME=${folder}`, ...words]];
}

/** runBare runs words to their end, with `input` to read. */
export function runBare(folder: string, words: readonly string[], input = ''): Promise<Outcome> {
  const [command, args] = bare(folder, words);
  return new Promise((settle) => {
    const child = execFile(command, args, { timeout: PATIENCE }, (error, stdout, stderr) => {
      settle({ status: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
    child.stdin?.end(input);
  });
}
