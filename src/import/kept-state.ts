// mosquitto's database -> sessions, messages and retained values as the store keeps them.

import { digestOf } from '../broker/message-digest.ts';
import type { LoadedSession, StoredDelivery, StoredMessage, StoredSubscription } from '../broker/ports.ts';
import { makeTopic } from '../broker/topic.ts';
import { encodeProperties } from '../mqtt/properties.ts';
import { filterMatches, isReservedTopic, isSharedFilter, isTopicFilter, isTopicName, parseSharedFilter } from '../mqtt/topics.ts';
import { keptProperties } from './kept-properties.ts';
import {
  type MosquittoClient,
  type MosquittoDatabase,
  type MosquittoDelivery,
  type MosquittoMessage,
  type MosquittoSubscription,
  STATE,
} from './mosquitto-database.ts';

/** KeptState is what can be taken over; `left` says what was left out and why, with how often. */
export interface KeptState {
  readonly sessions: readonly LoadedSession[];
  readonly retained: readonly StoredMessage[];
  readonly left: ReadonlyMap<string, number>;
}

/** KeptStateOptions: `now` and `writtenAt`, when the file was written, in milliseconds since 1970; `mountPoints` of the old configuration. */
export interface KeptStateOptions {
  readonly now: number;
  readonly writtenAt: number;
  readonly mountPoints: readonly string[];
}

type Session = {
  readonly [Key in keyof LoadedSession]: LoadedSession[Key] extends readonly (infer Each)[] ? Each[] : LoadedSession[Key];
};

const NO_EXPIRY = 0xffffffff;

/** Bits of SUBSCRIBE's options, MQTT 5 3.8.3.1. */
const NO_LOCAL = 0x04;
const RETAIN_AS_PUBLISHED = 0x08;

/** keptState never fails: what cannot be kept is left out. */
export function keptState(database: MosquittoDatabase, options: KeptStateOptions): KeptState {
  const takeover = new TakeOver(database, options);
  for (const client of database.clients) takeover.addSession(client);
  for (const subscription of database.subscriptions) takeover.addSubscription(subscription);
  for (const delivery of database.deliveries) if (!delivery.incoming) takeover.addDelivery(delivery);
  for (const delivery of database.deliveries) if (delivery.incoming) takeover.addIncoming(delivery);
  for (const id of database.retained) takeover.addRetained(id);
  return takeover;
}

class TakeOver implements KeptState {
  readonly left = new Map<string, number>();
  readonly #options: KeptStateOptions;
  readonly #messages = new Map<bigint, StoredMessage>();
  readonly #sessions = new Map<string, Session>();
  readonly #packetIds = new Map<Session, Set<number>>();
  readonly #retained = new Map<string, StoredMessage>();

  constructor(database: MosquittoDatabase, options: KeptStateOptions) {
    this.#options = options;
    for (const message of database.messages.values()) this.#addMessage(message);
  }

  get sessions(): readonly LoadedSession[] {
    return [...this.#sessions.values()];
  }

  get retained(): readonly StoredMessage[] {
    return [...this.#retained.values()];
  }

  addSession({ clientId, expiresAt, expiryInterval, listenerPort }: MosquittoClient): void {
    const { now, writtenAt } = this.#options;
    const endsNever = expiryInterval === NO_EXPIRY;
    if (!endsNever && (expiryInterval === 0 || (expiresAt > 0 && expiresAt * 1000 <= now))) return this.#leave('session that has expired');
    const disconnectedAt = endsNever || expiresAt === 0 ? writtenAt : (expiresAt - expiryInterval) * 1000;
    const listener = listenerName(listenerPort);
    const session = { clientId, username: null, listener, version: endsNever ? 4 : 5, expiryInterval, disconnectedAt, will: null } as const;
    this.#sessions.set(clientId, { session, subscriptions: [], deliveries: [], incoming: [] });
  }

  addSubscription({ clientId, topicFilter: written, qos, options, identifier }: MosquittoSubscription): void {
    const session = this.#sessions.get(clientId);
    if (session === undefined) return this.#leave('subscription of a session that is not kept');
    const shared = isSharedFilter(written) ? parseSharedFilter(written) : null;
    const mountedFilter = shared?.topicFilter ?? written;
    if (!isTopicFilter(mountedFilter)) return this.#leave('subscription whose topic filter is malformed');
    const mountPoint = this.#options.mountPoints.find((start) => start !== '' && mountedFilter.startsWith(start)) ?? '';
    const asSent = mountedFilter.slice(mountPoint.length);
    const subscription: StoredSubscription = {
      topicFilter: shared === null ? asSent : `$share/${shared.group}/${asSent}`,
      mountedFilter,
      group: shared?.group ?? null,
      qos: qosOf(qos),
      noLocal: (options & NO_LOCAL) !== 0,
      retainAsPublished: (options & RETAIN_AS_PUBLISHED) !== 0,
      identifier,
    };
    session.subscriptions.push(subscription);
  }

  addDelivery(delivery: MosquittoDelivery): void {
    const { clientId, packetId, state } = delivery;
    if (delivery.qos === 0) return this.#leave('QoS 0 message, which is not kept on disk');
    const session = this.#sessions.get(clientId);
    if (session === undefined) return this.#leave('message for a session that is not kept');
    const message = this.#messages.get(delivery.message);
    if (message === undefined) return this.#leave('message that has expired or is not in the file');
    const isQueued = state === STATE.queued || packetId === 0;
    const used = this.#packetIds.get(session) ?? new Set<number>();
    this.#packetIds.set(session, used);
    if (!isQueued && used.has(packetId)) {
      return this.#leave('message with the packet identifier of another message');
    }
    if (!isQueued) used.add(packetId);
    const isReleased = state === STATE.waitForPubcomp || state === STATE.resendPubrel;
    this.#queue(session, message, {
      qos: qosOf(delivery.qos),
      retain: delivery.retain,
      identifiers: keptProperties(delivery.properties)?.subscriptionIdentifier ?? null,
      packetId: isQueued ? 0 : packetId,
      state: isQueued ? 'queued' : isReleased ? 'released' : 'sent',
    });
  }

