// One connection of a bridge while it lives: the other broker at one end, our own at the other, and a flow in each direction.
//
//   our broker                                                                    the other broker
//   session "local.ID" <--- in-process stream ---> client | client <--- socket --->
//                                                   flow out  -->
//                                                   <--  flow in
//
// The session of our broker keeps what waits: its queue, its window, its identifiers. The window is the other broker's Receive Maximum.

import type { Duplex } from 'node:stream';
import type { Logger } from '../base/logger.ts';
import type { Broker } from '../broker/broker.ts';
import { Flow, type FlowWatcher } from '../broker/client/flow.ts';
import { inProcessStream } from '../broker/client/in-process-stream.ts';
import { LinkError } from '../broker/client/link-error.ts';
import { type ClientOwner, MqttClient } from '../broker/client/mqtt-client.ts';
import { encodeFrame, firstByte } from '../broker/message.ts';
import { type ConnectionOrigin, DEFAULT_LISTENER_POLICY, receiveMaximumOf } from '../broker/options.ts';
import { BRIDGE_PROPERTY, userProperty } from '../broker/passages.ts';
import { NO_EXPIRY } from '../broker/session/expiry.ts';
import { MAX_REMAINING_LENGTH } from '../mqtt/decoder.ts';
import { FIRST_BYTE, PACKET_TYPE, type ProtocolVersion, type Qos } from '../mqtt/packet-types.ts';
import type { ConnectPacket } from '../mqtt/packets.ts';
import { REASON, type ReasonCode } from '../mqtt/reason-codes.ts';
import type { ConnackPacket } from '../mqtt/server-packets.ts';
import type { EchoGuard } from './echo-guard.ts';
import { limitQueue } from './local-session.ts';
import type { Manner } from './manner.ts';
import { BRIDGE_LISTENER, type BridgeOptions } from './options.ts';
import { TopicMap } from './topic-map.ts';
import { comesIn, goesOut, inRule, localFilter, localRequests, outRule, remoteFilter, request } from './topics.ts';

/** Bytes of a whole packet, whatever its size may be. */
const ANY_SIZE = MAX_REMAINING_LENGTH + 5;
/** What the engine takes at once from its own bridge: before MQTT 5 the other broker cannot be told less. */
const RECEIVE_MAXIMUM = 65_535;
/** Asks a midge for marks by which messages are known that come twice. */
const BRIDGE_MARK = userProperty(BRIDGE_PROPERTY, '1');

export interface LinkSetup {
  readonly options: BridgeOptions;
  readonly manner: Manner;
  readonly broker: Broker;
  readonly origin: ConnectionOrigin;
  readonly log: Logger;
  readonly guard: EchoGuard;
  readonly incoming: FlowWatcher;
  readonly outgoing: FlowWatcher;
  /** cleared gives the topics here whose retained messages were cleared while the other broker was away, once. */
  cleared(): readonly string[];
  /** refusedFilters is told of the topic filters that the other broker does not let us have, each with its reason code. */
  refusedFilters(refused: readonly (readonly [topicFilter: string, reasonCode: number])[]): void;
}

/** localOrigin is where our own broker sees a bridge come from. */
export function localOrigin({ name, localUsername }: BridgeOptions): ConnectionOrigin {
  const policy = {
    ...DEFAULT_LISTENER_POLICY,
    name: BRIDGE_LISTENER + name,
    port: 0,
    allowAnonymous: true,
    maxTopicAlias: 0,
    receiveMaximum: RECEIVE_MAXIMUM,
  };
  return { address: '', port: 0, policy, identity: localUsername, tls: null, isOwn: true };
}

/** openLink makes a connection over a stream to the other broker, with all subscriptions; throws LinkError. */
export async function openLink(stream: Duplex, setup: LinkSetup): Promise<Link> {
  const link = new Link(stream, setup);
  await link.open();
  return link;
}

/** Link is open until `closed` resolves. */
export class Link {
  readonly #setup: LinkSetup;
  readonly #remote: MqttClient;
  readonly #local: MqttClient;
  #in: Flow | null = null;
  #out: Flow | null = null;
  /** Packet identifiers that an earlier session of the other broker has used: their PUBCOMP is nobody's. */
  readonly #stale = new Set<number>();
  #settle: (error: LinkError | null) => void = () => {};
  /** closed resolves with the reason; null = by `close`. */
  readonly closed: Promise<LinkError | null>;
  #connack: ConnackPacket | null = null;
  #isClosing = false;

  constructor(stream: Duplex, setup: LinkSetup) {
    const { options, broker, origin } = setup;
    this.#setup = setup;
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#remote = new MqttClient(stream, this.#remoteOwner(), options.maxPacketSize ?? ANY_SIZE);
    const [near, far] = inProcessStream();
    this.#local = new MqttClient(near, this.#localOwner(), ANY_SIZE);
    broker.open(far, origin);
  }

