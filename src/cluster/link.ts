// The way of messages to one other broker, while it lives.
//
//   our broker                                                                      NATS          the other broker
//   session "cluster.to.PEER" <--- in-process stream ---> client | client <--- NatsStream ---> session "cluster.from.US"
//                                  PUBLISH id, QoS 1 or 2  ------------------------------------>  kept there as any client's
//                                  PUBACK, PUBREC, PUBCOMP <------------------------------------  when it is durable there
//
// The session here is the durable outbox: it keeps what waits, and forgets a message only when the other broker has acknowledged it by
// its own rules. Packet identifiers go over as they are, so that the session there knows a QoS 2 message that comes twice, after the power
// has gone too. NATS only carries bytes: nothing depends on what it keeps.

import type { Duplex } from 'node:stream';
import { reasonOf } from '../base/errors.ts';
import type { Broker } from '../broker/broker.ts';
import { Flow, type FlowMap, type FlowWatcher } from '../broker/client/flow.ts';
import { inProcessStream } from '../broker/client/in-process-stream.ts';
import { type ClientOwner, MqttClient } from '../broker/client/mqtt-client.ts';
import { groupMark } from '../broker/delivery/shared-group.ts';
import type { ConnectionOrigin } from '../broker/options.ts';
import { MAX_REMAINING_LENGTH } from '../mqtt/decoder.ts';
import { PACKET_TYPE } from '../mqtt/packet-types.ts';
import type { ConnectPacket } from '../mqtt/packets.ts';
import { REASON } from '../mqtt/reason-codes.ts';
import { isSharedFilter, parseSharedFilter } from '../mqtt/topics.ts';
import type { Wish } from './interest.ts';
import { sessionFrom, sessionTo } from './options.ts';
import { limitPeerSession } from './peer-session.ts';

/** Bytes of a whole packet, whatever its size may be. */
const ANY_SIZE = MAX_REMAINING_LENGTH + 5;
/** Filters of one SUBSCRIBE to our own broker, which takes FILTERS_MAX: each waits for the disk. */
const FILTERS_AT_ONCE = 2000;
/** Shared subscriptions that wait for SUBACK at once: each has a SUBSCRIBE of its own, for its subscription identifier. */
const SHARED_AT_ONCE = 500;
/** Seconds that a broker is expected back: longer absent, and both forget the session of the other. */
const KEPT_SECONDS = 7 * 86_400;
/** Seconds after which a silent link is given up, by PINGREQ. */
const KEEP_ALIVE = 10;

/** Topics have the same names at all brokers. */
const AS_IT_IS: FlowMap = { wayOf: (topic) => ({ topic, bytes: topic.bytes, isSame: true, isMutual: false }) };

const AS_CARRIED = { retainAsPublished: true, retainHandling: 2 } as const;

/** LinkWatcher counts. */
export interface LinkWatcher extends FlowWatcher {
  refusedFilter(topicFilter: string, reasonCode: number): void;
}

export interface LinkSetup {
  readonly broker: Broker;
  /** Our own name. */
  readonly id: string;
  readonly peer: string;
  readonly origin: ConnectionOrigin;
  readonly watcher: LinkWatcher;
}

