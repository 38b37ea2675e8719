// Gives the manifest of a release more time, from today on, and signs it anew: make refresh VERSION=x KEY=FILE

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MANIFEST_NAME, readManifest, writeManifest } from '../src/updates/manifest.ts';
import { ROOT, readReleaseKeys } from './bundle.ts';
import { signFiles } from './release/sign.ts';
import { freshAfter } from './release.ts';

/** refreshManifest changes the manifest of a release folder, and nothing else in it. */
export function refreshManifest(folder: string, key: string, now: Date): void {
  const path = join(folder, MANIFEST_NAME);
  const manifest = readManifest(readFileSync(path, 'utf8'));
  writeFileSync(path, writeManifest({ ...manifest, freshUntil: freshAfter(now.toISOString()) }));
  signFiles(folder, [MANIFEST_NAME], { key, publicKeys: readReleaseKeys(), version: manifest.version });
}

if (import.meta.main) {
  const { VERSION = '', KEY = '' } = process.env;
  try {
    refreshManifest(join(ROOT, 'dist', `midge-${VERSION}`), KEY, new Date());
  } catch (error) {
    console.error((error as Error).message); // what is thrown here is an Error
    process.exitCode = 1;
  }
}