  async open(): Promise<void> {
    try {
      const connack = await this.#remote.connect(this.#remoteConnect());
      this.#connack = connack;
      const isCertainlyNew = !connack.sessionPresent && this.#remote.version !== 3; // 3.1 does not say
      if (isCertainlyNew) this.#noteStale();
      await this.#local.connect(this.#localConnect(connack));
      this.#connectFlows(connack);
      this.#releaseStale();
      this.#remote.release();
      await this.#subscribeThere(connack);
      await this.#notify(connack);
      limitQueue(this.#setup.broker, this.#setup.options);
      this.#local.release();
      this.#clearThere();
      await this.#subscribeHere();
    } catch (error) {
      this.#end(error instanceof LinkError ? error : new LinkError('local', `the bridge fails: ${String(error)}`));
      throw await this.closed;
    }
  }

  /** close ends it in order. */
  close(): void {
    this.#isClosing = true;
    this.#local.close();
    if (this.#announces()) this.#sendNotification(0, '0', 0);
    this.#remote.close();
    this.#settle(null);
  }

  #end(error: LinkError | null): void {
    if (this.#isClosing) return;
    this.#settle(error);
    this.#local.close();
    this.#remote.close();
  }

  #remoteOwner(): ClientOwner {
    return {
      published: (buffer, start, body, end) => this.#in!.take(buffer, start, body, end), // set before the release
      acknowledged: (type, packetId, reasonCode) => {
        if (type === PACKET_TYPE.PUBREL) this.#in!.released(packetId, reasonCode);
        else this.#out!.answered(type, packetId, reasonCode);
      },
      chunkTaken: () => this.#chunkTaken(this.#in, this.#remote, this.#local),
      drained: () => this.#local.resume(),
      closed: (error) => this.#end(error),
    };
  }

  #localOwner(): ClientOwner {
    return {
      published: (buffer, start, body, end) => this.#out!.take(buffer, start, body, end), // as above
      acknowledged: (type, packetId, reasonCode) => {
        if (type === PACKET_TYPE.PUBREL) this.#out!.released(packetId, reasonCode);
        else if (type !== PACKET_TYPE.PUBCOMP || !this.#stale.delete(packetId)) this.#in!.answered(type, packetId, reasonCode);
      },
      chunkTaken: () => this.#chunkTaken(this.#out, this.#local, this.#remote),
      drained: () => this.#remote.resume(),
      closed: (error) => this.#end(error === null ? null : new LinkError('local', `our own broker ends it: ${error.message}`)),
    };
  }

  #chunkTaken(flow: Flow | null, from: MqttClient, to: MqttClient): void {
    flow?.flush();
    to.flush();
    if (to.isCongested) from.pause();
  }

