// Looks at a database as a start would, and changes nothing: what of it would be loaded, and what would be left out.

import { copyFileSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { checkSoundness, meetDatabase } from './database.ts';
import { COMPANIONS } from './file-names.ts';
import { migrate, readNumber, SCHEMA_VERSION, TABLES } from './schema.ts';
import { type Unsound, UnsoundRows, unsoundList } from './set-aside.ts';

/** DryLoad counts the rows of all tables, and what would be left out. */
export interface DryLoad {
  readonly rows: number;
  readonly unsound: readonly Unsound[];
}

/**
 * dryLoad looks at every page and every row of a database that nobody has open; no row stays in memory. Throws what faultOf can sort for
 * one that a start would refuse or move aside. One of an earlier version, or with a log, is copied beside itself for that time.
 */
export function dryLoad(path: string): DryLoad {
  const isWhole = sizeOf(path) > 0 && sizeOf(`${path}-wal`) === 0;
  const isOfToday =
    isWhole &&
    within(openUnchanging(path), (database) => {
      meetDatabase(database);
      return readNumber(database, 'user_version') === SCHEMA_VERSION;
    });
  return isOfToday ? within(openUnchanging(path), look) : lookAtCopy(path, `${path}.dry-load`);
}

/** dryLoadText is a sentence about what would be left out; null = nothing. */
export function dryLoadText({ rows, unsound }: DryLoad): string | null {
  if (unsound.length === 0) return null;
  const bad = unsound.reduce((sum, { count }) => sum + count, 0);
  return `${bad.toLocaleString('en')} of ${rows.toLocaleString('en')} rows of the database are invalid (${unsoundList(unsound)}). midge leaves them out.`;
}

/** `immutable`: SQLite makes no file beside it, not even for a database that has used a log. */
function openUnchanging(path: string): DatabaseSync {
  const url = pathToFileURL(path);
  url.search = 'immutable=1';
  return new DatabaseSync(url, { readOnly: true, defensive: true });
}

function lookAtCopy(path: string, copy: string): DryLoad {
  try {
    for (const companion of ['', '-wal']) if (sizeOf(path + companion) > 0) copyFileSync(path + companion, copy + companion);
    return within(new DatabaseSync(copy, { defensive: true }), (database) => {
      database.exec('PRAGMA locking_mode = EXCLUSIVE');
      meetDatabase(database);
      checkSoundness(database); // damage is told as such, and not as a migration that failed
      migrate(database);
      return look(database);
    });
  } finally {
    for (const companion of COMPANIONS) rmSync(copy + companion, { force: true });
  }
}

function look(database: DatabaseSync): DryLoad {
  meetDatabase(database);
  checkSoundness(database);
  const { found } = new UnsoundRows(database);
  const rows = TABLES.reduce((sum, { name }) => sum + Number(database.prepare(`SELECT count(*) AS n FROM ${name}`).get()?.['n']), 0);
  return { rows, unsound: found };
}

function within<T>(database: DatabaseSync, use: (database: DatabaseSync) => T): T {
  try {
    return use(database);
  } finally {
    database.close();
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
