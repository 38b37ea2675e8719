// The Debian package of two versions, and what every test of it does.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { readStamp } from '../../build/bundle.ts';
import { DEBIAN_ARCHITECTURES, makeDebianPackage } from '../../build/release/debian.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import type { Outcome } from '../support/process/outcome.ts';
import type { Debian } from './debian.ts';
import { succeed } from './installation.ts';

/** ARCHITECTURE is that of this machine. */
export const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'x64';

/** LOGIN are the words of midge pub and midge sub for the account of the tests. */
export const LOGIN = ['-h', '127.0.0.1', '-u', 'jane', '-P', 'secret', '-t', 'a'] as const;

/** What is newer has another number only: Debian's tools look at nothing else. */
export const [OLD, NEW] = ['0.1.0', '0.1.1'] as const;

const made = new Map<string, string>();

/** executableFor gives the path of what `make binary` has made. */
export function executableFor(architecture: 'x64' | 'arm64'): string {
  return join(import.meta.dirname, '../../dist', `midge-linux-${architecture}`);
}

/** packages makes both versions, once, and gives the folder that has them. */
export function packages(architecture: 'x64' | 'arm64'): string {
  const before = made.get(architecture);
  if (before !== undefined) return before;
  const folder = temporaryFolder({ after: (act) => void process.once('exit', act as () => void) } as TestContext); // it needs no more of a test
  const executable = executableFor(architecture);
  for (const version of [OLD, NEW]) makeDebianPackage({ executable, architecture, stamp: stampOf(version), folder, compression: 0 });
  made.set(architecture, folder);
  return folder;
}

/** nothingIsLeft fails where something of midge is. */
export async function nothingIsLeft(run: Debian['run']): Promise<void> {
  const left = await run('find', '/etc', '/usr', '/var/lib', '/run', '-name', '*midge*', '-not', '-path', '/run/credentials/*');
  assert.equal(left.stdout, '');
  assert.notEqual((await run('id', 'midge')).status, 0);
}

/** apt runs apt-get, which asks nothing. */
export function apt(run: Debian['run'], ...words: readonly string[]): Promise<Outcome> {
  return succeed(run('env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-y', ...words));
}

/** nameOf is the name of the file of a package. */
export function nameOf(version: string, architecture: 'x64' | 'arm64' = ARCHITECTURE): string {
  return `midge_${version}_${DEBIAN_ARCHITECTURES[architecture]}.deb`;
}

function stampOf(version: string) {
  return { ...readStamp(), version };
}
