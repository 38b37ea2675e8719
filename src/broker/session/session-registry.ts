// All sessions, and their lives: adopted by a connection, left by it, expired, ended.

import { REASON } from '../../mqtt/reason-codes.ts';
import type { Connection } from '../connection/connection.ts';
import { CONNECTION_EVENT } from '../connection/connection-states.ts';
import { reportRefusal } from '../connection/refusal.ts';
import { redeliverShared } from '../delivery/delivery.ts';
import type { Subscription } from '../delivery/subscription.ts';
import type { Broker } from '../engine.ts';
import { type Account, SESSION_BYTES, SUBSCRIPTION_BYTES } from '../memory-budget.ts';
import { CLUSTER_LISTENER } from '../options.ts';
import type { LoadedSession } from '../ports.ts';
import { hashOf } from '../topic.ts';
import { NO_EXPIRY } from './expiry.ts';
import type { Session } from './session.ts';
import { publishWill, scheduleWill } from './wills.ts';

/** Keep alive is exceeded after this many times the interval [MQTT-3.1.2-22]. */
const KEEP_ALIVE_GRACE = 1.5;

/** Subscriptions of a session that ends which are taken out of the tree in one turn: some 2 ms. */
const REMOVED_AT_ONCE = 2000;

/** SessionRegistry belongs to one broker. */
export class SessionRegistry {
  readonly #broker: Broker;
  readonly #sessions = new Map<string, Session>();
  /** Those by which the brokers of a cluster bring each other messages: they are no clients. */
  readonly #links = new Set<Session>();
  /** Sessions that stay in the database, by a hash of their client id: there may be more than there is memory for. */
  readonly #left = new Set<number>();

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** clientCount counts those of clients, connected or away. */
  get clientCount(): number {
    return this.#sessions.size - this.#links.size;
  }

  /** connectedClients counts clients that are connected. */
  get connectedClients(): number {
    return this.#broker.connectedClients - this.connectedLinks;
  }

