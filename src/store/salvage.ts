// Saves what can be read of a damaged database, or of one with foreign tables, into a new one.
//
// Rows are taken from both ends of each table until the damage, so one bad page costs the rows on it and not the rest. A row is safe to
// take: SQLite checks its types when it is put in, each value stands for itself, and a delivery is only kept together with its session and its message,
// a location with its phone.
// Where the schema is not ours only true tables are read, by the names of their columns: no view, no virtual table, no column that is computed.
// A copy is read, for reading plays the log into the file: what was moved aside stays as it was found.

import { copyFileSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { COMPANIONS } from './file-names.ts';
import { APPLICATION_ID, migrate, readNumber, SCHEMA_VERSION, TABLES } from './schema.ts';
import { schemaFault } from './schema-check.ts';

/** Salvaged counts what could be kept. */
export interface Salvaged {
  readonly sessions: number;
  readonly deliveries: number;
  readonly retained: number;
  /** In the history of phones. */
  readonly locations: number;
}

/** SQLITE_CONSTRAINT and SQLITE_MISMATCH: this row does not fit, the next may. */
const ROW_FAULTS = [19, 20];

/** salvage copies the readable rows of the database at `aside` into `target`, which is new and empty. null = nothing could be read. */
export function salvage(aside: string, target: DatabaseSync, copy: string): Salvaged | null {
  try {
    for (const companion of ['', '-wal']) copyIfThere(aside + companion, copy + companion);
    return salvageFrom(copy, target);
  } catch {
    return null; // not a database, of another version, or no space for the copy
  } finally {
    for (const companion of COMPANIONS) rmSync(copy + companion, { force: true });
  }
}

function salvageFrom(copy: string, target: DatabaseSync): Salvaged | null {
  const source = new DatabaseSync(copy, { defensive: true });
  try {
    source.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON');
    const isOurs = readNumber(source, 'application_id') === APPLICATION_ID && readNumber(source, 'user_version') <= SCHEMA_VERSION;
    if (!isOurs) return null;
    const isFamiliar = schemaFault(source) === null;
    if (isFamiliar) migrate(source);
    target.exec('BEGIN');
    for (const { name, key } of TABLES) {
      const columns = columnsOf(source, target, name);
      if (columns === null) continue;
      if (copyRows(source, target, { table: name, columns, order: isFamiliar ? key : null }) || !isFamiliar) continue;
      copyRows(source, target, { table: name, columns, order: key.replace(/(,|$)/g, ' DESC$1') });
    }
    dropOrphans(target);
    target.exec('COMMIT');
    const kept = {
      ...{ sessions: count(target, 'session'), deliveries: count(target, 'delivery') },
      ...{ retained: count(target, 'retained'), locations: count(target, 'location') },
    };
    return kept.sessions + kept.retained + kept.locations === 0 ? null : kept;
  } catch (error) {
    if (target.isTransaction) target.exec('ROLLBACK');
    throw error;
  } finally {
    source.close();
  }
}

/** The columns that both have; null where the source has no true table of that name, or lacks a column that a row needs. */
function columnsOf(source: DatabaseSync, target: DatabaseSync, table: string): readonly string[] | null {
  const isTable = source.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ? AND rootpage > 0`).get(table);
  if (isTable === undefined) return null;
  const found = new Set<unknown>(); // `hidden` is not 0 for what is computed
  for (const { name, hidden } of source.prepare(`PRAGMA table_xinfo(${table})`).all()) if (hidden === 0) found.add(name);
  const wanted = target.prepare(`PRAGMA table_info(${table})`).all();
  if (wanted.some(({ name, notnull, dflt_value }) => notnull === 1 && dflt_value === null && !found.has(name))) return null;
  return wanted.map(({ name }) => String(name)).filter((name) => found.has(name));
}

interface Copy {
  readonly table: string;
  readonly columns: readonly string[];
  /** null = as they lie: an order that no key gives would cost a sort. */
  readonly order: string | null;
}

/** Gives false when damage ended it. */
function copyRows(source: DatabaseSync, target: DatabaseSync, { table, columns, order }: Copy): boolean {
  const insert = target.prepare(`INSERT OR IGNORE INTO ${table} (${columns.join()}) VALUES (${columns.map(() => '?').join()})`);
  const rows = rowsOf(source, `SELECT ${columns.join()} FROM ${table}${order === null ? '' : ` ORDER BY ${order}`}`);
  for (let row = rows(); row !== 'end'; row = rows()) {
    if (row === 'damage') return false;
    insertRow(insert, row);
  }
  return true;
}

function rowsOf(source: DatabaseSync, sql: string): () => SQLInputValue[] | 'end' | 'damage' {
  let rows: Iterator<Record<string, SQLInputValue>> | null = null;
  return () => {
    try {
      if (rows === null) {
        const statement = source.prepare(sql);
        statement.setReadBigInts(true); // a number beyond 2^53 is no damage
        rows = statement.iterate();
      }
      const { done, value } = rows.next();
      return done === true ? 'end' : Object.values(value);
    } catch {
      return 'damage';
    }
  };
}

function insertRow(insert: StatementSync, values: SQLInputValue[]): void {
  try {
    insert.run(...values);
  } catch (error) {
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
    if (!ROW_FAULTS.includes(code)) throw error;
  }
}

function dropOrphans(target: DatabaseSync): void {
  for (const table of ['subscription', 'delivery', 'incoming']) {
    target.exec(`DELETE FROM ${table} WHERE session NOT IN (SELECT id FROM session)`);
  }
  target.exec('DELETE FROM delivery WHERE message NOT IN (SELECT key FROM message)');
  target.exec('DELETE FROM message WHERE key NOT IN (SELECT message FROM delivery)');
  target.exec('DELETE FROM location WHERE phone NOT IN (SELECT id FROM phone)'); // the next new phone would get them
}

function count(database: DatabaseSync, table: string): number {
  return Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);
}

function copyIfThere(from: string, to: string): void {
  if (statSync(from, { throwIfNoEntry: false }) !== undefined) copyFileSync(from, to);
}
