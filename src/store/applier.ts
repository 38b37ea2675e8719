// Writes the records of one commit into the database.

import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { StoredDelivery, StoredMessage, StoredSession, StoredSubscription } from '../broker/ports.ts';
import { DELIVERY_STATES, type RecordVisitor } from './records.ts';

/** NEVER is the expiry interval of a session that does not expire. */
const NEVER = 0xffffffff;

const STATEMENTS = {
  findSession: 'SELECT id FROM session WHERE client_id = ?',
  saveSession: `INSERT INTO session (client_id, username, version, expiry_interval, disconnected_at, will_topic, will_payload, will_qos,
    will_retain, will_properties, listener) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (client_id) DO UPDATE SET username = excluded.username,
    version = excluded.version, expiry_interval = excluded.expiry_interval, disconnected_at = excluded.disconnected_at,
    will_topic = excluded.will_topic, will_payload = excluded.will_payload, will_qos = excluded.will_qos, will_retain = excluded.will_retain,
    will_properties = excluded.will_properties, listener = excluded.listener
    WHERE username IS NOT excluded.username OR version <> excluded.version OR expiry_interval <> excluded.expiry_interval
    OR disconnected_at IS NOT excluded.disconnected_at OR will_topic IS NOT excluded.will_topic OR will_payload IS NOT excluded.will_payload
    OR will_qos IS NOT excluded.will_qos OR will_retain IS NOT excluded.will_retain
    OR will_properties IS NOT excluded.will_properties OR listener IS NOT excluded.listener`,
  dropSession: 'DELETE FROM session WHERE id = ?',
  // Most clients subscribe anew with each connection: what is the same again is not written again.
  saveSubscription: `INSERT INTO subscription VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session, topic_filter) DO UPDATE SET
    mounted_filter = excluded.mounted_filter, share_group = excluded.share_group, qos = excluded.qos, no_local = excluded.no_local,
    retain_as_published = excluded.retain_as_published, identifier = excluded.identifier
    WHERE mounted_filter <> excluded.mounted_filter OR share_group IS NOT excluded.share_group OR qos <> excluded.qos
    OR no_local <> excluded.no_local OR retain_as_published <> excluded.retain_as_published OR identifier <> excluded.identifier`,
  dropSubscription: 'DELETE FROM subscription WHERE session = ? AND topic_filter = ?',
  dropSubscriptions: 'DELETE FROM subscription WHERE session = ?',
  saveMessage: 'INSERT OR IGNORE INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  dropMessage: 'DELETE FROM message WHERE key = ?',
  findDelivery: 'SELECT message FROM delivery WHERE session = ? AND position = ?',
  findDeliveries: 'SELECT message FROM delivery WHERE session = ?',
  saveDelivery: 'INSERT OR IGNORE INTO delivery VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  updateDelivery: 'UPDATE delivery SET packet_id = ?, state = ? WHERE session = ? AND position = ?',
  dropDelivery: 'DELETE FROM delivery WHERE session = ? AND position = ?',
  dropDeliveries: 'DELETE FROM delivery WHERE session = ?',
  saveIncoming: 'INSERT OR REPLACE INTO incoming VALUES (?, ?, ?)',
  dropIncoming: 'DELETE FROM incoming WHERE session = ? AND packet_id = ?',
  dropAllIncoming: 'DELETE FROM incoming WHERE session = ?',
  // A value that is the same again is not written again. Its key may stay the older one: nothing points to it.
  saveRetained: `INSERT INTO retained VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (topic_name) DO UPDATE SET key = excluded.key,
    payload = excluded.payload, qos = excluded.qos, retain = excluded.retain, properties = excluded.properties,
    expires_at = excluded.expires_at, source_client_id = excluded.source_client_id, source_username = excluded.source_username,
    source_listener = excluded.source_listener
    WHERE payload IS NOT excluded.payload OR qos <> excluded.qos OR retain <> excluded.retain OR properties IS NOT excluded.properties
    OR expires_at <> excluded.expires_at OR source_client_id IS NOT excluded.source_client_id
    OR source_username IS NOT excluded.source_username OR source_listener IS NOT excluded.source_listener`,
  dropRetained: 'DELETE FROM retained WHERE topic_name = ?',
} as const;

/** Applier is told the records of a commit inside its transaction. After a transaction that failed it must be made anew: it counts in memory. */
export class Applier implements RecordVisitor {
  readonly #statements: Record<keyof typeof STATEMENTS, StatementSync>;
  /** Messages that more than one delivery needs: how many more. A message that is not here has one. */
  readonly #shared: Map<number, number>;
  /** Messages of this commit that no delivery needs yet. */
  readonly #fresh: Set<number>;
  #clientId: string;
  /** Row of the session of the following records, null = not looked up, 0 = there is none. */
  #session: number | null;

  constructor(database: DatabaseSync) {
    const prepared = Object.entries(STATEMENTS).map(([name, sql]) => [name, database.prepare(sql)]);
    this.#statements = Object.fromEntries(prepared) as Record<keyof typeof STATEMENTS, StatementSync>; // keys are those of STATEMENTS
    this.#shared = readShared(database);
    this.#fresh = new Set();
    this.#clientId = '';
    this.#session = null;
  }

