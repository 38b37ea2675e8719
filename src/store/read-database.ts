// Reads the whole database for start-up, as records in pieces: messages that wait, then sessions, then retained values.

import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { StoredMessage, StoredSession } from '../broker/ports.ts';
import { PackedWriter } from './packed.ts';
import { qosOf, type RecordVisitor, recordWriter, stateOf, versionOf } from './records.ts';
import type { SourceOf } from './set-aside.ts';

/**
 * PIECE_SIZE is how many bytes go to the other thread at once. Payloads stay views of their piece there: larger pieces load no faster,
 * and one old value keeps its whole piece alive.
 */
const PIECE_SIZE = 64 * 1024;

const NOTHING = Buffer.alloc(0);

type Row = readonly SQLOutputValue[];

interface Source {
  readonly database: DatabaseSync;
  readonly sourceOf: SourceOf;
}

/** loadPieces gives the records piece by piece, all of them sound in the tables that `sourceOf` names; nothing may be written before the last one. */
export function* loadPieces(database: DatabaseSync, sourceOf: SourceOf = (table) => table): Generator<Uint8Array<ArrayBuffer>> {
  let out = new PackedWriter(PIECE_SIZE + 4096);
  let writer = recordWriter(out);
  for (const tell of [tellMessages, tellSessions, tellRetained]) {
    const rows = tell({ database, sourceOf }, () => writer);
    while (rows.next().done !== true) {
      if (out.length < PIECE_SIZE) continue;
      yield out.finish();
      out = new PackedWriter(PIECE_SIZE + 4096);
      writer = recordWriter(out);
    }
  }
  if (out.length > 0) yield out.finish();
}

/** A value of a row costs a tenth of a microsecond, a blob a whole one: properties are mostly empty, and come as null then. */
const MESSAGE_COLUMNS =
  "key, topic_name, payload, qos, retain, nullif(properties, x''), expires_at, source_client_id, source_username, source_listener";

function* tellMessages({ database, sourceOf }: Source, writer: () => RecordVisitor): Generator<void> {
  for (const row of iterate(database, `SELECT ${MESSAGE_COLUMNS} FROM ${sourceOf('message')}`)) {
    writer().message(messageOf(row));
    yield;
  }
}

function* tellRetained({ database, sourceOf }: Source, writer: () => RecordVisitor): Generator<void> {
  for (const row of iterate(database, `SELECT ${MESSAGE_COLUMNS} FROM ${sourceOf('retained')}`)) {
    writer().retainedSaved(messageOf(row));
    yield;
  }
}

/** Each table is read once, straight through: they lie in the order of sessions. Yields after whole sessions only: the other thread puts them together from one piece. */
function* tellSessions({ database, sourceOf }: Source, writer: () => RecordVisitor): Generator<void> {
  const subscriptions = new SessionRows(
    database,
    `SELECT session, topic_filter, mounted_filter, share_group, qos, no_local, retain_as_published, identifier FROM ${sourceOf('subscription')}
    ORDER BY session, topic_filter`,
  );
  const deliveries = new SessionRows(
    database,
    `SELECT session, position, qos, retain, shared, identifiers, packet_id, state, message FROM ${sourceOf('delivery')} ORDER BY session, position`,
  );
  const incoming = new SessionRows(database, `SELECT session, packet_id, digest FROM ${sourceOf('incoming')} ORDER BY session, packet_id`);
  const sessions = `SELECT id, client_id, username, version, expiry_interval, disconnected_at, will_topic, will_payload, will_qos,
    will_retain, will_properties, listener FROM ${sourceOf('session')} ORDER BY id`;
  for (const row of iterate(database, sessions)) {
    const out = writer();
    const id = Number(row[0]);
    const session = sessionOf(row);
    out.session(session.clientId);
    out.sessionSaved(session);
    for (let one = subscriptions.next(id); one !== null; one = subscriptions.next(id)) tellSubscription(one, out);
    for (let one = deliveries.next(id); one !== null; one = deliveries.next(id)) tellDelivery(one, out);
    for (let one = incoming.next(id); one !== null; one = incoming.next(id)) out.incomingSaved(Number(one[1]), Number(one[2]));
    yield;
  }
}

/** SessionRows gives the rows of a table that belong to a session, for sessions in rising order. */
class SessionRows {
  readonly #rows: Iterator<Row>;
  #row: Row | null;

  constructor(database: DatabaseSync, sql: string) {
    this.#rows = iterate(database, sql)[Symbol.iterator]();
    this.#row = this.#read();
  }

  /** next gives the next row of a session, or null after its last. Rows of sessions that are not there are left out. */
  next(session: number): Row | null {
    while (this.#row !== null && Number(this.#row[0]) < session) this.#row = this.#read();
    const row = this.#row;
    if (row === null || row[0] !== session) return null;
    this.#row = this.#read();
    return row;
  }

  #read(): Row | null {
    const { value, done } = this.#rows.next();
    return done === true ? null : value;
  }
}

function tellSubscription(row: Row, out: RecordVisitor): void {
  const [, topicFilter, mountedFilter, group, qos, noLocal, retainAsPublished, identifier] = row;
  out.subscriptionSaved({
    topicFilter: String(topicFilter),
    mountedFilter: String(mountedFilter),
    group: textOrNull(group),
    qos: qosOf(Number(qos)),
    noLocal: noLocal === 1,
    retainAsPublished: retainAsPublished === 1,
    identifier: Number(identifier),
  });
}

function tellDelivery(row: Row, out: RecordVisitor): void {
  const [, order, qos, retain, shared, identifiers, packetId, state, message] = row;
  out.deliverySaved(
    {
      order: Number(order),
      qos: qosOf(Number(qos)),
      retain: retain === 1,
      shared: shared === 1,
      identifiers: typeof identifiers === 'string' ? identifiers.split(',').map(Number) : null,
      packetId: Number(packetId),
      state: stateOf(Number(state)),
    },
    Number(message),
  );
}

function messageOf(row: Row): StoredMessage {
  const [key, topicName, payload, qos, retain, properties, expiresAt, clientId, username, listener] = row;
  return {
    key: Number(key),
    topicName: String(topicName),
    payload: bytesOf(payload),
    qos: qosOf(Number(qos)),
    retain: retain === 1,
    properties: bytesOf(properties),
    expiresAt: Number(expiresAt),
    source: typeof clientId === 'string' ? { clientId, username: textOrNull(username), listener: textOrNull(listener) ?? '' } : null,
  };
}

function sessionOf(row: Row): StoredSession {
  const [, clientId, username, version, expiryInterval, disconnectedAt, topicName, payload, qos, retain, properties, listener] = row;
  return {
    clientId: String(clientId),
    username: textOrNull(username),
    listener: textOrNull(listener) ?? '',
    version: versionOf(Number(version)),
    expiryInterval: Number(expiryInterval),
    disconnectedAt: typeof disconnectedAt === 'number' ? disconnectedAt : null,
    will:
      typeof topicName === 'string'
        ? { topicName, payload: bytesOf(payload), qos: qosOf(Number(qos)), retain: retain === 1, properties: bytesOf(properties) }
        : null,
  };
}

function iterate(database: DatabaseSync, sql: string): Iterable<Row> {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  return statement.iterate() as unknown as Iterable<Row>; // setReturnArrays, which the types do not know of
}

function textOrNull(value: SQLOutputValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

function bytesOf(value: SQLOutputValue | undefined): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : NOTHING;
}