/** Link is open until `closed` resolves. */
export class Link {
  readonly #setup: LinkSetup;
  readonly #remote: MqttClient;
  readonly #local: MqttClient;
  #flow: Flow | null = null;
  #settle: (reason: string | null) => void = () => {};
  /** With the reason in words; null = by `close`. */
  readonly closed: Promise<string | null>;
  /** Changes of what the other broker wants come one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(stream: Duplex, setup: LinkSetup) {
    this.#setup = setup;
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#remote = new MqttClient(stream, this.#remoteOwner(), ANY_SIZE);
    const [near, far] = inProcessStream();
    this.#local = new MqttClient(near, this.#localOwner(), ANY_SIZE);
    this.#local.filtersAtOnce = FILTERS_AT_ONCE;
    setup.broker.open(far, setup.origin);
  }

  /** open signs in at both ends; throws where one does not take us. Messages flow from then on. */
  async open(): Promise<void> {
    const { id, peer } = this.#setup;
    try {
      const { properties } = await this.#remote.connect(connectAs(sessionFrom(id), KEEP_ALIVE));
      this.#remote.release();
      this.#flow = this.#flowFor(properties.retainAvailable !== 0);
      await this.#local.connect(connectAs(sessionTo(peer), 0, properties.receiveMaximum));
      limitPeerSession(this.#setup.broker, peer);
      this.#local.release();
    } catch (error) {
      this.#end(reasonOf(error));
      throw error;
    }
  }

  /** replace has all that the other broker wants, and nothing else. */
  replace(wishes: readonly Wish[]): Promise<void> {
    const had = this.#setup.broker.sessions.get(sessionTo(this.#setup.peer))?.subscriptions;
    const wanted = new Set(wishes.map(([topicFilter]) => topicFilter));
    const gone = [...(had?.keys() ?? [])].filter((topicFilter) => !wanted.has(topicFilter)).map((topicFilter): Wish => [topicFilter, -1]);
    const others = wishes.filter(([topicFilter, qos, members]) => members !== undefined || had?.get(topicFilter)?.qos !== qos);
    return this.change([...gone, ...others]);
  }

  /** change takes what the other broker wants more, less or otherwise. A link that is closed takes nothing. */
  change(wishes: readonly Wish[]): Promise<void> {
    this.#turn = this.#turn.then(() => this.#subscribe(wishes)).catch((error: unknown) => this.#end(reasonOf(error)));
    return this.#turn;
  }

  close(): void {
    this.#end(null);
  }

  async #subscribe(wishes: readonly Wish[]): Promise<void> {
    const gone = wishes.filter(([, qos]) => qos < 0).map(([topicFilter]) => topicFilter);
    const shared = wishes.filter(([topicFilter]) => isSharedFilter(topicFilter));
    const requests = wishes.flatMap(([topicFilter, qos]) =>
      qos === -1 || isSharedFilter(topicFilter) ? [] : [{ ...{ topicFilter, qos, noLocal: true }, ...AS_CARRIED }],
    );
    if (gone.length > 0) await this.#local.unsubscribe(gone);
    for (let at = 0; at < shared.length; at += SHARED_AT_ONCE)
      await Promise.all(shared.slice(at, at + SHARED_AT_ONCE).map((wish) => this.#share(wish)));
    const codes = requests.length === 0 ? [] : await this.#local.subscribe(requests);
    for (const [at, { topicFilter }] of requests.entries()) {
      const code = codes[at] ?? REASON.UNSPECIFIED_ERROR;
      if (code >= 0x80) this.#setup.watcher.refusedFilter(topicFilter, code);
    }
  }

  /** Our session for the other broker is a member of the group here, for as many as there are connected there. */
  async #share([filter, qos, members = 1]: Wish): Promise<void> {
    const share = parseSharedFilter(filter);
    if (share === null || qos === -1) return;
    const { broker, peer, watcher } = this.#setup;
    const { group, topicFilter } = share;
    const session = broker.sessions.get(sessionTo(peer));
    if (session?.subscriptions.get(filter)?.qos !== qos) {
      const identifier = groupMark(group, topicFilter);
      const request = { ...{ topicFilter: filter, qos, noLocal: false }, ...AS_CARRIED }; // [MQTT-3.8.3-4]
      const [code = REASON.UNSPECIFIED_ERROR] = await this.#local.subscribe([request], { subscriptionIdentifier: [identifier] });
      if (code >= 0x80) return watcher.refusedFilter(filter, code);
    }
    const own = broker.sessions.get(sessionTo(peer));
    if (own !== null) broker.tree.group(group, topicFilter).weigh(own, members);
  }

  #end(reason: string | null): void {
    this.#settle(reason);
    this.#local.close();
    this.#remote.close();
  }

  #flowFor(takesRetain: boolean): Flow {
    const { broker, watcher } = this.#setup;
    return new Flow({
      ...{ direction: 'out', from: this.#local, to: this.#remote },
      ...{ topics: broker.topics, map: AS_IT_IS, terms: { maximumQos: 2, takesRetain }, aliases: 0, guard: null, watcher },
    });
  }

  #localOwner(): ClientOwner {
    return {
      published: (buffer, start, body, end) => this.#flow!.take(buffer, start, body, end), // made before the release
      acknowledged: (type, packetId, reasonCode) => {
        if (type === PACKET_TYPE.PUBREL) this.#flow!.released(packetId, reasonCode); // as above
      },
      chunkTaken: () => {
        this.#flow?.flush();
        this.#remote.flush();
        if (this.#remote.isCongested) this.#local.pause();
      },
      drained: () => this.#remote.resume(),
      closed: (error) => this.#end(error === null ? null : `our own broker ends it: ${error.message}`),
    };
  }

  #remoteOwner(): ClientOwner {
    return {
      published: () => {}, // that session subscribes to nothing
      acknowledged: (type, packetId, reasonCode) => {
        if (type !== PACKET_TYPE.PUBREL) this.#flow?.answered(type, packetId, reasonCode);
      },
      chunkTaken: () => {
        this.#local.flush();
        if (this.#local.isCongested) this.#remote.pause();
      },
      drained: () => this.#local.resume(),
      closed: (error) => this.#end(error === null ? null : error.message),
    };
  }
}

function connectAs(clientId: string, keepAlive: number, receiveMaximum?: number): ConnectPacket {
  return {
    version: 5,
    bridge: false,
    cleanStart: false,
    keepAlive,
    clientId,
    will: null,
    username: null,
    password: null,
    properties: { sessionExpiryInterval: KEPT_SECONDS, ...(receiveMaximum === undefined ? {} : { receiveMaximum }) },
  };
}
