// Files outside the state folder that a restore puts in place, all or none. Each is written beside its place, and only when all are, renamed.
//
//   LIST                   a file in the folder of the swap that names them; a cut: what lies beside is taken away, or put in place
//   PATH.restoring-STAMP   written and synced; a failure: taken away, nothing has changed
//   PATH.before-STAMP      what was there; a failure while others are renamed: put back
//
// Somebody else may own the folder in which LIST lies. So nothing is done for it but to rename or remove files of the names above.

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { makeFolders, syncPath } from '../base/durable-file.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { asOwnerNow } from './as-owner.ts';
import type { DatabaseTools } from './needs.ts';

/** NewFile is what is to stand at a path: its content, or an open file that has it. Of a file that is there already, mode and owner stay. */
export interface NewFile {
  readonly path: string;
  readonly content: Buffer | number;
  readonly mode: number;
}

/** Placed says what was put in place, and where what was there is kept; null = there was nothing. */
export interface Placed {
  readonly path: string;
  readonly aside: string | null;
}

/** Some hundred paths. */
const MAX_LIST_BYTES = 1_048_576;

/** stat(2), S_ISVTX: each user may change only their own files in the folder. */
const STICKY = 0o1000;

type MoveAside = DatabaseTools['moveAside'];

/** PlacedFiles is one exchange. Nothing changes before `place`. */
export class PlacedFiles {
  readonly #stamp: string;
  readonly #moveAside: MoveAside;
  readonly #placed: Placed[] = [];
  #paths: readonly string[] = [];

  constructor(stamp: string, moveAside: MoveAside) {
    this.#stamp = stamp;
    this.#moveAside = moveAside;
  }

  /** prepare writes all of them beside their places. Throws OperatorError when one cannot be written; `forget` is then due. */
  prepare(files: readonly NewFile[]): void {
    this.#paths = files.map(({ path }) => path);
    for (const file of files) named(file.path, 'written beside', () => asOwnerNow(dirname(file.path), () => this.#prepareOne(file)));
  }

  /** place renames all of them. Throws OperatorError when one cannot be; all others are then as they were. */
  place(): readonly Placed[] {
    try {
      for (const path of this.#paths) this.#placed.push(named(path, 'put in place of', () => this.#placeOne(path)));
    } catch (error) {
      this.undo();
      throw error;
    }
    return this.#placed;
  }

  /** undo puts back what was there. */
  undo(): void {
    for (const { path, aside } of this.#placed.splice(0).reverse()) {
      asOwnerNow(dirname(path), () => {
        if (aside === null) rmSync(path, { force: true });
        else this.#moveAside(aside, path);
        syncPath(dirname(path));
      });
    }
  }

  /** forget takes away what was written beside and has not been put in place. */
  forget(): void {
    for (const path of this.#paths) {
      try {
        asOwnerNow(dirname(path), () => rmSync(besideOf(path, this.#stamp), { force: true }));
      } catch {
        // where nothing could be written, nothing lies
      }
    }
  }

  #prepareOne({ path, content, mode }: NewFile): void {
    makeFolders(dirname(path), 0o755);
    const old = lstatSync(path, { throwIfNoEntry: false });
    const beside = besideOf(path, this.#stamp);
    writeDurably(content, beside, old?.isFile() ? old.mode & 0o777 : mode & 0o755);
    if (process.geteuid?.() !== 0) return;
    const { uid, gid } = old ?? statSync(dirname(path)); // a new one belongs to whom its folder belongs
    lchownSync(beside, uid, gid);
  }

  #placeOne(path: string): Placed {
    return asOwnerNow(dirname(path), () => putInPlace(path, this.#stamp, this.#moveAside));
  }
}

/** writeList makes the list, before `prepare`. */
export function writeList(list: string, paths: readonly string[]): void {
  writeFileSync(list, JSON.stringify(paths), { flag: 'wx', mode: 0o600, flush: true });
  syncPath(dirname(list));
}

/** finishFiles puts in place what a cut has left beside, or takes it away where the restore was not begun. Gives the paths at which this user may not. */
export function finishFiles(paths: readonly string[], stamp: string, isBegun: boolean, moveAside: MoveAside): readonly string[] {
  return paths.filter((path) => {
    try {
      asOwnerNow(dirname(path), () => {
        const beside = besideOf(path, stamp);
        if (isShared(dirname(path))) return;
        if (lstatSync(beside, { throwIfNoEntry: false })?.isFile() !== true) return;
        if (isBegun) putInPlace(path, stamp, moveAside);
        else rmSync(beside);
      });
      return false;
    } catch {
      return true;
    }
  });
}

/** readList gives the paths of a list; none where it was cut: then nothing was written beside. */
export function readList(list: string): readonly string[] {
  try {
    const fd = openSync(list, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(fd);
      const value: unknown = !stats.isFile() || stats.size > MAX_LIST_BYTES ? null : JSON.parse(readFileSync(fd, 'utf8'));
      const isPath = (each: unknown): each is string => typeof each === 'string' && resolve(each) === each && !each.includes('\0');
      return Array.isArray(value) ? value.filter(isPath) : [];
    } finally {
      closeSync(fd);
    }
  } catch {
    return [];
  }
}

function putInPlace(path: string, stamp: string, moveAside: MoveAside): Placed {
  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  const aside = isThere ? `${path}.before-${stamp}` : null;
  if (aside !== null) moveAside(path, aside);
  try {
    renameSync(besideOf(path, stamp), path);
  } catch (error) {
    if (aside !== null) moveAside(aside, path);
    throw error;
  }
  syncPath(dirname(path));
  return { path, aside };
}

/** A folder such as /tmp: the owner of LIST may lay a file of such a name there, and have root exchange what another user has. */
function isShared(folder: string): boolean {
  return (statSync(folder).mode & STICKY) !== 0;
}

function besideOf(path: string, stamp: string): string {
  return `${path}.restoring-${stamp}`;
}

function named<T>(path: string, what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new OperatorError(`it could not be ${what} "${path}": ${reasonOf(error)} - nothing was changed`, { cause: error });
  }
}

function writeDurably(from: Buffer | number, to: string, mode: number): void {
  const target = openSync(to, 'wx', 0o600);
  try {
    if (typeof from === 'number') copyAll(from, target);
    else writeFileSync(target, from);
    fchmodSync(target, mode);
    fsyncSync(target);
  } finally {
    closeSync(target);
  }
}

function copyAll(from: number, to: number): void {
  const chunk = Buffer.allocUnsafe(1_048_576);
  for (let length = readSync(from, chunk); length > 0; length = readSync(from, chunk)) writeFileSync(to, chunk.subarray(0, length));
}
