// Takes rows that this program cannot have written out of the tables before they are read: a database may come from a damaged card,
// another machine or a stranger. They are kept in tables of their own, `set_aside_vN_TABLE`, so that nothing is lost.

import { isUtf8 } from 'node:buffer';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { PACKET_TYPE } from '../mqtt/packet-types.ts';
import { decodeProperties, WILL } from '../mqtt/properties.ts';
import { isTopicFilter, isTopicName } from '../mqtt/topics.ts';
import { SCHEMA_VERSION, TABLES } from './schema.ts';

/** Keys and places count up: far below 2^53, so that counting on from the greatest stays exact. */
const COUNT_MAX = 2 ** 52;
const TEXT_MAX = 65_535;

/** Checks that SQL cannot say. They get bytes, for a text column may hold what is not UTF-8. */
const CHECKS: Readonly<Record<string, (bytes: Buffer) => boolean>> = {
  is_text: isText,
  is_topic: (bytes) => isText(bytes) && isTopicName(bytes.toString()),
  is_filter: (bytes) => isText(bytes) && isTopicFilter(bytes.toString()),
  is_publish: (bytes) => hasProperties(bytes, PACKET_TYPE.PUBLISH),
  is_will: (bytes) => hasProperties(bytes, WILL),
  is_identifiers: (bytes) => bytes.length <= TEXT_MAX && /^[1-9]\d{0,8}(,[1-9]\d{0,8})*$/.test(bytes.toString('latin1')),
};

const MESSAGE = `key BETWEEN 0 AND ${COUNT_MAX} AND is_topic(topic_name) AND typeof(payload) = 'blob' AND qos IN (0, 1, 2) AND retain IN (0, 1)
  AND typeof(properties) = 'blob' AND (length(properties) = 0 OR is_publish(properties)) AND expires_at BETWEEN 0 AND ${COUNT_MAX}
  AND (source_client_id IS NULL OR is_text(source_client_id)) AND (source_username IS NULL OR is_text(source_username))
  AND (source_listener IS NULL OR is_text(source_listener))`;

const HAS_SESSION = 'session IN (SELECT id FROM session)';

/** What is true of a row that we wrote. Sessions and messages come before what points to them. */
const SOUND: Readonly<Record<string, string>> = {
  session: `id BETWEEN 1 AND ${COUNT_MAX} AND is_text(client_id) AND (username IS NULL OR is_text(username)) AND version IN (3, 4, 5)
    AND expiry_interval BETWEEN 0 AND 0xffffffff AND (disconnected_at IS NULL OR disconnected_at BETWEEN 0 AND ${COUNT_MAX})
    AND (listener IS NULL OR is_text(listener)) AND (will_topic IS NULL OR (is_topic(will_topic) AND typeof(will_payload) = 'blob'
    AND length(will_payload) <= ${TEXT_MAX} AND will_qos IN (0, 1, 2) AND will_retain IN (0, 1) AND typeof(will_properties) = 'blob'
    AND (length(will_properties) = 0 OR is_will(will_properties))))`,
  subscription: `${HAS_SESSION} AND is_text(topic_filter) AND is_filter(mounted_filter) AND (share_group IS NULL OR is_text(share_group))
    AND qos IN (0, 1, 2) AND no_local IN (0, 1) AND retain_as_published IN (0, 1) AND identifier BETWEEN 0 AND 268435455`,
  message: MESSAGE,
  delivery: `${HAS_SESSION} AND message IN (SELECT key FROM message) AND position BETWEEN 0 AND ${COUNT_MAX} AND qos IN (0, 1, 2)
    AND retain IN (0, 1) AND shared IN (0, 1) AND (identifiers IS NULL OR is_identifiers(identifiers)) AND state IN (0, 1, 2)
    AND packet_id BETWEEN 0 AND 65535
    AND (session, position) NOT IN (SELECT session, position FROM (SELECT session, position, row_number() OVER
    (PARTITION BY session, packet_id ORDER BY position) AS use FROM delivery WHERE packet_id <> 0) WHERE use > 1)`,
  incoming: `${HAS_SESSION} AND packet_id BETWEEN 1 AND 65535 AND digest BETWEEN 0 AND ${COUNT_MAX}`,
  retained: MESSAGE,
};

/** setAside moves unsound rows away in one transaction and gives how many there were, by table; null = none. */
export function setAside(database: DatabaseSync): Readonly<Record<string, number>> | null {
  for (const [name, check] of Object.entries(CHECKS)) {
    database.function(name, { deterministic: true, useBigIntArguments: true }, (value) => (check(bytesOf(value)) ? 1 : 0));
  }
  const found: Record<string, number> = {};
  try {
    for (const { name } of TABLES) {
      const isBad = `(${SOUND[name]!.replace(/(is_[a-z]+)\((\w+)\)/g, '$1(CAST($2 AS BLOB))')}) IS NOT TRUE`;
      if (database.prepare(`SELECT 1 FROM ${name} WHERE ${isBad} LIMIT 1`).get() === undefined) continue;
      if (!database.isTransaction) database.exec('BEGIN IMMEDIATE');
      found[name] = moveRows(database, name, isBad);
    }
    if (database.isTransaction) database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
  return Object.keys(found).length === 0 ? null : found;
}

function moveRows(database: DatabaseSync, table: string, isBad: string): number {
  const kept = `set_aside_v${SCHEMA_VERSION}_${table}`;
  database.exec(
    `CREATE TABLE IF NOT EXISTS ${kept} AS SELECT * FROM ${table} WHERE 0; CREATE TEMP TABLE bad AS SELECT * FROM ${table} WHERE ${isBad}`,
  );
  database.exec(`INSERT INTO ${kept} SELECT * FROM bad`);
  const key = TABLES.find(({ name }) => name === table)!.key; // the caller walks TABLES
  const { changes } = database.prepare(`DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM bad)`).run();
  database.exec('DROP TABLE bad');
  return Number(changes);
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
