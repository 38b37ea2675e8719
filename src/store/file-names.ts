// Names of the files beside a database, and how they change: what is bad or of another version is moved aside, never deleted.

import { lstatSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { compactTime } from '../base/clock.ts';
import { syncPath } from '../base/durable-file.ts';

/** COMPANIONS are what SQLite adds to the name of a database for what belongs to it. */
export const COMPANIONS = ['', '-wal', '-shm', '-journal'];

/** asideName gives the name under which a file is kept: `midge.db.corrupt-20260131T235959Z`. */
export function asideName(path: string, why: 'corrupt' | 'newer' | 'replaced', now: number): string {
  const time = compactTime(now);
  let name = `${path}.${why}-${time}`;
  for (let more = 2; lstatSync(name, { throwIfNoEntry: false }) !== undefined; more++) name = `${path}.${why}-${time}-${more}`;
  return name;
}

/** moveAside renames a database, or another file, and what belongs to it; a link is renamed itself, also one that leads nowhere. */
export function moveAside(path: string, aside: string): void {
  for (const companion of COMPANIONS) {
    if (lstatSync(path + companion, { throwIfNoEntry: false }) !== undefined) renameSync(path + companion, aside + companion);
  }
  syncPath(dirname(path));
}
