// Where phones were, in the worker: each request is one short transaction or one read along the key.

import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { LOCATION_KINDS, type LocationRecord } from '../base/location-record.ts';

/** LocationSpan picks records: of one phone, and of a time from `from` to `to`, both included, in milliseconds since 1970. */
export interface LocationSpan {
  readonly topic: string;
  readonly from: number;
  readonly to: number;
}

/** LocationPlace is one record of a phone. */
export type LocationPlace = Pick<LocationRecord, 'at' | 'kind'>;

/** LocationRequest is what is asked of the table. */
export type LocationRequest =
  | { readonly what: 'append'; readonly records: readonly LocationRecord[] }
  /** The newest first, before a place. */
  | { readonly what: 'read'; readonly span: LocationSpan; readonly before: LocationPlace | null; readonly limit: number }
  | { readonly what: 'newest' }
  | { readonly what: 'count'; readonly span: LocationSpan }
  /** Of each phone, `limit` records at most, the oldest first. */
  | { readonly what: 'delete'; readonly span: LocationSpan; readonly limit: number }
  | { readonly what: 'phones' };

/** KeptPhone is what is kept of one: times in milliseconds since 1970, null = nothing. */
export interface KeptPhone {
  readonly topic: string;
  readonly first: number | null;
  readonly last: number | null;
}

/** LocationReplies by request. */
export interface LocationReplies {
  readonly append: number;
  readonly read: readonly LocationRecord[];
  /** Of each phone: its last location, in the open or encrypted, and its last transition. */
  readonly newest: readonly LocationRecord[];
  readonly count: number;
  /** How many went. */
  readonly delete: number;
  readonly phones: readonly KeptPhone[];
}

/** DEGREE is what a degree is counted in: a centimetre. */
const DEGREE = 1e7;

const COLUMNS = ['lat', 'lon', 'acc', 'alt', 'vac', 'vel', 'cog', 'batt', 'bs', 'tid', 't', 'conn', 'details'] as const;
const SELECTED = `topic, at, kind, delay, ${COLUMNS.join(', ')}`;

/** STATEMENTS by name. */
export const LOCATION_STATEMENTS = {
  addPhone: 'INSERT OR IGNORE INTO phone (topic) VALUES (?)',
  findPhone: 'SELECT id FROM phone WHERE topic = ?',
  append: `INSERT OR REPLACE INTO location (phone, at, kind, delay, ${COLUMNS.join(', ')}) VALUES (?, ?, ?, ?${', ?'.repeat(COLUMNS.length)})`,
  read: `SELECT ${SELECTED} FROM location JOIN phone ON phone.id = location.phone WHERE location.phone = ? AND at >= ? AND (at, kind) < (?, ?)
    ORDER BY at DESC, kind DESC LIMIT ?`,
  newest: `SELECT ${SELECTED} FROM location JOIN phone ON phone.id = location.phone WHERE location.phone = ? AND kind <> 1
    ORDER BY at DESC, kind DESC LIMIT 1`,
  newestTransition: `SELECT ${SELECTED} FROM location INDEXED BY location_transition JOIN phone ON phone.id = location.phone
    WHERE location.phone = ? AND kind = 1 ORDER BY at DESC LIMIT 1`,
  count: 'SELECT count(*) AS n FROM location WHERE phone = ? AND at >= ? AND at <= ?',
  deleteUntil: 'SELECT at FROM location WHERE phone = ? AND at >= ? AND at <= ? ORDER BY at LIMIT 1 OFFSET ?',
  delete: 'DELETE FROM location WHERE phone = ? AND at >= ? AND at <= ?',
  first: 'SELECT min(at) AS at FROM location WHERE phone = ?',
  last: 'SELECT max(at) AS at FROM location WHERE phone = ?',
  phones: 'SELECT id, topic FROM phone ORDER BY topic',
  dropPhone: 'DELETE FROM phone WHERE id = ? AND NOT EXISTS (SELECT 1 FROM location WHERE phone = phone.id)',
} as const;

/** LocationTable answers requests; made anew for each open database. */
export class LocationTable {
  readonly #database: DatabaseSync;
  readonly #statements: Record<keyof typeof LOCATION_STATEMENTS, StatementSync>;

  constructor(database: DatabaseSync) {
    this.#database = database;
    const prepared = Object.entries(LOCATION_STATEMENTS).map(([name, sql]) => [name, database.prepare(sql)]);
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof LOCATION_STATEMENTS, StatementSync>; // keys are those of LOCATION_STATEMENTS
  }