  #remoteConnect(): ConnectPacket {
    const { options, manner, broker } = this.#setup;
    const receiveMaximum = Math.min(options.receiveMaximum ?? receiveMaximumOf(broker.options), RECEIVE_MAXIMUM);
    const { maxPacketSize, maxTopicAlias, sessionExpiry } = options;
    return {
      version: manner.version,
      bridge: manner.bridgeBit,
      cleanStart: options.cleanSession,
      keepAlive: options.keepAlive,
      clientId: options.remoteClientId,
      will: manner.will ? { topicName: options.notificationTopic, payload: Buffer.from('0'), qos: 1, retain: true, properties: {} } : null,
      username: options.remoteUsername,
      password: options.remotePassword === null ? null : Buffer.from(options.remotePassword),
      properties: {
        ...(sessionExpiry > 0 ? { sessionExpiryInterval: sessionExpiry } : {}),
        receiveMaximum,
        userProperty: BRIDGE_MARK,
        ...(maxTopicAlias > 0 ? { topicAliasMaximum: maxTopicAlias } : {}),
        ...(maxPacketSize === null ? {} : { maximumPacketSize: maxPacketSize }),
      },
    };
  }

  #localConnect({ properties }: ConnackPacket): ConnectPacket {
    const { options } = this.#setup;
    const version: ProtocolVersion = this.#remote.version === 5 ? 5 : 4; // the messages of 3.1 are those of 3.1.1
    return {
      version,
      bridge: version !== 5,
      cleanStart: options.localCleanSession,
      keepAlive: 0,
      clientId: options.localClientId,
      will: null,
      username: options.localUsername,
      password: null,
      properties: {
        userProperty: BRIDGE_MARK,
        sessionExpiryInterval: options.localCleanSession ? 0 : NO_EXPIRY,
        ...(properties.receiveMaximum === undefined ? {} : { receiveMaximum: properties.receiveMaximum }),
      },
    };
  }

  #connectFlows({ properties }: ConnackPacket): void {
    const { options, manner, broker, guard, incoming, outgoing } = this.#setup;
    const { topics } = options;
    const topicCache = broker.topics;
    const own = manner.version === 5 ? null : guard;
    if (own !== null) own.sendsBack = !manner.bridgeBit;
    const terms = {
      maximumQos: (properties.maximumQos ?? 2) as Qos, // 0 or 1
      takesRetain: options.outgoingRetain && properties.retainAvailable !== 0,
    };
    const notification = options.notifications === 'off' ? null : options.notificationTopic;
    this.#out = new Flow({
      direction: 'out',
      from: this.#local,
      to: this.#remote,
      topics: topicCache,
      map: new TopicMap(topics.filter(goesOut).map(outRule), topics.filter(comesIn).map(remoteFilter), notification),
      terms,
      aliases: 0,
      guard: own,
      watcher: outgoing,
    });
    this.#in = new Flow({
      direction: 'in',
      from: this.#remote,
      to: this.#local,
      topics: topicCache,
      map: new TopicMap(topics.filter(comesIn).map(inRule), topics.filter(goesOut).map(localFilter), notification),
      terms: { maximumQos: 2, takesRetain: broker.options.retainAvailable },
      aliases: options.maxTopicAlias,
      guard: own,
      watcher: incoming,
    });
  }

  /** The other broker has no session of ours: what we keep of its exchanges would be taken for new ones with the same identifiers. */
  #noteStale(): void {
    const { broker, options } = this.#setup;
    for (const packetId of broker.sessions.get(options.localClientId)?.incoming?.keys() ?? []) this.#stale.add(packetId);
  }

  #releaseStale(): void {
    for (const packetId of this.#stale) this.#local.sendAck(FIRST_BYTE.PUBREL, packetId, REASON.SUCCESS);
    this.#local.flush();
  }

  async #subscribeThere({ sessionPresent, properties }: ConnackPacket): Promise<void> {
    const { options, refusedFilters } = this.#setup;
    const leftOver = options.topics.filter((topic) => topic.direction === 'out').map(remoteFilter);
    const wanted = options.topics.filter(comesIn);
    const mayHaveSome = sessionPresent || this.#remote.version === 3;
    if (options.attemptUnsubscribe && mayHaveSome && leftOver.length > 0) await this.#remote.unsubscribe(leftOver);
    if (wanted.length === 0) return;
    const maximumQos = properties.maximumQos ?? 2;
    const requests = wanted.map((topic) => request(remoteFilter(topic), Math.min(topic.qos, maximumQos) as Qos, true)); // both are
    const codes = await this.#remote.subscribe(requests);
    const refused = requests.map(({ topicFilter }, at) => [topicFilter, codes[at] ?? REASON.UNSPECIFIED_ERROR] as const);
    refusedFilters(refused.filter(([, code]) => code >= 0x80));
  }

  /** Each connection takes the retained messages over anew: those of QoS 0 that changed while it was away are in no queue. */
  async #subscribeHere(): Promise<void> {
    const wanted = this.#setup.options.topics.filter(goesOut);
    if (wanted.length > 0) await this.#local.subscribe(localRequests(this.#setup.options, 0));
  }

  #clearThere(): void {
    const properties = this.#local.version === 5 ? Buffer.alloc(0) : null;
    for (const topicName of this.#setup.cleared()) {
      const { bytes } = encodeFrame(Buffer.from(topicName), Buffer.alloc(0), properties, false);
      bytes[0] = firstByte(0, true, false);
      this.#out?.take(bytes, 0, bodyOf(bytes), bytes.length);
    }
    this.#out?.flush();
    this.#remote.flush();
  }

  #announces(): boolean {
    return this.#setup.options.notifications === 'both' && this.#connack !== null;
  }

  async #notify({ properties }: ConnackPacket): Promise<void> {
    if (!this.#announces()) return;
    if (properties.maximumQos === 0) return this.#sendNotification(0, '1', 0);
    const reasonCode = await this.#remote.publishOwn((packetId) => this.#notification(1, '1', packetId));
    if (reasonCode >= 0x80) this.#setup.outgoing.lost('refused', this.#setup.options.notificationTopic, reasonCode as ReasonCode);
  }

  #sendNotification(qos: Qos, text: string, packetId: number): void {
    const packet = this.#notification(qos, text, packetId);
    this.#remote.sendPacket(packet, 0, packet.length);
  }

  #notification(qos: Qos, text: string, packetId: number): Buffer {
    const properties = this.#remote.version === 5 ? Buffer.alloc(0) : null;
    const topic = Buffer.from(this.#setup.options.notificationTopic);
    const { bytes, packetIdAt } = encodeFrame(topic, Buffer.from(text), properties, qos > 0);
    bytes[0] = firstByte(qos, this.#connack?.properties.retainAvailable !== 0, false);
    if (packetIdAt >= 0) bytes.writeUInt16BE(packetId, packetIdAt);
    return bytes;
  }
}

/** Where the body of a packet begins. */
function bodyOf(packet: Buffer): number {
  let at = 1;
  while (packet[at]! >= 0x80) at++; // a whole packet
  return at + 1;
}