  /** connectedLinks counts connections between brokers. */
  get connectedLinks(): number {
    let count = 0;
    for (const { connection } of this.#links) if (connection !== null) count++;
    return count;
  }

  get(clientId: string): Session | null {
    return this.#sessions.get(clientId) ?? null;
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#sessions.values();
  }

  /** limitFor names the limit that keeps a client of an account out, or null; `existing` is its session, or null. */
  limitFor(
    existing: Session | null,
    clientId: string,
    account: Account,
  ): 'global_max_clients' | 'global_max_connections' | 'memory_limit' | null {
    if (existing === null && this.#left.size > 0 && this.#left.has(keyOf(clientId))) return 'memory_limit';
    if (existing === null && !this.#broker.budget.hasRoom(SESSION_BYTES, account)) return 'memory_limit';
    const { globalMaxClients, globalMaxConnections } = this.#broker.options;
    if (existing === null && globalMaxClients >= 0 && this.clientCount >= globalMaxClients) return 'global_max_clients';
    const takesOver = existing !== null && existing.connection !== null;
    if (takesOver || globalMaxConnections < 0 || this.connectedClients < globalMaxConnections) return null;
    return 'global_max_connections';
  }

  /** adopt makes a configured session live on its connection. */
  adopt(session: Session, connection: Connection): void {
    const broker = this.#broker;
    const resumes = this.#sessions.get(session.clientId) === session;
    this.#set(session);
    if (connection.connectTimer !== null) broker.wheel.cancel(connection.connectTimer);
    connection.connectTimer = null;
    broker.registerClient(connection);
    if (this.clientCount > broker.counters.clientsMaximum) broker.counters.clientsMaximum = this.clientCount;
    if (!resumes) session.journal?.dropSession(session);
    if (session.expiryInterval > 0) broker.journal?.saveSession(session);
    else {
      if (resumes) session.outgoing.forgetJournal(); // it ends with this connection, however that ends
      if (session.will !== null) broker.journal?.saveWill(session);
    }
    if (connection.keepAlive > 0) this.#watchKeepAlive(connection, connection.keepAlive * KEEP_ALIVE_GRACE);
  }

  /** logNew tells the log of a connection: when its first byte comes, for port probes and watchdogs send none. */
  logNew(connection: Connection): void {
    if (!connection.isAnnounced) return;
    this.#broker.log.log(
      'notice',
      `New connection from ${connection.remote} on port ${connection.origin.policy.port}.`,
      connection.lineSource,
    );
  }

  /** connectTimedOut ends a connection that never said CONNECT [MQTT-3.1.4, Non-normative]. */
  connectTimedOut(connection: Connection): void {
    if (connection.reactionTo(CONNECTION_EVENT.CONNECT_TIMEOUT) === 'ignore') return;
    const { connectTimeout } = this.#broker.options;
    const what = connection.reading.hasSpoken ? 'no whole CONNECT' : 'nothing';
    reportRefusal(connection, { cause: 'silent', what, seconds: connectTimeout });
    if (!connection.reading.hasSpoken) this.logNew(connection);
    connection.closeFor('exceeded timeout');
  }

  /** connectionEnding is told once when a connection is about to end, while its socket may still be open: it is nobody's any more. */
  connectionEnding(connection: Connection): void {
    const broker = this.#broker;
    const session = connection.session;
    if (connection.connectTimer !== null) broker.wheel.cancel(connection.connectTimer);
    if (connection.keepAliveTimer !== null) broker.wheel.cancel(connection.keepAliveTimer);
    this.#logEnd(connection);
    if (session === null || session.connection !== connection) return;
    session.detach();
    broker.unregisterClient(connection);
    scheduleWill(broker, session);
    if (session.expiryInterval === 0) {
      this.end(session);
      return;
    }
    session.outgoing.leave();
    broker.journal?.saveSession(session);
    this.#expireLater(session, session.expiryInterval);
  }

  /** hasRoomFor tells whether a session from before a restart can be restored: up to the whole limit, for those that lived together before come back in another order. */
  hasRoomFor({ session, subscriptions }: LoadedSession): boolean {
    const { limit, kept } = this.#broker.budget;
    const { will } = session;
    let bytes = SESSION_BYTES + (will === null ? 0 : will.topicName.length + will.payload.length);
    for (const { topicFilter } of subscriptions) bytes += SUBSCRIPTION_BYTES + topicFilter.length;
    return limit === 0 || kept + bytes <= limit;
  }

  /** leave has a session stay in the database. Its client is refused, for another session of its name would be written over it. */
  leave(clientId: string): void {
    this.#left.add(keyOf(clientId));
  }

  /** restore takes back a session from before a restart. */
  restore(session: Session): void {
    this.#set(session);
    this.#expireLater(session, Math.max(0, session.expiryInterval - session.secondsAway));
  }

  /** suspend keeps a session that has no connection as it is, for its client has connected to another broker: it does not expire, and its will is not said. */
  suspend(session: Session): void {
    const { wheel } = this.#broker;
    if (session.expiryTimer !== null) wheel.cancel(session.expiryTimer);
    if (session.will?.timer != null) wheel.cancel(session.will.timer);
    session.expiryTimer = null;
    session.will = null;
  }

  /** unsuspend has it wait for its client again. */
  unsuspend(session: Session): void {
    this.#expireLater(session, Math.max(0, session.expiryInterval - session.secondsAway));
  }

  /** handOver forgets a session that another broker has: its messages are there, so that nobody else gets them. */
  handOver(session: Session): void {
    this.suspend(session);
    session.outgoing.takeUnacknowledged();
    this.end(session);
  }

  /** end forgets a session: its subscriptions, its messages, and its will is said if it still waits. */
  end(session: Session): void {
    const broker = this.#broker;
    if (this.#sessions.get(session.clientId) === session) this.#sessions.delete(session.clientId);
    this.#links.delete(session);
    broker.budget.add(-session.countedBytes, session.account);
    session.countedBytes = 0;
    if (session.expiryTimer !== null) broker.wheel.cancel(session.expiryTimer);
    session.expiryTimer = null;
    this.#leaveTree(session);
    session.retained = null;
    session.incoming = null;
    broker.journal?.dropSession(session);
    publishWill(broker, session); // [MQTT-3.1.3-9]
    redeliverShared(broker, session.outgoing.takeUnacknowledged());
  }

  /** Tens of thousands take many turns: until then the tree leaves them out of its routes. Shared ones go at once, for their groups choose whom they give a message. */
  #leaveTree(session: Session): void {
    const { tree } = this.#broker;
    const all = [...session.subscriptions.values()];
    const plain = all.filter(({ group }) => group === null);
    session.isOver = true;
    session.subscriptions.clear();
    for (const one of all) if (one.group !== null) tree.remove(one);
    let next = 0;
    const step = (): void => {
      for (const end = Math.min(next + REMOVED_AT_ONCE, plain.length); next < end; next++) tree.remove(plain[next]!); // next < length
      if (next < plain.length) setImmediate(step);
    };
    step();
  }

  /** subscribe makes or replaces a subscription; true when it is new [MQTT-3.8.4-3]. */
  subscribe(session: Session, topicFilter: string, subscription: Subscription): boolean {
    const old = session.subscriptions.get(topicFilter);
    if (old !== undefined) this.#broker.tree.remove(old);
    this.#broker.tree.add(subscription);
    session.subscriptions.set(topicFilter, subscription);
    if (old === undefined) {
      session.subscriptionCounts.add(topicFilter, 1);
      this.#count(session);
    }
    session.journal?.saveSubscription(topicFilter, subscription);
    return old === undefined;
  }

  /** unsubscribe ends a subscription; false when there was none. */
  unsubscribe(session: Session, topicFilter: string): boolean {
    const subscription = session.subscriptions.get(topicFilter);
    if (subscription === undefined) return false;
    session.subscriptions.delete(topicFilter);
    session.subscriptionCounts.add(topicFilter, -1);
    this.#count(session);
    if (subscription.group === null) session.retained?.delete(subscription.topicFilter); // [MQTT-3.10.4-2]
    this.#broker.tree.remove(subscription);
    session.journal?.dropSubscription(session, topicFilter);
    return true;
  }

  #set(session: Session): void {
    this.#sessions.set(session.clientId, session);
    if (session.listener === CLUSTER_LISTENER) this.#links.add(session);
    this.#count(session);
  }

  /** What a session takes beside its messages, for the memory budget. */
  #count(session: Session): void {
    const { subscriptionCounts: counts, will } = session;
    const willBytes = will === null ? 0 : will.topicName.length + will.packet.payload.length;
    const bytes = SESSION_BYTES + willBytes + counts.all * SUBSCRIPTION_BYTES + counts.bytes;
    this.#broker.budget.add(bytes - session.countedBytes, session.account);
    session.countedBytes = bytes;
  }

