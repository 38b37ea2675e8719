// One direction between two brokers, as a bridge has two: messages from one end to the other, and the acknowledgements of those messages back.
//
//   from                          to
//   PUBLISH id, QoS 2  ------->  PUBLISH id, QoS 2         The other end keeps the packet identifier, so that nothing of an exchange
//   PUBREC id          <-------  PUBREC id                 is remembered here: after a cut, or after the power has gone, both brokers
//   PUBREL id          ------->  PUBREL id                 find their exchanges as they left them, and none is done twice.
//   PUBCOMP id         <-------  PUBCOMP id
//
// Packets whose bytes go over as they are and that stand one behind the other are copied at once.

import { FIRST_BYTE, PACKET_TYPE, type Qos } from '../../mqtt/packet-types.ts';
import { encodeProperties } from '../../mqtt/properties.ts';
import { type PublishPacket, readPublish } from '../../mqtt/publish-packet.ts';
import { MalformedPacket, protocolError, REASON, type ReasonCode } from '../../mqtt/reason-codes.ts';
import { encodeFrame, firstByte } from '../message.ts';
import type { Topic, TopicCache } from '../topic.ts';
import type { MqttClient } from './mqtt-client.ts';

const NO_BYTES = Buffer.alloc(0);
const RETAIN = 0x01;
const QOS_BITS = 0x06;

/** Terms are what the end that gets the messages allows. */
export interface Terms {
  readonly maximumQos: Qos;
  readonly takesRetain: boolean;
}

/** Loss is why a message ends here. */
export type Loss = 'too large' | 'refused' | 'echo';

/** FlowWatcher counts. */
export interface FlowWatcher {
  passed(count: number): void;
  lost(why: Loss, topicName: string | null, reasonCode: ReasonCode): void;
}

/** Way is what becomes of the messages of one topic. */
export interface Way {
  readonly topic: Topic;
  /** The topic's name on the other side, null = its messages do not go there. */
  readonly bytes: Buffer | null;
  readonly isSame: boolean;
  /** The other side may send the same messages back: they are in the way of an echo. */
  readonly isMutual: boolean;
}

/** FlowMap gives the ways of topics. */
export interface FlowMap {
  wayOf(topic: Topic): Way;
}

/** FlowGuard tells messages that come back from those that are new. */
export interface FlowGuard {
  lets(direction: 'in' | 'out', way: Way, packet: PublishPacket): boolean;
}

export interface FlowSetup {
  readonly direction: 'in' | 'out';
  readonly from: MqttClient;
  readonly to: MqttClient;
  readonly topics: TopicCache;
  readonly map: FlowMap;
  readonly terms: Terms;
  /** The largest topic alias that `from` may set. */
  readonly aliases: number;
  /** Null = the other end knows by itself what it must not send back. */
  readonly guard: FlowGuard | null;
  readonly watcher: FlowWatcher;
}

/** Flow belongs to one connection of a bridge. Both ends speak the same version, or 3.1 and 3.1.1, whose messages are the same. */
export class Flow {
  readonly #direction: 'in' | 'out';
  readonly #from: MqttClient;
  readonly #to: MqttClient;
  readonly #topics: TopicCache;
  readonly #map: FlowMap;
  readonly #terms: Terms;
  readonly #guard: FlowGuard | null;
  readonly #watcher: FlowWatcher;
  readonly #aliases: number;
  /** Topics that `from` has given an alias. */
  readonly #aliased = new Map<number, Buffer>();
  /** QoS 2 messages that are at their end, by packet identifier: PUBREL is answered here. */
  readonly #ended = new Set<number>();
  /** QoS 2 messages that went over with QoS 1: their PUBACK becomes a PUBREC. */
  readonly #lowered = new Set<number>();
  #way: Way | null = null;
  #buffer: Buffer = NO_BYTES;
  #start = 0;
  #end = 0;
  #count = 0;

  constructor(setup: FlowSetup) {
    this.#direction = setup.direction;
    this.#from = setup.from;
    this.#to = setup.to;
    this.#topics = setup.topics;
    this.#map = setup.map;
    this.#terms = setup.terms;
    this.#guard = setup.guard;
    this.#watcher = setup.watcher;
    this.#aliases = setup.aliases;
  }

