// Takes what this program cannot have written out of the tables before they are read: a database may come from a damaged card, another
// machine or a stranger. It is kept in tables of its own, `set_aside_vN_TABLE`, so that nothing is lost.
//
//   find    counts and names what is unsound, and changes nothing: a view `temp.sound_TABLE` of the rest stands for each table that has some
//   move    moves it, in one transaction. When that fails the views stay, and the load reads them: what is unsound waits where it is
//
// The smallest thing goes: of a session with a bad will, the will.

import { isUtf8 } from 'node:buffer';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { PACKET_TYPE } from '../mqtt/packet-types.ts';
import { decodeProperties, WILL } from '../mqtt/properties.ts';
import { isTopicFilter, isTopicName } from '../mqtt/topics.ts';
import { setAsideTable } from './schema-check.ts';

/** COUNT_MAX bounds keys and places, which count up: far below 2^53, so that counting on from the greatest stays exact. */
export const COUNT_MAX = 2 ** 52;
const TEXT_MAX = 65_535;
/** The longest packet [MQTT-2.1.4]. */
const PAYLOAD_MAX = 268_435_455;

/** How many of each kind are named, and their length in bytes. */
const EXAMPLES = 3;
const EXAMPLE_LENGTH = 60;

/** Checks that SQL cannot say. They get bytes, for a text column may hold what is not UTF-8. */
const CHECKS: Readonly<Record<string, (bytes: Buffer) => boolean>> = {
  is_text: isText,
  is_topic: (bytes) => isText(bytes) && isTopicName(bytes.toString()),
  is_filter: (bytes) => isText(bytes) && isTopicFilter(bytes.toString()),
  is_publish: (bytes) => hasProperties(bytes, PACKET_TYPE.PUBLISH),
  is_will: (bytes) => hasProperties(bytes, WILL),
  is_identifiers: (bytes) => bytes.length <= TEXT_MAX && /^[1-9]\d{0,8}(,[1-9]\d{0,8})*$/.test(bytes.toString('latin1')),
};

type Table = 'session' | 'subscription' | 'message' | 'delivery' | 'incoming' | 'retained';

/** SourceOf gives the name to read a table by: its own, or the view of what is sound. */
export type SourceOf = (table: Table) => string;

/** Unsound says how many of what kind make no sense, with the names of some. */
export interface Unsound {
  readonly what: string;
  readonly count: number;
  readonly examples: readonly string[];
}

interface Kind {
  readonly what: string;
  readonly table: Table;
  /** What is true of one that we wrote. */
  readonly sound: (source: SourceOf) => string;
  /** What a person knows it by. */
  readonly label: string;
  /** How it is taken out of its table, instead of the whole row. */
  readonly remove?: string;
}

const MESSAGE = `key BETWEEN 0 AND ${COUNT_MAX} AND is_topic(topic_name) AND typeof(payload) = 'blob' AND length(payload) <= ${PAYLOAD_MAX}
  AND qos IN (0, 1, 2) AND retain IN (0, 1) AND typeof(properties) = 'blob' AND (length(properties) = 0 OR is_publish(properties))
  AND expires_at BETWEEN 0 AND ${COUNT_MAX} AND (source_client_id IS NULL OR is_text(source_client_id))
  AND (source_username IS NULL OR is_text(source_username)) AND (source_listener IS NULL OR is_text(source_listener))`;

const SESSION = `id BETWEEN 1 AND ${COUNT_MAX} AND is_text(client_id) AND (username IS NULL OR is_text(username)) AND version IN (3, 4, 5)
  AND expiry_interval BETWEEN 0 AND 0xffffffff AND (disconnected_at IS NULL OR disconnected_at BETWEEN 0 AND ${COUNT_MAX})
  AND (listener IS NULL OR is_text(listener))`;

const WILL_OF_SESSION = `coalesce(will_topic, will_payload, will_qos, will_retain, will_properties) IS NULL OR (is_topic(will_topic) AND typeof(will_payload) = 'blob'
  AND length(will_payload) <= ${TEXT_MAX} AND will_qos IN (0, 1, 2) AND will_retain IN (0, 1) AND typeof(will_properties) = 'blob'
  AND (length(will_properties) = 0 OR is_will(will_properties)))`;

const hasSession = (source: SourceOf) => `session IN (SELECT id FROM ${source('session')})`;
const clientOf = (table: Table) => `(SELECT client_id FROM main.session WHERE id = ${table}.session)`;

/** Sessions and messages come before what points to them. */
const KINDS: readonly Kind[] = [
  { what: 'session', table: 'session', sound: () => SESSION, label: 'client_id' },
  {
    what: 'will',
    table: 'session',
    sound: () => `(${SESSION}) IS NOT TRUE OR ${WILL_OF_SESSION}`,
    label: 'client_id',
    remove: 'will_topic = NULL, will_payload = NULL, will_qos = NULL, will_retain = NULL, will_properties = NULL',
  },
  {
    what: 'subscription',
    table: 'subscription',
    sound: (source) => `${hasSession(source)} AND is_text(topic_filter) AND is_filter(mounted_filter)
      AND (share_group IS NULL OR is_text(share_group)) AND qos IN (0, 1, 2) AND no_local IN (0, 1) AND retain_as_published IN (0, 1)
      AND identifier BETWEEN 0 AND 268435455`,
    label: 'topic_filter',
  },
  { what: 'message', table: 'message', sound: () => MESSAGE, label: 'topic_name' },
  {
    what: 'delivery',
    table: 'delivery',
    sound: (source) => `${hasSession(source)} AND message IN (SELECT key FROM ${source('message')}) AND position BETWEEN 0 AND ${COUNT_MAX}
      AND qos IN (0, 1, 2) AND retain IN (0, 1) AND shared IN (0, 1) AND (identifiers IS NULL OR is_identifiers(identifiers))
      AND state IN (0, 1, 2) AND packet_id BETWEEN 0 AND 65535
      AND (session, position) NOT IN (SELECT session, position FROM (SELECT session, position, row_number() OVER
      (PARTITION BY session, packet_id ORDER BY position) AS use FROM main.delivery WHERE packet_id <> 0) WHERE use > 1)`,
    label: clientOf('delivery'),
  },
  {
    what: 'incoming',
    table: 'incoming',
    sound: (source) => `${hasSession(source)} AND packet_id BETWEEN 1 AND 65535 AND digest BETWEEN 0 AND ${COUNT_MAX}`,
    label: clientOf('incoming'),
  },
  { what: 'retained', table: 'retained', sound: () => MESSAGE, label: 'topic_name' },
];