  #expireLater(session: Session, seconds: number): void {
    if (session.expiryInterval === NO_EXPIRY) return;
    session.expiryTimer = this.#broker.wheel.after(seconds, () => {
      this.#broker.log.log('notice', `Expiring client ${session.clientId} due to timeout.`);
      if (!this.#links.has(session)) this.#broker.counters.clientsExpired++;
      this.end(session);
    });
  }

  /** One timer per connection, hung up again only when it fires: hearing from a client costs nothing. */
  #watchKeepAlive(connection: Connection, seconds: number): void {
    connection.keepAliveTimer = this.#broker.wheel.after(seconds, () => {
      const reaction = connection.reactionTo(CONNECTION_EVENT.KEEP_ALIVE_TIMEOUT);
      if (reaction === 'ignore') return;
      const silent = (this.#broker.clock.monotonic() - connection.reading.lastHeard) / 1000;
      const limit = connection.keepAlive * KEEP_ALIVE_GRACE;
      if (reaction === 'later' || connection.reading.waitsForUs) this.#watchKeepAlive(connection, limit);
      else if (silent >= limit) connection.disconnect(REASON.KEEP_ALIVE_TIMEOUT);
      else this.#watchKeepAlive(connection, limit - silent);
    });
  }

  #logEnd(connection: Connection): void {
    const broker = this.#broker;
    if (!connection.isAnnounced || isProbe(connection)) return;
    const who = connection.id === '' ? '<unknown>' : connection.id;
    const why = connection.closedFor ? `: ${connection.closedFor}` : '';
    broker.log.log('notice', `Client ${who} [${connection.remote}] disconnected${why}.`, connection.lineSource);
  }
}

function keyOf(clientId: string): number {
  const bytes = Buffer.from(clientId);
  return hashOf(bytes, 0, bytes.length, bytes.length);
}

/** Nothing was said by it and nothing was said of it. */
function isProbe(connection: Connection): boolean {
  return !connection.reading.hasSpoken && connection.closedFor !== 'exceeded timeout';
}
