// The fast path: QoS 0 messages that stand one behind the other in a chunk, all of one topic, go to each subscriber with one copy.
//
//   chunk   | PUBLISH a/b | PUBLISH a/b | PUBLISH a/b | PUBLISH c/d | ...
//           '---------- one run, copied whole --------'
//
// A publisher that is faster than the event loop turns fills its chunks like that; one at a time, a run is one packet long.
// Only packets whose bytes can go out as they came are taken: no DUP, no RETAIN, and in MQTT 5 no properties.

import type { ProtocolVersion } from '../../mqtt/packet-types.ts';
import { encodeVariableByteInteger } from '../../mqtt/properties.ts';
import { readPublish } from '../../mqtt/publish-packet.ts';
import { BYTES_SHIFT } from '../connection/fair-turns.ts';
import { Message, NEVER, NO_PROPERTIES, type Publisher } from '../message.ts';
import type { Topic } from '../topic.ts';
import { type Deliverer, deliverTo, deliverToOthers } from './delivery.ts';

const NO_BYTES = Buffer.alloc(0);
/** Packets after which a run is weighed: until then it is short enough, whoever gets it. */
const WEIGHED_AFTER = 16;
/** Deliveries of single messages that a run may make; where each subscriber gets the whole run with one copy, it may be as long as the chunk. */
const DELIVERIES_MAX = 1000;
/** More packets than a chunk has. Not Infinity: V8 keeps a small integer in the object itself. */
const ANY_NUMBER = 1_000_000;
/** Bytes that a packet can have more in the other protocol's form: an empty property list, and a Remaining Length that grows with it. */
const OTHER_FORM_GROWTH = 2;

/** What became of a packet: it goes the long way, it is one more of the run, or it is taken and work was done, so that others may have to go first. */
export const NOT_TAKEN = 0;
export const JOINED = 1;
export const WORKED = 2;
export type Taken = typeof NOT_TAKEN | typeof JOINED | typeof WORKED;

/** RunPublisher is the connection that a run comes from. */
export interface RunPublisher {
  readonly version: ProtocolVersion;
  readonly session: Publisher | null;
  topicNamed(buffer: Buffer, start: number, end: number): Topic;
  mayPublish(topic: Topic): boolean;
}

/** PublishRun is used again and again: it never outlives the chunk it points into. */
export class PublishRun {
  readonly #broker: Deliverer;
  #publisher: RunPublisher | null = null;
  #topic: Topic | null = null;
  #buffer: Buffer = NO_BYTES;
  #start = 0;
  #end = 0;
  #count = 0;
  #payloadBytes = 0;
  /** Bytes of its largest packet. */
  #largest = 0;
  /** Packets after which the run ends, or is weighed first. */
  #most = WEIGHED_AFTER;
  #isWeighed = false;

  constructor(broker: Deliverer) {
    this.#broker = broker;
  }

