// The way back from an upgrade: before a newer version changes the tables, the database is kept as it was.
//
//   midge.db of version 1 --opened by version 2--> midge.db.version-1 (a copy), midge.db of version 2
//   put back by version 1:                         midge.db.version-1 -> midge.db, what was there -> midge.db.newer-<time>
//
// The copy goes at a start a week later. What was acknowledged after the upgrade is in the newer database only.

import { chmodSync, existsSync, globSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../base/clock.ts';
import { replaceFile, syncPath } from '../base/durable-file.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { faultOf } from './faults.ts';
import { asideName, moveAside } from './file-names.ts';
import { APPLICATION_ID, readNumber, SCHEMA_VERSION } from './schema.ts';

const WEEK_MS = 7 * 86_400_000;

/** Upgrade says of which version the database was, and where its copy is: null = there was no space for one. */
export interface Upgrade {
  readonly version: number;
  readonly copy: string | null;
}

/** copyName gives the name of the copy that a newer version makes of a database of `version`. */
export function copyName(path: string, version = SCHEMA_VERSION): string {
  return `${path}.version-${version}`;
}

/** keepCopy writes a copy that is whole or not there, mode 0600, and gives its name; null when the disk is full. */
export function keepCopy(database: DatabaseSync, path: string, version: number): string | null {
  const copy = copyName(path, version);
  try {
    replaceFile(copy, (temporary) => {
      writeFileSync(temporary, '', { flag: 'wx', mode: 0o600 });
      database.prepare('VACUUM INTO ?').run(temporary);
      chmodSync(temporary, 0o600);
    });
    return copy;
  } catch (error) {
    if (faultOf(error).kind === 'full') return null;
    throw error;
  }
}

/** forgetOldCopies removes copies that are older than a week: the version that runs has proved itself. */
export function forgetOldCopies(path: string, now: number): void {
  for (const name of globSync(`${basename(path)}.version-*`, { cwd: dirname(path) })) {
    const copy = join(dirname(path), name);
    if (now - statSync(copy).mtimeMs > WEEK_MS) rmSync(copy, { force: true });
  }
}

/** PutBack: what was there is at `aside` now, and of version `newer`. */
export interface PutBack {
  readonly newer: number;
  readonly aside: string;
}

/**
 * putBackCopy puts the copy of this version in the place of a database of a newer one. null = the database is not newer, or there is
 * none. Throws what SQLite says, 'database is locked' when a broker uses it, and an Error when there is no copy.
 */
export function putBackCopy(path: string, now: number): PutBack | null {
  if (!existsSync(path)) return null;
  const newer = versionOf(path);
  if (newer <= SCHEMA_VERSION) return null;
  const copy = copyName(path);
  if (!existsSync(copy))
    throw new Error(`it has version ${newer} of a newer midge, and there is no copy of version ${SCHEMA_VERSION} beside it`);
  const aside = asideName(path, 'newer', now);
  moveAside(path, aside);
  renameSync(copy, path);
  syncPath(dirname(path));
  return { newer, aside };
}

/** putBackBeforeUpgrade puts back the copy that a newer midge has made of the database before it changed it. null = it has changed nothing. Throws OperatorError. */
export function putBackBeforeUpgrade(path: string): { readonly path: string; readonly aside: string } | null {
  try {
    const done = putBackCopy(path, systemClock.now());
    return done === null ? null : { path, aside: done.aside };
  } catch (error) {
    const isLocked = faultOf(error).kind === 'locked';
    const reason = isLocked ? 'a broker uses it - stop it' : reasonOf(error);
    throw new OperatorError(`Cannot put back "${path}" as it was before an upgrade: ${reason}`, { cause: error });
  }
}

/** Takes the lock: throws when a broker has it. */
function versionOf(path: string): number {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT');
    return readNumber(database, 'application_id') === APPLICATION_ID ? readNumber(database, 'user_version') : 0;
  } finally {
    database.close();
  }
}
