// Signs the files of a release with Debian's minisign, and verifies each signature as `midge upgrade` will.

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SIGNATURE_SUFFIX } from '../../src/updates/manifest.ts';
import { readPublicKeys, verifySignature } from '../../src/updates/minisign.ts';

/** SignOptions: `key` is the file of the secret key, `publicKeys` the text that the executables carry. */
export interface SignOptions {
  readonly key: string;
  readonly publicKeys: string;
  readonly version: string;
}

/** signFiles writes NAME.minisig beside each file; throws when minisign fails, or when the executables would not take the signature. minisign asks for the password of the key, if it has one, for each. */
export function signFiles(folder: string, names: readonly string[], { key, publicKeys, version }: SignOptions): void {
  if (spawnSync('minisign', ['-v']).error) throw new Error('Cannot sign: minisign is not installed - run: apt-get install minisign');
  const keys = readPublicKeys(publicKeys, 'PUBLIC_KEY');
  for (const name of names) {
    const file = join(folder, name);
    execFileSync('minisign', ['-S', '-s', key, '-m', file, '-t', `midge ${version} ${name}`, '-c', 'verify with minisign'], {
      stdio: ['inherit', 'ignore', 'inherit'],
    });
    try {
      verifySignature(readFileSync(file), readFileSync(`${file}${SIGNATURE_SUFFIX}`, 'utf8'), keys);
    } catch (error) {
      throw new Error(
        `Cannot sign with "${key}": it does not belong to the public key that the executables carry - ${(error as Error).message}`,
      ); // an OperatorError
    }
  }
}