  /** take passes a PUBLISH on, buffer[start, end). Throws MalformedPacket for what is none. */
  take(buffer: Buffer, start: number, body: number, end: number): void {
    const topicStart = body + 2;
    if (topicStart > end) throw new MalformedPacket('PUBLISH ends before its topic');
    const topicEnd = topicStart + ((buffer[body]! << 8) | buffer[body + 1]!);
    const way = topicEnd > topicStart && topicEnd <= end ? this.#wayOf(buffer, topicStart, topicEnd) : null;
    if (way === null || !this.#goesAsItIs(way, buffer, start, topicEnd, end)) {
      this.flush();
      this.#takeSlowly(readPublish(buffer, start, body, end, this.#from.version === 5, 'server'));
      return;
    }
    if (this.#count > 0 && (buffer !== this.#buffer || start !== this.#end)) this.flush();
    if (this.#count === 0) {
      this.#buffer = buffer;
      this.#start = start;
    }
    this.#end = end;
    this.#count++;
  }

  /** flush copies the run of packets, before anything else is said and before the chunk is given back. */
  flush(): void {
    if (this.#count === 0) return;
    this.#to.sendPacket(this.#buffer, this.#start, this.#end);
    this.#watcher.passed(this.#count);
    this.#count = 0;
    this.#buffer = NO_BYTES;
  }

  /** released is told of a PUBREL of `from`. */
  released(packetId: number, reasonCode: ReasonCode): void {
    if (this.#ended.delete(packetId)) this.#from.sendAck(FIRST_BYTE.PUBCOMP, packetId, REASON.SUCCESS);
    else this.#to.sendAck(FIRST_BYTE.PUBREL, packetId, reasonCode);
  }

  /** answered is told of a PUBACK, PUBREC or PUBCOMP of `to`. */
  answered(type: number, packetId: number, reasonCode: ReasonCode): void {
    if (reasonCode >= 0x80 && type !== PACKET_TYPE.PUBCOMP) this.#watcher.lost('refused', null, reasonCode);
    if (type === PACKET_TYPE.PUBACK && this.#lowered.delete(packetId)) this.#endExchange(packetId);
    else if (type === PACKET_TYPE.PUBACK) this.#from.sendAck(FIRST_BYTE.PUBACK, packetId, reasonCode);
    else if (type === PACKET_TYPE.PUBREC) this.#from.sendAck(FIRST_BYTE.PUBREC, packetId, reasonCode);
    else this.#from.sendAck(FIRST_BYTE.PUBCOMP, packetId, reasonCode);
  }

  #wayOf(buffer: Buffer, start: number, end: number): Way {
    const last = this.#way;
    if (last?.topic.equals(buffer, start, end)) return last;
    const way = this.#map.wayOf(this.#topics.lookup(buffer, start, end));
    this.#way = way;
    return way;
  }

  #goesAsItIs(way: Way, buffer: Buffer, start: number, topicEnd: number, end: number): boolean {
    const first = buffer[start]!; // the decoder has seen it
    const qos = (first & QOS_BITS) >> 1;
    if (!way.isSame || qos > this.#terms.maximumQos || end - start > this.#to.maximumPacketSize) return false;
    if ((first & RETAIN) !== 0 && !this.#terms.takesRetain) return false;
    if (this.#guard !== null && way.isMutual) return false;
    const behindTopic = topicEnd + (qos === 0 ? 0 : 2);
    if (this.#from.version !== 5) return behindTopic <= end;
    if (behindTopic >= end) return false;
    return buffer[behindTopic] === 0 || this.#aliases === 0; // properties: an end that may set no alias is our own broker
  }

  #takeSlowly(packet: PublishPacket): void {
    const way = this.#topicOf(packet);
    if (way.bytes === null) return this.#endHere(packet);
    if (this.#guard !== null && way.isMutual && !this.#guard.lets(this.#direction, way, packet)) {
      this.#watcher.lost('echo', way.topic.name, REASON.SUCCESS);
      return this.#endHere(packet);
    }
    const qos = Math.min(packet.qos, this.#terms.maximumQos) as Qos; // both are
    const frame = encodeFrame(way.bytes, packet.buffer.subarray(packet.payloadStart, packet.end), this.#propertiesOf(packet), qos > 0);
    if (frame.end > this.#to.maximumPacketSize) {
      this.#watcher.lost('too large', way.topic.name, REASON.PACKET_TOO_LARGE); // [MQTT-3.1.2-24]
      return this.#endHere(packet);
    }
    const first = firstByte(qos, packet.retain && this.#terms.takesRetain, packet.dup && qos > 0);
    this.#to.sendPublish(frame.bytes, first, frame.packetIdAt, packet.packetId);
    this.#watcher.passed(1);
    if (qos === 0) this.#endHere(packet);
    else if (qos < packet.qos) this.#lowered.add(packet.packetId);
  }

  /** By name, or by an alias of `from` [MQTT-3.3.2-7]. */
  #topicOf(packet: PublishPacket): Way {
    const alias = packet.properties?.topicAlias;
    const { buffer, topicStart, topicEnd } = packet;
    if (alias === undefined) {
      if (topicEnd === topicStart) throw new MalformedPacket('Topic Name is empty');
      return this.#wayOf(buffer, topicStart, topicEnd);
    }
    if (alias === 0 || alias > this.#aliases) throw new MalformedPacket(`Topic Alias ${alias}`, REASON.TOPIC_ALIAS_INVALID);
    if (topicEnd > topicStart) {
      const way = this.#wayOf(buffer, topicStart, topicEnd);
      this.#aliased.set(alias, way.topic.bytes);
      return way;
    }
    const known = this.#aliased.get(alias);
    if (known === undefined) throw protocolError(`Topic Alias ${alias} is not set`);
    return this.#wayOf(known, 0, known.length);
  }

  /** What goes over: all but the alias and the identifiers of subscriptions, which mean something between two only. */
  #propertiesOf({ properties }: PublishPacket): Buffer | null {
    if (this.#to.version !== 5) return null;
    if (properties === null) return NO_BYTES;
    const { topicAlias: _alias, subscriptionIdentifier: _identifiers, ...others } = properties;
    return encodeProperties(others);
  }

  /** The message goes no further: its sender is told that it has arrived. */
  #endHere({ qos, packetId }: PublishPacket): void {
    if (qos === 1) this.#from.sendAck(FIRST_BYTE.PUBACK, packetId, REASON.SUCCESS);
    if (qos === 2) this.#endExchange(packetId);
  }

  #endExchange(packetId: number): void {
    this.#ended.add(packetId);
    this.#from.sendAck(FIRST_BYTE.PUBREC, packetId, REASON.SUCCESS);
  }
}