  session(clientId: string): void {
    this.#clientId = clientId;
    this.#session = null;
  }

  sessionSaved(session: StoredSession): void {
    const { username, version, expiryInterval, disconnectedAt, will, listener } = session;
    const willColumns = will
      ? [will.topicName, will.payload, will.qos, will.retain ? 1 : 0, will.properties]
      : [null, null, null, null, null];
    this.#statements.saveSession.run(session.clientId, username, version, expiryInterval, disconnectedAt, ...willColumns, listener);
    this.#session = null;
  }

  sessionDropped(): void {
    const session = this.#find();
    if (session === 0) return;
    for (const row of this.#statements.findDeliveries.all(session)) this.#release(Number(row['message']));
    this.#statements.dropDeliveries.run(session);
    this.#statements.dropSubscriptions.run(session);
    this.#statements.dropAllIncoming.run(session);
    this.#statements.dropSession.run(session);
    this.#session = 0;
  }

  subscriptionSaved(subscription: StoredSubscription): void {
    const { topicFilter, mountedFilter, group, qos, noLocal, retainAsPublished, identifier } = subscription;
    const flags = [noLocal ? 1 : 0, retainAsPublished ? 1 : 0];
    this.#statements.saveSubscription.run(this.#require(), topicFilter, mountedFilter, group, qos, ...flags, identifier);
  }

  subscriptionDropped(topicFilter: string): void {
    this.#statements.dropSubscription.run(this.#find(), topicFilter);
  }

  message(message: StoredMessage): void {
    const isNew = this.#statements.saveMessage.run(message.key, message.topicName, ...columnsOf(message)).changes === 1;
    if (isNew) this.#fresh.add(message.key);
  }

  deliverySaved(delivery: StoredDelivery, messageKey: number): void {
    const session = this.#require();
    if (this.#insert(session, delivery, messageKey)) return this.#retain(messageKey);
    const previous = Number(this.#statements.findDelivery.get(session, delivery.order)?.['message']);
    this.#statements.dropDelivery.run(session, delivery.order);
    this.#insert(session, delivery, messageKey);
    if (previous === messageKey) return;
    this.#retain(messageKey);
    this.#release(previous);
  }

  deliveryUpdated(order: number, packetId: number, state: StoredDelivery['state']): void {
    this.#statements.updateDelivery.run(packetId, DELIVERY_STATES.indexOf(state), this.#find(), order);
  }

  deliveryDropped(order: number): void {
    const session = this.#find();
    const row = this.#statements.findDelivery.get(session, order);
    if (row === undefined) return;
    this.#statements.dropDelivery.run(session, order);
    this.#release(Number(row['message']));
  }

  incomingSaved(packetId: number, digest: number): void {
    this.#statements.saveIncoming.run(this.#require(), packetId, digest);
  }

  incomingDropped(packetId: number): void {
    this.#statements.dropIncoming.run(this.#find(), packetId);
  }

  retainedSaved(message: StoredMessage): void {
    this.#statements.saveRetained.run(message.topicName, message.key, ...columnsOf(message));
  }

  retainedDropped(topicName: string): void {
    this.#statements.dropRetained.run(topicName);
  }

  #insert(session: number, delivery: StoredDelivery, messageKey: number): boolean {
    const { order, qos, retain, shared, identifiers, packetId, state } = delivery;
    const flags = [qos, retain ? 1 : 0, shared ? 1 : 0, identifiers === null ? null : identifiers.join()];
    const place = DELIVERY_STATES.indexOf(state);
    return this.#statements.saveDelivery.run(session, order, messageKey, ...flags, packetId, place).changes === 1;
  }

  #retain(messageKey: number): void {
    if (!this.#fresh.delete(messageKey)) this.#shared.set(messageKey, (this.#shared.get(messageKey) ?? 0) + 1);
  }

  #release(messageKey: number): void {
    const more = this.#shared.get(messageKey);
    if (more === undefined) this.#statements.dropMessage.run(messageKey);
    else if (more === 1) this.#shared.delete(messageKey);
    else this.#shared.set(messageKey, more - 1);
  }

  #find(): number {
    this.#session ??= Number(this.#statements.findSession.get(this.#clientId)?.['id'] ?? 0);
    return this.#session;
  }

  /** A session that damage took while it lived in memory comes back bare, so that what hangs on it is not lost too. */
  #require(): number {
    const found = this.#find();
    if (found !== 0) return found;
    const bare = { username: null, listener: '', version: 4, expiryInterval: NEVER, disconnectedAt: null, will: null } as const;
    this.sessionSaved({ clientId: this.#clientId, ...bare });
    return this.#find();
  }
}

function columnsOf({ payload, qos, retain, properties, expiresAt, source }: StoredMessage): SQLInputValue[] {
  return [
    payload,
    qos,
    retain ? 1 : 0,
    properties,
    expiresAt,
    source?.clientId ?? null,
    source?.username ?? null,
    source?.listener ?? null,
  ];
}

function readShared(database: DatabaseSync): Map<number, number> {
  const shared = new Map<number, number>();
  const rows = database.prepare('SELECT message, count(*) - 1 AS more FROM delivery GROUP BY message HAVING more > 0');
  for (const row of rows.iterate()) shared.set(Number(row['message']), Number(row['more']));
  return shared;
}