  /** answer does what is asked, or throws what SQLite throws and has changed nothing. */
  answer(request: LocationRequest): LocationReplies[keyof LocationReplies] {
    switch (request.what) {
      case 'append':
        return this.#transaction(() => this.#append(request.records));
      case 'read':
        return this.#read(request);
      case 'newest':
        return this.#phones().flatMap(({ id }) => this.#newest(id));
      case 'count':
        return this.#count(request.span);
      case 'delete':
        return this.#transaction(() => this.#delete(request.span, request.limit));
      case 'phones':
        return this.#phones().map(({ id, topic }) => ({
          topic,
          first: numberOr(this.#statements.first.get(id)?.['at'], null),
          last: numberOr(this.#statements.last.get(id)?.['at'], null),
        }));
    }
  }

  #append(records: readonly LocationRecord[]): number {
    const ids = new Map<string, number>();
    for (const record of records) {
      let id = ids.get(record.topic);
      if (id === undefined) {
        this.#statements.addPhone.run(record.topic);
        id = this.#find(record.topic) ?? 0;
        ids.set(record.topic, id);
      }
      this.#statements.append.run(id, record.at, LOCATION_KINDS.indexOf(record.kind), record.received - record.at, ...columnsOf(record));
    }
    return records.length;
  }

  #read({ span, before, limit }: Extract<LocationRequest, { what: 'read' }>): readonly LocationRecord[] {
    const phone = this.#find(span.topic);
    if (phone === null) return [];
    const end =
      before === null || before.at > span.to
        ? ([span.to, LOCATION_KINDS.length] as const)
        : ([before.at, LOCATION_KINDS.indexOf(before.kind)] as const);
    return this.#statements.read.all(phone, span.from, ...end, limit).flatMap((row) => recordOf(row) ?? []);
  }

  #newest(phone: number): readonly LocationRecord[] {
    const rows = [this.#statements.newest.get(phone), this.#statements.newestTransition.get(phone)];
    return rows.flatMap((row) => (row === undefined ? [] : (recordOf(row) ?? [])));
  }

  #count({ topic, from, to }: LocationSpan): number {
    const phone = this.#find(topic);
    return phone === null ? 0 : Number(this.#statements.count.get(phone, from, to)?.['n']);
  }

  #delete({ topic, from, to }: LocationSpan, limit: number): number {
    const phone = this.#find(topic);
    if (phone === null) return 0;
    const until = numberOr(this.#statements.deleteUntil.get(phone, from, to, limit - 1)?.['at'], to);
    const { changes } = this.#statements.delete.run(phone, from, until);
    this.#statements.dropPhone.run(phone);
    return Number(changes);
  }

  #phones(): readonly { readonly id: number; readonly topic: string }[] {
    return this.#statements.phones.all().map(({ id, topic }) => ({ id: Number(id), topic: String(topic) }));
  }

  #find(topic: string): number | null {
    return numberOr(this.#statements.findPhone.get(topic)?.['id'], null);
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

function columnsOf(record: LocationRecord): SQLInputValue[] {
  const degrees = (value: number | null) => (value === null ? null : Math.round(value * DEGREE));
  return COLUMNS.map((column) => (column === 'lat' || column === 'lon' ? degrees(record[column]) : record[column]));
}

/** Null = no row of ours: a database may come from a stranger. */
function recordOf(row: Record<string, SQLOutputValue>): LocationRecord | null {
  const number = (name: string) => numberOr(row[name], null);
  const text = (name: string) => (typeof row[name] === 'string' ? row[name] : null);
  const degrees = (name: string, most: number) => {
    const value = number(name);
    return value === null || Math.abs(value) > most * DEGREE ? null : value / DEGREE;
  };
  const [topic, at, kind] = [text('topic'), number('at'), LOCATION_KINDS[number('kind') ?? -1]];
  if (topic === null || at === null || kind === undefined) return null;
  return {
    ...{ topic, at, kind, received: at + (number('delay') ?? 0) },
    ...{ lat: degrees('lat', 90), lon: degrees('lon', 180) },
    ...{ acc: number('acc'), alt: number('alt'), vac: number('vac'), vel: number('vel'), cog: number('cog') },
    ...{ batt: number('batt'), bs: number('bs'), tid: text('tid'), t: text('t'), conn: text('conn'), details: text('details') },
  };
}

function numberOr<T>(value: SQLOutputValue | undefined, otherwise: T): number | T {
  return typeof value === 'number' ? value : otherwise;
}
