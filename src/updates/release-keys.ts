// Whose releases this machine takes: the keys that the build carries, and those that the owner of the machine has added.

import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import type { FileKind } from './manifest.ts';
import { type PublicKey, readPublicKeys } from './minisign.ts';

/** Text of the project's public keys, '' = this build carries none; absent when the sources run. */
declare const MIDGE_RELEASE_KEYS: string | undefined;

/** OWN_KEYS_FOLDER has a file NAME.pub for each key that the owner trusts. Not in /etc/midge: the broker's user may write there. */
export const OWN_KEYS_FOLDER = '/etc/midge-release-keys';

/** CARD_KEYS_FOLDER is the same on the card image, whose /etc can't be written. */
export const CARD_KEYS_FOLDER = '/var/lib/midge-release-keys';

/** keysFolderOf is where the owner of a machine adds a key, by what that machine takes of a release. */
export function keysFolderOf(kind: FileKind): string {
  return kind === 'update bundle' ? CARD_KEYS_FOLDER : OWN_KEYS_FOLDER;
}

/** releaseKeys gives them all; throws OperatorError when a file is not a key or others than root may write it. */
export function releaseKeys(folders: readonly string[] = [OWN_KEYS_FOLDER, CARD_KEYS_FOLDER]): readonly PublicKey[] {
  const carried = typeof MIDGE_RELEASE_KEYS === 'undefined' ? '' : MIDGE_RELEASE_KEYS;
  return [
    ...readPublicKeys(carried, 'this build'),
    ...folders.flatMap(ownKeyFiles).flatMap((path) => readPublicKeys(readFileSync(path, 'utf8'), path)),
  ];
}

function ownKeyFiles(folder: string): readonly string[] {
  const names = namesIn(folder).filter((name) => name.endsWith('.pub'));
  const paths = names.sort().map((name) => join(folder, name));
  for (const path of [folder, ...paths].slice(0, paths.length && paths.length + 1)) {
    const { uid, mode } = lstatSync(path);
    if (uid !== 0 || (mode & 0o022) !== 0)
      throw new OperatorError(
        `Cannot trust "${path}": others than root can write it - run: sudo chown root: ${path}; sudo chmod go-w ${path}`,
      );
  }
  return paths;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // of node:fs
    throw error;
  }
}