  /** mosquitto delivers a QoS 2 message at its PUBREL, this broker when it comes: those in between are delivered now, and their PUBREL is waited for. */
  addIncoming({ clientId, packetId, state, message: id }: MosquittoDelivery): void {
    const session = this.#sessions.get(clientId);
    const message = this.#messages.get(id);
    if (state !== STATE.waitForPubrel) return this.#leave('QoS 2 message that its publisher will send again');
    if (session === undefined || message === undefined) return this.#leave('QoS 2 message of a publisher that is not kept');
    session.incoming.push([packetId, digestOf(makeTopic(message.topicName), message.payload, 0, message.payload.length)]);
    if (message.retain) this.#retain(message);
    for (const subscriber of this.#sessions.values()) this.#deliver(message, subscriber);
  }

  addRetained(id: bigint): void {
    const message = this.#messages.get(id);
    if (message === undefined) this.#leave('retained message that has expired or is not in the file');
    else if (!this.#retained.has(message.topicName)) this.#retain(message);
  }

  #addMessage(message: MosquittoMessage): void {
    const { topicName, expiresAt, payload, clientId, username, listenerPort, retain, qos } = message;
    if (!isTopicName(topicName) || isReservedTopic(topicName)) return;
    if (expiresAt > 0 && expiresAt * 1000 <= this.#options.now) return;
    const {
      messageExpiryInterval: _,
      topicAlias: __,
      subscriptionIdentifier: ___,
      ...forwarded
    } = keptProperties(message.properties) ?? {};
    this.#messages.set(message.id, {
      key: this.#messages.size + 1,
      topicName,
      payload,
      qos: qosOf(qos),
      retain,
      properties: encodeProperties(forwarded),
      expiresAt: expiresAt * 1000,
      source: clientId === '' ? null : { clientId, username: username === '' ? null : username, listener: listenerName(listenerPort) },
    });
  }

  #deliver(message: StoredMessage, session: Session): void {
    const matching = session.subscriptions.filter((one) => one.group === null && filterMatches(one.mountedFilter, message.topicName));
    if (matching.length === 0) return;
    const granted = Math.max(...matching.map((one) => one.qos));
    const identifiers = matching.map((one) => one.identifier).filter((identifier) => identifier > 0);
    this.#queue(session, message, {
      qos: qosOf(Math.min(message.qos, granted)),
      retain: message.retain && matching.some((one) => one.retainAsPublished),
      identifiers: identifiers.length > 0 ? identifiers : null,
      packetId: 0,
      state: 'queued',
    });
  }

  #queue(session: Session, message: StoredMessage, delivery: Omit<StoredDelivery, 'order' | 'shared'>): void {
    session.deliveries.push({ delivery: { order: session.deliveries.length + 1, shared: false, ...delivery }, message });
  }

  #retain(message: StoredMessage): void {
    if (message.payload.length === 0) this.#retained.delete(message.topicName);
    else this.#retained.set(message.topicName, message.retain ? message : { ...message, retain: true });
  }

  #leave(what: string): void {
    this.left.set(what, (this.left.get(what) ?? 0) + 1);
  }
}

function qosOf(value: number): 0 | 1 | 2 {
  return value === 0 ? 0 : value === 1 ? 1 : 2;
}

/** As a listener on all interfaces is called; mosquitto writes down no more than its port. */
function listenerName(port: number): string {
  return port === 0 ? '' : String(port);
}
