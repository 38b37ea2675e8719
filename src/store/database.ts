// Opens the database: its lock, its pragmas, its identity, its soundness. What is damaged is moved aside, never deleted.
//
// Lock: the connection runs in locking_mode EXCLUSIVE, so SQLite holds an fcntl lock on the database file from the first read until
// it closes. The kernel drops it with the process, so nothing stale is left behind and no process number has to be believed. The price:
// nothing else in this process may open and close the database file, which would drop the lock (https://www.sqlite.org/howtocorrupt.html 2.2).
// With it the WAL index is on the heap: there is no -shm file, and no SIGBUS when a full disk cannot back its memory map.
//
// Care for the card:
//   page_size 4096            the block of the file systems; WAL frames are 4120 bytes
//   WAL, checkpoint at 1000   pages (4 MB), by the worker after it has answered a commit: a page that changes with every commit is
//                             written to the WAL each time, but to its place in the file only once in 4 MB of WAL
//   journal_size_limit 4 MB   the WAL is overwritten in place and not grown and cut, which would cost metadata; a large commit's is cut back
//   auto_vacuum INCREMENTAL   free pages are reused; only when more than 16 MB and a quarter of the file are free, 1 MB is given back
//                             per checkpoint. A full VACUUM, which writes everything again, never runs.

import { accessSync, closeSync, constants, lstatSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolders, syncPath } from '../base/durable-file.ts';
import { forgetOldCopies, keepCopy, type Upgrade } from './earlier-version.ts';
import { StoreFault } from './faults.ts';
import { protectFile, refuseForeign } from './foreign-file.ts';
import { APPLICATION_ID, migrate, readNumber, SCHEMA_VERSION } from './schema.ts';
import { schemaFault } from './schema-check.ts';

/** CHECKPOINT_PAGES in the WAL start a checkpoint. */
export const CHECKPOINT_PAGES = 1000;
const PAGE_SIZE = 4096;
const CACHE_KIB = 4000;

export type Synchronous = 'FULL' | 'NORMAL';

/** prepareFolder makes folder and file for their owner only; SQLite gives -wal the mode of the file. Throws what the system says, and StoreFault when the file is not ours. */
export function prepareFolder(path: string, isOwnFolder = true): void {
  const made = makeFolders(dirname(path), 0o700);
  if (made !== null) syncPath(dirname(made));
  const found = lstatSync(path, { throwIfNoEntry: false });
  accessSync(dirname(path), constants.W_OK);
  refuseForeign(path, isOwnFolder);
  if (found === undefined) {
    closeSync(openSync(path, 'wx', 0o600));
    return syncPath(dirname(path));
  }
  accessSync(path, constants.R_OK | constants.W_OK);
  protectFile(path);
}

/** OpenDatabase is a sound database of this version; `upgrade` is null when it was that before. */
export interface OpenDatabase {
  readonly database: DatabaseSync;
  readonly upgrade: Upgrade | null;
}

/**
 * openDatabase opens a database and brings it to this version, or throws a StoreFault or SQLite's error, with nothing left open.
 * `onFault` is called before the file is closed: closing plays the log into the file and deletes it, unless they have other names by then.
 */
export function openDatabase(path: string, synchronous: Synchronous, onFault: (error: unknown) => void = () => {}): OpenDatabase {
  const database = new DatabaseSync(path, { open: false, defensive: true });
  try {
    // SQLite would take it for a new database and delete the log. It writes a page before it makes one.
    if (sizeOf(path) === 0 && sizeOf(`${path}-wal`) > 0) throw new StoreFault('damaged', 'the file is empty, but its log is not');
    database.open();
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    const isEmpty = meetDatabase(database);
    if (isEmpty) database.exec(`PRAGMA page_size = ${PAGE_SIZE}; PRAGMA auto_vacuum = INCREMENTAL`);
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = 0;
      PRAGMA journal_size_limit = ${CHECKPOINT_PAGES * PAGE_SIZE}`);
    checkSoundness(database);
    const version = readNumber(database, 'user_version');
    const upgrade = isEmpty || version === SCHEMA_VERSION ? null : { version, copy: keepCopy(database, path, version) };
    migrate(database);
    if (upgrade === null) forgetOldCopies(path, Date.now());
    return { database, upgrade };
  } catch (error) {
    onFault(error);
    if (database.isOpen) database.close();
    throw error;
  }
}

/** meetDatabase reads whose database it is and what tables it has, before anything else is read; true = it is empty. Throws StoreFault for one that is not ours, newer or of other tables. */
export function meetDatabase(database: DatabaseSync): boolean {
  database.exec(`PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -${CACHE_KIB}`);
  const isEmpty = isNew(database);
  checkVersion(database);
  const fault = isEmpty ? null : schemaFault(database); // what is foreign could run within any statement
  if (fault !== null) throw new StoreFault('damaged', fault);
  return isEmpty;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** The first read of the file: takes the lock, and reads the log. */
function isNew(database: DatabaseSync): boolean {
  const application = readNumber(database, 'application_id');
  if (application === APPLICATION_ID) return false;
  const isEmpty = database.prepare('SELECT 1 FROM sqlite_schema').get() === undefined;
  if (application !== 0 || !isEmpty) throw new StoreFault('foreign', 'it is the database of another program');
  return true;
}

function checkVersion(database: DatabaseSync): void {
  const version = readNumber(database, 'user_version');
  if (version > SCHEMA_VERSION) {
    throw new StoreFault('newer', `it has version ${version} of a newer midge, this one knows ${SCHEMA_VERSION}`);
  }
}

/** checkSoundness reads every page: what was torn shows now and not in the middle of the night. Costs less than a second per 100 MB. */
export function checkSoundness(database: DatabaseSync): void {
  const verdict = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0];
  if (verdict !== 'ok') throw new StoreFault('damaged', String(verdict).split('\n').at(-1) ?? '');
}