  /** take adds buffer[start, end), a PUBLISH with first byte 0x30, to the run. */
  take(connection: RunPublisher, buffer: Buffer, start: number, body: number, end: number): Taken {
    const topicStart = body + 2;
    if (topicStart > end) return NOT_TAKEN;
    const topicEnd = topicStart + ((buffer[body]! << 8) | buffer[body + 1]!);
    let payloadStart = topicEnd;
    if (connection.version === 5) {
      if (topicEnd === topicStart || buffer[topicEnd] !== 0) return NOT_TAKEN; // alias or properties
      payloadStart++;
    }
    if (payloadStart > end) return NOT_TAKEN;
    const topic = connection.topicNamed(buffer, topicStart, topicEnd);
    if (!connection.mayPublish(topic)) return NOT_TAKEN;
    let taken: Taken = JOINED;
    if (this.#count === 0) this.#begin(connection, topic, buffer, start);
    else if (buffer !== this.#buffer || start !== this.#end || topic !== this.#topic || connection !== this.#publisher) {
      this.flush();
      this.#begin(connection, topic, buffer, start);
      taken = WORKED;
    }
    this.#end = end;
    this.#count++;
    this.#payloadBytes += end - payloadStart;
    if (end - start > this.#largest) this.#largest = end - start;
    return this.#count < this.#most ? taken : this.#outgrow();
  }

  #outgrow(): Taken {
    if (!this.#isWeighed) {
      this.#isWeighed = true;
      const deliveries = this.#singleDeliveries();
      this.#most = deliveries === 0 ? ANY_NUMBER : Math.max(WEIGHED_AFTER, Math.floor(DELIVERIES_MAX / deliveries));
      if (this.#count < this.#most) return JOINED;
    }
    this.flush();
    return WORKED;
  }

  /** How many subscribers get the messages one by one. */
  #singleDeliveries(): number {
    const { subscribers, shared, listeners } = this.#broker.tree.routeOf(this.#topic!); // count > 0
    let count = (shared?.length ?? 0) + (listeners?.length ?? 0);
    for (let index = 0; index < subscribers.length; index++) {
      const { session, plain } = subscribers[index]!; // index < length
      if (!plain || session.connection?.output.isPlain !== true) count++;
    }
    return count;
  }

  /** flush delivers the run. Anything else that a connection does comes after what it published before. */
  flush(): void {
    if (this.#count === 0) return;
    const broker = this.#broker;
    const counters = broker.counters;
    const publisher = this.#publisher!; // count > 0
    const topic = this.#topic!;
    const count = this.#count;
    this.#count = 0;
    counters.packetsReceived += count;
    counters.publishReceived += count;
    counters.publishBytesReceived += this.#payloadBytes;
    const route = broker.tree.routeOf(topic);
    const subscribers = route.subscribers;
    const version5 = publisher.version === 5;
    const copied = 1 + ((this.#end - this.#start) >> BYTES_SHIFT);
    let effort = 0;
    let other: Buffer | null = null; // the run in the other protocol's form
    let messages: Message[] | null = null;
    for (let index = 0; index < subscribers.length; index++) {
      const subscription = subscribers[index]!; // index < length
      const connection = subscription.session.connection;
      if (
        connection !== null &&
        subscription.plain &&
        connection.output.isPlain &&
        this.#largest + OTHER_FORM_GROWTH <= connection.output.maximumPacketSize
      ) {
        effort += copied;
        if ((connection.version === 5) === version5) {
          connection.output.sendRun(this.#buffer, this.#start, this.#end, count, this.#payloadBytes);
        } else {
          other ??= this.#converted(version5);
          connection.output.sendRun(other, 0, other.length, count, this.#payloadBytes);
        }
      } else if (connection !== null || broker.options.queueQos0Messages || subscription.session.upgradesQos) {
        messages ??= this.#messages(publisher, topic, version5);
        effort += count;
        for (const message of messages) deliverTo(subscription, message);
      }
    }
    broker.effort.spent += effort + count * (route.shared?.length ?? 0);
    if (route.shared === null && route.listeners === null) return;
    messages ??= this.#messages(publisher, topic, version5);
    for (const message of messages) deliverToOthers(broker, route, message);
  }

  #begin(connection: RunPublisher, topic: Topic, buffer: Buffer, start: number): void {
    this.#publisher = connection;
    this.#topic = topic;
    this.#buffer = buffer;
    this.#start = start;
    this.#payloadBytes = 0;
    this.#largest = 0;
    this.#most = WEIGHED_AFTER;
    this.#isWeighed = false;
  }

  /** The run as it goes to subscribers of the other protocol: an empty property list put in or left out. */
  #converted(version5: boolean): Buffer {
    const parts: Buffer[] = [];
    this.#eachPacket((buffer, start, body, end) => {
      const topicEnd = body + 2 + ((buffer[body]! << 8) | buffer[body + 1]!);
      const payload = buffer.subarray(version5 ? topicEnd + 1 : topicEnd, end);
      const length = end - body + (version5 ? -1 : 1);
      parts.push(buffer.subarray(start, start + 1), encodeVariableByteInteger(length), buffer.subarray(body, topicEnd));
      parts.push(version5 ? NO_BYTES : EMPTY_PROPERTIES, payload);
    });
    return Buffer.concat(parts);
  }

  /** The run as messages, for those who need more than bytes. */
  #messages(publisher: RunPublisher, topic: Topic, version5: boolean): Message[] {
    const messages: Message[] = [];
    this.#eachPacket((buffer, start, body, end) => {
      const packet = readPublish(buffer, start, body, end, version5);
      const message = new Message(topic, packet, NO_PROPERTIES, NEVER, publisher.session);
      message.adoptFrame(packet, version5);
      messages.push(message);
    });
    return messages;
  }

  #eachPacket(visit: (buffer: Buffer, start: number, body: number, end: number) => void): void {
    const buffer = this.#buffer;
    let start = this.#start;
    while (start < this.#end) {
      let body = start + 1;
      let remaining = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = buffer[body++]!; // whole packets only
        remaining |= (byte & 0x7f) << shift;
        if (byte < 0x80) break;
      }
      visit(buffer, start, body, body + remaining);
      start = body + remaining;
    }
  }
}

const EMPTY_PROPERTIES = Buffer.from([0]);
