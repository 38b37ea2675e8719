// Saves what can be read of a damaged database into a new one.
//
// Rows are taken from both ends of each table until the damage, so one bad page costs the rows on it and not the rest. A row is safe to
// take: SQLite checks its types when it is put in, each value stands for itself, and a delivery is only kept together with its session and its message.
// A copy is read, for reading plays the log into the file: what was moved aside stays as it was found.

import { copyFileSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { APPLICATION_ID, migrate, readNumber, SCHEMA_VERSION, TABLES } from './schema.ts';

/** Salvaged counts what could be kept. */
export interface Salvaged {
  readonly sessions: number;
  readonly deliveries: number;
  readonly retained: number;
}

/** salvage copies the readable rows of the database at `aside` into `target`, which is new and empty. null = nothing could be read. */
export function salvage(aside: string, target: DatabaseSync, copy: string): Salvaged | null {
  try {
    for (const companion of ['', '-wal']) copyIfThere(aside + companion, copy + companion);
    return salvageFrom(copy, target);
  } catch {
    return null; // not a database, of another version, or no space for the copy
  } finally {
    for (const companion of ['', '-wal', '-shm', '-journal']) rmSync(copy + companion, { force: true });
  }
}

function salvageFrom(copy: string, target: DatabaseSync): Salvaged | null {
  const source = new DatabaseSync(copy);
  try {
    source.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF');
    const isOurs = readNumber(source, 'application_id') === APPLICATION_ID && readNumber(source, 'user_version') <= SCHEMA_VERSION;
    if (!isOurs) return null;
    migrate(source);
    target.exec('BEGIN');
    for (const table of TABLES) copyTable(source, target, table);
    dropOrphans(target);
    target.exec('COMMIT');
    const kept = { sessions: count(target, 'session'), deliveries: count(target, 'delivery'), retained: count(target, 'retained') };
    return kept.sessions + kept.retained === 0 ? null : kept;
  } catch (error) {
    if (target.isTransaction) target.exec('ROLLBACK');
    throw error;
  } finally {
    source.close();
  }
}

function copyTable(source: DatabaseSync, target: DatabaseSync, { name, key }: (typeof TABLES)[number]): void {
  if (copyRows(source, target, name, key)) return;
  copyRows(source, target, name, key.replace(/(,|$)/g, ' DESC$1'));
}

/** Gives false when damage ended it. */
function copyRows(source: DatabaseSync, target: DatabaseSync, table: string, order: string): boolean {
  let insert: StatementSync | null = null;
  try {
    for (const row of source.prepare(`SELECT * FROM ${table} ORDER BY ${order}`).iterate()) {
      const values = Object.values(row);
      insert ??= target.prepare(`INSERT OR IGNORE INTO ${table} VALUES (${values.map(() => '?').join()})`);
      insert.run(...values);
    }
    return true;
  } catch {
    return false;
  }
}

function dropOrphans(target: DatabaseSync): void {
  for (const table of ['subscription', 'delivery', 'incoming']) {
    target.exec(`DELETE FROM ${table} WHERE session NOT IN (SELECT id FROM session)`);
  }
  target.exec('DELETE FROM delivery WHERE message NOT IN (SELECT key FROM message)');
  target.exec('DELETE FROM message WHERE key NOT IN (SELECT message FROM delivery)');
}

function count(database: DatabaseSync, table: string): number {
  return Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
}

function copyIfThere(from: string, to: string): void {
  if (statSync(from, { throwIfNoEntry: false }) !== undefined) copyFileSync(from, to);
}