/** UnsoundRows knows what is unsound of an open database. */
export class UnsoundRows {
  readonly #database: DatabaseSync;
  /** Where each kind has some: the condition that picks them. */
  readonly #bad: Map<Kind, string>;
  /** What was found; empty when all is sound. */
  readonly found: readonly Unsound[];

  /** The constructor looks at every row. */
  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#bad = new Map();
    for (const [name, check] of Object.entries(CHECKS)) {
      database.function(name, { deterministic: true, useBigIntArguments: true }, (value) => (check(bytesOf(value)) ? 1 : 0));
    }
    this.found = KINDS.flatMap((kind) => this.#look(kind) ?? []);
  }

  /** areInPlace while unsound rows are where they were. */
  get areInPlace(): boolean {
    return this.#bad.size > 0;
  }

  readonly sourceOf: SourceOf = (table) => (this.#conditionsOf(table).length > 0 ? `temp.sound_${table}` : `main.${table}`);

  /** move takes them out of their tables, or throws and changes nothing. */
  move(): void {
    if (!this.areInPlace) return;
    const database = this.#database;
    const moves = [...this.#bad].map(([{ table, remove }, isBad]) => {
      const taken = remove === undefined ? `DELETE FROM main.${table}` : `UPDATE main.${table} SET ${remove}`;
      return { table, isBad, taken };
    });
    try {
      database.exec('BEGIN IMMEDIATE');
      for (const { table, isBad, taken } of moves) {
        database.exec(`INSERT INTO ${setAsideTable(database, table)} SELECT * FROM main.${table} WHERE ${isBad}; ${taken} WHERE ${isBad}`);
      }
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
    this.#bad.clear();
    for (const { table } of moves) database.exec(`DROP VIEW IF EXISTS temp.sound_${table}`);
  }

  #look(kind: Kind): Unsound | null {
    const { what, table, label } = kind;
    const sound = kind.sound(this.sourceOf).replace(/(is_[a-z]+)\((\w+)\)/g, '$1(CAST($2 AS BLOB))');
    const isBad = `(${sound}) IS NOT TRUE`;
    const count = Number(this.#database.prepare(`SELECT count(*) AS count FROM main.${table} WHERE ${isBad}`).get()?.['count']);
    if (count === 0) return null;
    const name = `CAST(substr(CAST(${label} AS BLOB), 1, ${EXAMPLE_LENGTH}) AS TEXT)`;
    const names = this.#database.prepare(`SELECT ${name} AS name FROM main.${table} WHERE ${isBad} LIMIT ${EXAMPLES}`).all();
    this.#bad.set(kind, isBad);
    this.#makeView(table);
    return { what, count, examples: names.flatMap(({ name }) => (typeof name === 'string' ? [name] : [])) };
  }

  #makeView(table: Table): void {
    const [rows, parts] = [this.#conditionsOf(table, false), this.#conditionsOf(table, true)];
    const columns = this.#database.prepare(`PRAGMA table_info(${table})`).all();
    const shown = columns.map(({ name }) => {
      const isPart = parts.length > 0 && String(name).startsWith('will_');
      return isPart ? `CASE WHEN ${parts[0]} THEN NULL ELSE ${name} END AS ${name}` : name;
    });
    this.#database.exec(`DROP VIEW IF EXISTS temp.sound_${table};
      CREATE TEMP VIEW sound_${table} AS SELECT ${shown.join()} FROM main.${table} WHERE NOT (${rows.join(' OR ') || '0'})`);
  }

  /** Of whole rows, of parts of them (wills), or of both. */
  #conditionsOf(table: Table, ofParts: boolean | null = null): readonly string[] {
    const all = [...this.#bad].filter(
      ([kind]) => kind.table === table && (ofParts ?? kind.remove !== undefined) === (kind.remove !== undefined),
    );
    return all.map(([, isBad]) => isBad);
  }
}

/** unsoundList names kinds, numbers and some of them: `2 retained ("a", "b"), 1 will ("phone")`. */
export function unsoundList(found: readonly Unsound[]): string {
  return found
    .map(({ what, count, examples }) => {
      const more = count > examples.length ? ', ...' : '';
      const names = examples.length === 0 ? '' : ` (${examples.map((name) => JSON.stringify(name)).join(', ')}${more})`;
      return `${what} ${count}${names}`;
    })
    .join(', ');
}

function isText(bytes: Buffer): boolean {
  return bytes.length <= TEXT_MAX && isUtf8(bytes) && !bytes.includes(0);
}

function hasProperties(bytes: Buffer, packet: number): boolean {
  try {
    decodeProperties(bytes, packet);
    return true;
  } catch {
    return false;
  }
}

function bytesOf(value: SQLOutputValue): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : Buffer.alloc(0);
}
