// The file of the open database is gone, or another stands in its place: what is open still has every row, and is written there anew.
//
//   midge.db, midge.db-wal deleted, or the folder     -->  midge.db.midge.new, synced  -->  midge.db
//   another file in their place                       -->  midge.db.replaced-TIME first
//
// A log that stays behind would be played into the new file: it goes, or is moved, before that has its name.

import { fstatSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolders, replaceFile, syncPath } from '../base/durable-file.ts';
import { faultOf, StoreFault } from './faults.ts';
import { asideName, COMPANIONS } from './file-names.ts';

/** OpenFile is where a database was opened, and the files that it has open: itself and its log, null = none so far. */
export interface OpenFile {
  readonly path: string;
  readonly inode: number;
  readonly logInode: number | null;
  /** Descriptor of the database, which SQLite has open; null = it is not known. */
  readonly descriptor: number | null;
}

/** Rewrite says what was done: `aside` is the name of what stood in the place of the database, null = nothing. */
export interface Rewrite {
  readonly inode: number;
  readonly aside: string | null;
}

/** openFile notes which files an open database has. */
export function openFile(path: string): OpenFile {
  const inode = inodeOf(path) ?? 0;
  return { path, inode, logInode: inodeOf(`${path}-wal`), descriptor: descriptorOf(inode) };
}

/** inodeOf gives null where there is no file. */
export function inodeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

/** isInPlace looks by path. A broker that has given up root may not reach the folder by its path any more: then the file is there while it has a name. */
export function isInPlace({ path, inode, logInode, descriptor }: OpenFile): boolean {
  try {
    return inodeOf(path) === inode && (logInode === null || inodeOf(`${path}-wal`) === logInode);
  } catch {
    return descriptor === null || fstatSync(descriptor).nlink > 0;
  }
}

/** proc_pid_fd(5) */
function descriptorOf(inode: number): number | null {
  try {
    return (
      readdirSync('/proc/self/fd')
        .map(Number)
        .find((each) => isOpenAs(each, inode)) ?? null
    );
  } catch {
    return null;
  }
}

/** The descriptor by which the list itself was read is closed by now. */
function isOpenAs(descriptor: number, inode: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isFile() && stats.ino === inode;
  } catch {
    return false;
  }
}

/** writeAnew writes all that the open database holds to its path, as a new file, and gives the name of what stood there. Throws a StoreFault of kind 'deleted'. */
export function writeAnew(database: DatabaseSync, file: OpenFile, now: number): string | null {
  const { path } = file;
  try {
    const made = makeFolders(dirname(path), 0o700);
    if (made !== null) syncPath(dirname(made));
    const stranger = statSync(path, { throwIfNoEntry: false });
    if (stranger?.isFile() === true && stranger.ino !== file.inode) refuseInUse(path); // to open a FIFO would never end
    let aside: string | null = null;
    replaceFile(path, (temporary) => {
      writeFileSync(temporary, '', { flag: 'wx', mode: 0o600 });
      database.prepare('VACUUM INTO ?').run(temporary);
      syncPath(temporary);
      aside = clear(file, now);
    });
    return aside;
  } catch (error) {
    throw new StoreFault('deleted', faultOf(error).reason);
  }
}

/** Takes away what stands in the place of the new file: our own files, and aside what is not ours. */
function clear({ path, inode, logInode }: OpenFile, now: number): string | null {
  const aside = asideName(path, 'replaced', now);
  let isMoved = false;
  for (const companion of COMPANIONS) {
    const found = inodeOf(path + companion);
    if (found === null || found === inode) continue; // our own database is replaced in one step
    if (found === logInode) {
      rmSync(path + companion);
      continue;
    }
    renameSync(path + companion, aside + companion);
    isMoved = true;
  }
  return isMoved ? aside : null;
}

/** Another broker may have begun there, when the place was empty. */
function refuseInUse(path: string): void {
  const other = new DatabaseSync(path, { readOnly: true });
  try {
    other.exec('PRAGMA locking_mode = EXCLUSIVE; SELECT 1 FROM sqlite_schema');
  } catch (error) {
    if (faultOf(error).kind === 'locked') throw new StoreFault('deleted', 'another broker uses the file in its place');
  } finally {
    other.close();
  }
}
