// Releases of a test's own: a key of minisign, and folders that are signed with it.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { MANIFEST_NAME, type Manifest, type ReleaseFile, writeManifest } from '../../src/updates/manifest.ts';

/** Key is a pair of files. */
export interface Key {
  readonly secret: string;
  readonly public: string;
}

/** makeKey makes a key without a password. */
export function makeKey(folder: string, name: string): Key {
  const key = { secret: join(folder, `${name}.key`), public: join(folder, `${name}.pub`) };
  execFileSync('minisign', ['-G', '-W', '-p', key.public, '-s', key.secret], { stdio: 'pipe' });
  return key;
}

/** writeRelease makes a folder with one executable for this machine and its signed manifest; `change` is put over the manifest before it is signed. */
export function writeRelease(folder: string, version: string, executable: Buffer, key: Key, change: Partial<Manifest> = {}): void {
  const name = `midge-${version}-linux-${process.arch}`;
  write(folder, { name, kind: 'executable', architecture: process.arch }, executable, key, { version, ...change });
}

/** writeCardRelease is the same with an update of cards. */
export function writeCardRelease(folder: string, version: string, bundle: string, key: Key, change: Partial<Manifest> = {}): void {
  const about = { name: basename(bundle), kind: 'update bundle', architecture: 'arm64' } as const;
  write(folder, about, readFileSync(bundle), key, { version, ...change });
}

type About = Pick<ReleaseFile, 'name' | 'kind' | 'architecture'>;

function write(folder: string, about: About, bytes: Buffer, key: Key, change: Pick<Manifest, 'version'> & Partial<Manifest>): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, about.name), bytes);
  const files = [{ ...about, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }];
  const [date, freshUntil] = [new Date().toISOString(), new Date(Date.now() + 86_400_000).toISOString()];
  writeFileSync(join(folder, MANIFEST_NAME), writeManifest({ commit: 'abc', date, freshUntil, files, ...change }));
  signManifest(folder, key);
}

/** signManifest signs the manifest of a folder, whatever stands in it. */
export function signManifest(folder: string, key: Key): void {
  execFileSync('minisign', ['-S', '-s', key.secret, '-m', join(folder, MANIFEST_NAME)], { stdio: 'pipe' });
}
