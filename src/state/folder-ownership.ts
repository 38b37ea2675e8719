// Whose a folder is: judged by what is in it, before anything in it is changed.
//
//   absent    there is none
//   ours      it has our marker; or nothing but what is ours is in it; or, from before there was a marker, our authority or database is
//   foreign   everything else, such as /etc or /tmp: nothing in it is touched but a database file that was named

import { type Dirent, lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../base/errors.ts';
import { STATE_NAMES } from '../base/state-names.ts';
import { readStart } from './folder-descriptor.ts';

/** MADE_HERE and TAKEN_OVER are what the marker says: whether midge made the folder, or found it. */
export const MADE_HERE = 'This is the state folder of midge, an MQTT broker. It was made by midge.\n';
export const TAKEN_OVER = 'This is the state folder of midge, an MQTT broker. It was there before.\n';

/** FolderOwnership: `looksMade` = midge made the folder, not only what is in it. */
export type FolderOwnership =
  | { readonly kind: 'absent' }
  | { readonly kind: 'ours'; readonly isMarked: boolean; readonly looksMade: boolean }
  | { readonly kind: 'foreign'; readonly reason: string };

/** Names that a file system has by itself. */
const NEUTRAL = ['lost+found'];

/** A user, and a hash that begins with $: no line of /etc/passwd looks like this. */
const PASSWORD_LINE = /^[^:\n]+:\$/;

/** folderOwnership reads the names in a folder; `isOurs` tells which of them are ours. A link is followed when root or this user made it. */
export function folderOwnership(path: string, isOurs: (name: string) => boolean): FolderOwnership {
  try {
    const link = lstatSync(path, { throwIfNoEntry: false });
    if (link === undefined) return { kind: 'absent' };
    if (link.isSymbolicLink() && !isTrusted(link)) return foreign('it is a link that another user made');
    const stats = statSync(path);
    if (!stats.isDirectory()) return foreign('it is not a folder');
    if ((stats.mode & 0o002) !== 0) return foreign('every user of this machine may write in it');
    return judgeContent(realpathSync(path), stats, isOurs);
  } catch (error) {
    return foreign(reasonOf(error));
  }
}

function judgeContent(path: string, stats: Stats, isOurs: (name: string) => boolean): FolderOwnership {
  const entries = readdirSync(path, { withFileTypes: true });
  if (hasForeignPasswords(path, entries)) return foreign(`"${STATE_NAMES.passwordFile}" in it is not a password file of midge`);
  const marker = markerOf(path, entries, stats);
  if (marker !== null) return { kind: 'ours', isMarked: true, looksMade: marker === MADE_HERE };
  const stranger = entries.find(({ name }) => !isOurs(name) && !NEUTRAL.includes(name));
  if (stranger === undefined) {
    const looksMade = entries.length > 0 && (stats.mode & 0o777) === 0o700; // as every version has made it
    return { kind: 'ours', isMarked: false, looksMade };
  }
  if (isKnown(path, entries, isOurs)) return { kind: 'ours', isMarked: false, looksMade: false };
  return foreign(`it holds files of others, such as "${stranger.name}"`);
}

/** From before there was a marker. */
function isKnown(path: string, entries: readonly Dirent[], isOurs: (name: string) => boolean): boolean {
  const hasAuthority =
    entries.some((entry) => entry.name === STATE_NAMES.certificates && entry.isDirectory()) &&
    isOwnFile(path, `${STATE_NAMES.certificates}/ca.key`);
  return hasAuthority || entries.some(({ name }) => name.endsWith('.db') && isOurs(name) && isOwnFile(path, name));
}

function isOwnFile(path: string, name: string): boolean {
  return lstatSync(join(path, name), { throwIfNoEntry: false })?.isFile() === true;
}

function markerOf(path: string, entries: readonly Dirent[], folder: Stats): string | null {
  if (!entries.some((entry) => entry.name === STATE_NAMES.marker && entry.isFile())) return null;
  const file = join(path, STATE_NAMES.marker);
  const stats = lstatSync(file);
  const isSound = stats.isFile() && stats.nlink === 1 && stats.size < 1000 && (isTrusted(stats) || stats.uid === folder.uid);
  return isSound ? readStart(file, 1000) : null;
}

function hasForeignPasswords(path: string, entries: readonly Dirent[]): boolean {
  const entry = entries.find(({ name }) => name === STATE_NAMES.passwordFile);
  if (entry === undefined) return false;
  const text = readStart(join(path, entry.name), 4096);
  const first = text?.split('\n').find((line) => line.trim() !== '' && !line.startsWith('#'));
  return text === null || (first !== undefined && !PASSWORD_LINE.test(first));
}

function isTrusted({ uid }: Stats): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

function foreign(reason: string): FolderOwnership {
  return { kind: 'foreign', reason };
}
