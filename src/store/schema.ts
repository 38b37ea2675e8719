// Which database is ours, and how an older one becomes a newer one.

import type { DatabaseSync } from 'node:sqlite';
import { FIRST } from './migrations/0001-first.ts';
import { LISTENER } from './migrations/0002-listener.ts';
import { DIGEST } from './migrations/0003-digest.ts';
import { LOCATIONS } from './migrations/0004-locations.ts';
import { TRANSITIONS } from './migrations/0005-transitions.ts';

/** APPLICATION_ID marks our files (PRAGMA application_id): "MIDG" in ASCII. */
export const APPLICATION_ID = 0x4d494447;

/** MIGRATIONS: the one at place N makes version N + 1 of version N. Never changed once released, only added to. */
const MIGRATIONS: readonly string[] = [FIRST, LISTENER, DIGEST, LOCATIONS, TRANSITIONS];

/** SCHEMA_VERSION is what this program writes (PRAGMA user_version). */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** TABLES in the order in which rows can be put back: sessions and messages before what points to them. Each with the key it lies by. */
export const TABLES: readonly { readonly name: string; readonly key: string }[] = [
  { name: 'session', key: 'id' },
  { name: 'subscription', key: 'session, topic_filter' },
  { name: 'message', key: 'key' },
  { name: 'delivery', key: 'session, position' },
  { name: 'incoming', key: 'session, packet_id' },
  { name: 'retained', key: 'topic_name' },
  { name: 'phone', key: 'id' },
  { name: 'location', key: 'phone, at, kind' },
];

/** migrate brings a database to `target`, one transaction per version. The caller has checked that it is ours and not newer. */
export function migrate(database: DatabaseSync, target = SCHEMA_VERSION): void {
  for (let version = readNumber(database, 'user_version'); version < target; version++) {
    database.exec(
      `BEGIN IMMEDIATE; ${MIGRATIONS[version]} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version + 1}; COMMIT;`,
    );
  }
}

/** readNumber gives the value of a pragma that is one number. */
export function readNumber(database: DatabaseSync, pragma: string): number {
  const row = database.prepare(`PRAGMA ${pragma}`).get();
  return Number(Object.values(row ?? {})[0] ?? 0);
}
