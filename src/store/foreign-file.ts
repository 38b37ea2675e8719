// Whether a file is one that may become, or is, our database: looked at before anything is changed.

import { closeSync, constants, fchmodSync, fstatSync, lstatSync, openSync, readlinkSync, readSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreFault } from './faults.ts';
import { COMPANIONS } from './file-names.ts';
import { APPLICATION_ID } from './schema.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** What midge import mosquitto takes over. */
const MOSQUITTOS = "it is mosquitto's database";

const SQLITE = Buffer.from('SQLite format 3\0');
const MOSQUITTO = Buffer.from('00b5006d6f7371756974746f206462', 'hex');
/** Where SQLite keeps its page count and application_id (https://www.sqlite.org/fileformat.html 1.3). */
const APPLICATION_ID_AT = 68;
const HEADER_BYTES = 100;
const PAGE = 4096;

/** ForeignFile is one that can't be our database, with the reason. */
export interface ForeignFile {
  readonly reason: string;
  /** It is mosquitto's database, which can be imported. */
  readonly isMosquittos: boolean;
}

/**
 * foreignFile says why a file can't be our database, or gives null; also null where there is no file. In a folder of our own, what can't
 * be read is taken for a damaged database of ours; elsewhere only a database of ours, an empty file or one that was wiped is ours.
 * Reads the file without SQLite: not while this process has it open as a database, whose lock would be lost.
 */
export function foreignFile(path: string, isOwnFolder: boolean): ForeignFile | null {
  const reason = foreignReason(path, isOwnFolder);
  return reason === null ? null : { reason, isMosquittos: reason === MOSQUITTOS };
}

/** refuseForeign throws StoreFault where foreignFile has something to say. */
export function refuseForeign(path: string, isOwnFolder: boolean): void {
  const reason = foreignReason(path, isOwnFolder);
  if (reason !== null) throw new StoreFault('foreign', reason);
}

function foreignReason(path: string, isOwnFolder: boolean): string | null {
  const beside = companionReason(path);
  if (beside !== null) return beside;
  const fd = openIfThere(path);
  if (fd === null) return null;
  if (typeof fd === 'string') return fd;
  try {
    const stats = fstatSync(fd);
    return (
      kindReason(stats) ?? placeReason(path, stats) ?? contentReason(headerOf(fd), { size: stats.size, isOwnFolder, hasLog: hasLog(path) })
    );
  } finally {
    closeSync(fd);
  }
}

/** protectFile takes a database of ours away from other users, by its descriptor. */
export function protectFile(path: string): void {
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW);
  try {
    const stats = fstatSync(fd);
    const isOurs = stats.size === 0 || isMarked(headerOf(fd));
    if (kindReason(stats) === null && isOurs && (stats.mode & 0o077) !== 0) fchmodSync(fd, 0o600);
  } finally {
    closeSync(fd);
  }
}

function openIfThere(path: string): number | string | null {
  try {
    return openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    if (code === 'ELOOP') return `it is a link to "${readlinkSync(path)}"`;
    if (code === 'ENXIO' || code === 'ENODEV') return 'it is a socket or a device';
    throw error;
  }
}

/** SQLite writes to what is beside the database, through a link too. */
function companionReason(path: string): string | null {
  for (const companion of COMPANIONS.filter((each) => each !== '')) {
    const stats = lookAt(path + companion);
    const reason = stats === null ? null : kindReason(stats);
    if (reason !== null) return `"${path}${companion}" belongs to it, and ${reason}`;
  }
  return null;
}

function lookAt(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null; // whoever opens the database is told why
  }
}

/** Where every user may write, a file of another one may have been put in its way. */
function placeReason(path: string, { uid }: Stats): string | null {
  const { mode } = statSync(dirname(path));
  if ((mode & 0o002) === 0) return null;
  if ((mode & 0o1000) === 0) return `every user may replace it in "${dirname(path)}"`;
  return uid === 0 || uid === process.geteuid?.() ? null : 'it belongs to another user, in a folder where every user may write';
}

function kindReason(stats: Stats): string | null {
  if (stats.isDirectory()) return 'it is a folder';
  if (stats.isFIFO()) return 'it is a FIFO';
  if (stats.isSymbolicLink()) return 'it is a link';
  if (!stats.isFile()) return 'it is a device';
  if (stats.nlink > 1) return 'it has other names (hard links)';
  const user = process.geteuid?.() ?? 0;
  return user === 0 || stats.uid === user || stats.uid === 0 ? null : 'it belongs to another user';
}

function contentReason(
  header: Buffer,
  { size, isOwnFolder, hasLog }: { size: number; isOwnFolder: boolean; hasLog: boolean },
): string | null {
  if (size === 0) return null;
  if (header.subarray(0, MOSQUITTO.length).equals(MOSQUITTO)) return MOSQUITTOS;
  if (header.subarray(0, SQLITE.length).equals(SQLITE)) {
    if (header.length < HEADER_BYTES || isMarked(header)) return null;
    const mayBeYoung = header.readUInt32BE(APPLICATION_ID_AT) === 0 && (hasLog || size <= PAGE); // what makes it ours may be in its log yet: SQLite looks
    return mayBeYoung ? null : 'it is the database of another program';
  }
  const isWiped = header.every((byte) => byte === header[0]);
  return isOwnFolder || hasLog || isWiped ? null : 'it is not a database of midge';
}

function isMarked(header: Buffer): boolean {
  return (
    header.length === HEADER_BYTES &&
    header.subarray(0, SQLITE.length).equals(SQLITE) &&
    header.readUInt32BE(APPLICATION_ID_AT) === APPLICATION_ID
  );
}

function headerOf(fd: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  return header.subarray(0, readSync(fd, header, 0, HEADER_BYTES, 0));
}

function hasLog(path: string): boolean {
  const fd = openIfThere(`${path}-wal`);
  if (typeof fd !== 'number') return false;
  try {
    return fstatSync(fd).size > 0;
  } finally {
    closeSync(fd);
  }
}
