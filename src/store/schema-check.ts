// Compares the tables of a database with those that its version makes, before a row is read. A trigger or a view of somebody else would
// run within our statements, without end if it likes; a table of another shape would end the load.

import { DatabaseSync } from 'node:sqlite';
import { migrate, readNumber, SCHEMA_VERSION, TABLES } from './schema.ts';

/** Characters of a foreign name that are shown. */
const NAME_LENGTH = 60;

/** schemaFault says what of the schema is not ours, or gives null. The database is marked as ours, and not newer. */
export function schemaFault(database: DatabaseSync): string | null {
  const version = readNumber(database, 'user_version');
  if (version < 0) return `its version is ${version}`;
  const encoding = database.prepare('PRAGMA encoding').get()?.['encoding'];
  if (encoding !== 'UTF-8') return `its texts are in ${encoding}`;
  const { made, allowed } = schemaOf(version);
  const missing = new Set(made.keys());
  for (const [type, name, sql] of schemaRows(database)) {
    const wanted = made.get(name) ?? allowed.get(name);
    const shown = `${type} ${JSON.stringify(name.slice(0, NAME_LENGTH))}`;
    if (wanted === undefined) return `it has a ${shown} that midge does not make`;
    if (wanted !== `${type} ${sql}`) return `its ${shown} is not as midge makes it`;
    missing.delete(name);
  }
  const [first] = missing;
  return first === undefined ? null : `it has no ${JSON.stringify(first)}`;
}

/** setAsideTable makes the table that takes rows out of `table`, if it is not there. */
export function setAsideTable(database: DatabaseSync, table: string, version = SCHEMA_VERSION): string {
  const name = `set_aside_v${version}_${table}`;
  database.exec(`CREATE TABLE IF NOT EXISTS ${name} AS SELECT * FROM main.${table} WHERE 0`);
  return name;
}

/** What a version makes, and tables that it and those before may have added: name to type and text. */
interface Schema {
  readonly made: ReadonlyMap<string, string>;
  readonly allowed: ReadonlyMap<string, string>;
}

function schemaOf(version: number): Schema {
  const model = new DatabaseSync(':memory:');
  try {
    let made = new Map<string, string>();
    const allowed = new Map<string, string>();
    for (let each = 1; each <= version; each++) {
      migrate(model, each);
      made = schemaMap(model);
      model.exec('BEGIN');
      for (const { name } of TABLES) if (made.has(name)) setAsideTable(model, name, each);
      for (const [name, text] of schemaMap(model)) if (!made.has(name)) allowed.set(name, text);
      model.exec('ROLLBACK');
    }
    return { made, allowed };
  } finally {
    model.close();
  }
}

function schemaMap(database: DatabaseSync): Map<string, string> {
  return new Map([...schemaRows(database)].map(([type, name, sql]) => [name, `${type} ${sql}`]));
}

/** Type, name and text, spaces made equal; the table is part of the text, or of the name of an index that SQLite makes. */
function* schemaRows(database: DatabaseSync): Generator<[type: string, name: string, sql: string]> {
  for (const { type, name, sql } of database.prepare('SELECT type, name, sql FROM sqlite_schema').iterate()) {
    yield [String(type), String(name), String(sql).replace(/\s+/g, ' ')];
  }
}
