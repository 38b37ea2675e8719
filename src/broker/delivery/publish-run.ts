// The fast path: QoS 0 messages that stand one behind the other in a chunk, all of one topic, go to each subscriber with one copy.
//
//   chunk   | PUBLISH a/b | PUBLISH a/b | PUBLISH a/b | PUBLISH c/d | ...
//           '---------- one run, copied whole --------'
//
// A publisher that is faster than the event loop turns fills its chunks like that; one at a time, a run is one packet long.
// Only packets whose bytes can go out as they came are taken: no DUP, no RETAIN, and in MQTT 5 no properties.

import { type Block, type Piece, takeBlock } from '../../mqtt/block.ts';
import type { ProtocolVersion } from '../../mqtt/packet-types.ts';
import { variableByteIntegerLength, writeVariableByteInteger } from '../../mqtt/properties.ts';
import { readPublish } from '../../mqtt/publish-packet.ts';
import { BYTES_SHIFT } from '../connection/fair-turns.ts';
import { LARGE_PAYLOAD, Message, NEVER, NO_PROPERTIES, type Publisher } from '../message.ts';
import type { Topic } from '../topic.ts';
import type { Framing } from '../transport.ts';
import { type Deliverer, deliverTo, deliverToOthers } from './delivery.ts';

const NO_BYTES = Buffer.alloc(0);
/** Packets after which a run is weighed: until then it is short enough, whoever gets it. */
const WEIGHED_AFTER = 16;
/** Deliveries of single messages that a run may make; where each subscriber gets the whole run with one copy, it may be as long as the chunk. */
const DELIVERIES_MAX = 1000;
/** More packets than a chunk has. Not Infinity: V8 keeps a small integer in the object itself. */
const ANY_NUMBER = 1_000_000;
/** Bytes of a run from which on one copy of it is shared by all subscribers. */
const SHARED_MIN = 4096;
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
  /** The block that the packet handled now lies in, or null. */
  readonly lentBlock: Block | null;
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
  /** The block that it lies in, or null. */
  #lent: Block | null = null;
  /** What subscribers of each kind get; for the time of `flush`. */
  readonly #forms: RunForm[] = [];
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
    const isShort = this.#end - this.#start < SHARED_MIN;
    let effort = 0;
    let messages: Message[] | null = null;
    for (let index = 0; index < subscribers.length; index++) {
      const subscription = subscribers[index]!; // index < length
      const connection = subscription.session.connection;
      if (
        connection !== null &&
        subscription.plain &&
        connection.output.isPlain &&
        this.#largest + OTHER_FORM_GROWTH <= connection.output.maximumPacketSize &&
        (this.#largest < LARGE_PAYLOAD || ((connection.version === 5) === version5 && connection.output.framing === null))
      ) {
        effort += copied;
        const { output } = connection;
        if (isShort && (connection.version === 5) === version5 && output.framing === null) {
          output.sendRun(this.#buffer, this.#start, this.#end, null, count, this.#payloadBytes);
        } else {
          const { bytes, start, end, block } = this.#formFor(connection.version === 5, output.framing, version5, count);
          output.sendRun(bytes, start, end, block, count, this.#payloadBytes);
        }
      } else if (connection !== null || broker.options.queueQos0Messages || subscription.session.upgradesQos) {
        messages ??= this.#messages(publisher, topic, version5);
        effort += count;
        for (const message of messages) deliverTo(subscription, message);
      }
    }
    broker.effort.spent += effort + count * (route.shared?.length ?? 0);
    if (route.shared !== null || route.listeners !== null) {
      messages ??= this.#messages(publisher, topic, version5);
      for (const message of messages) deliverToOthers(broker, route, message);
    }
    if (messages !== null) for (const message of messages) message.endSharing();
    while (this.#forms.length > 0) this.#forms.pop()!.piece.block?.release(); // length > 0
  }

  #begin(connection: RunPublisher, topic: Topic, buffer: Buffer, start: number): void {
    this.#publisher = connection;
    this.#topic = topic;
    this.#buffer = buffer;
    this.#start = start;
    this.#payloadBytes = 0;
    this.#largest = 0;
    this.#lent = connection.lentBlock;
    this.#most = WEIGHED_AFTER;
    this.#isWeighed = false;
  }

  /** The run as it goes to subscribers of a kind, made once for all of them. */
  #formFor(version5: boolean, framing: Framing | null, own5: boolean, count: number): Piece {
    const forms = this.#forms;
    for (let index = 0; index < forms.length; index++) {
      const form = forms[index]!; // index < length
      if (form.version5 === version5 && form.framing === framing) return form.piece;
    }
    const piece = version5 === own5 && framing === null ? this.#asItCame() : this.#rewritten(own5, version5, framing, count);
    forms.push({ version5, framing, piece });
    return piece;
  }

  #asItCame(): Piece {
    const lent = this.#lent;
    const [start, end] = [this.#start, this.#end];
    if (lent !== null && lent.bytes === this.#buffer) {
      lent.retain();
      return { bytes: this.#buffer, start, end, block: lent };
    }
    const block = takeBlock(end - start);
    this.#buffer.copy(block.bytes, 0, start, end);
    return { bytes: block.bytes, start: 0, end: end - start, block };
  }

  /** In frames, and with an empty property list put in or left out. */
  #rewritten(from5: boolean, to5: boolean, framing: Framing | null, count: number): Piece {
    const growth = OTHER_FORM_GROWTH + (framing === null ? 0 : framing.headerSize(this.#largest + OTHER_FORM_GROWTH));
    const block = takeBlock(this.#end - this.#start + count * growth);
    const { bytes } = block;
    let at = 0;
    this.#eachPacket((buffer, start, body, end) => {
      const remaining = end - body + (from5 === to5 ? 0 : to5 ? 1 : -1);
      const length = 1 + variableByteIntegerLength(remaining) + remaining;
      if (framing !== null) {
        framing.writeHeader(bytes, at, length);
        at += framing.headerSize(length);
      }
      if (from5 === to5) {
        at += buffer.copy(bytes, at, start, end);
        return;
      }
      const topicEnd = body + 2 + ((buffer[body]! << 8) | buffer[body + 1]!);
      bytes[at++] = buffer[start]!;
      at = writeVariableByteInteger(bytes, at, remaining);
      at += buffer.copy(bytes, at, body, topicEnd);
      if (to5) bytes[at++] = 0; // no properties
      at += buffer.copy(bytes, at, from5 ? topicEnd + 1 : topicEnd, end);
    });
    return { bytes, start: 0, end: at, block };
  }

  /** The run as messages, for those who need more than bytes. */
  #messages(publisher: RunPublisher, topic: Topic, version5: boolean): Message[] {
    const messages: Message[] = [];
    this.#eachPacket((buffer, start, body, end) => {
      const packet = readPublish(buffer, start, body, end, version5);
      const message = new Message(topic, packet, NO_PROPERTIES, NEVER, publisher.session, this.#lent);
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

/** RunForm is the run as bytes for a version of the protocol and a transport. */
interface RunForm {
  readonly version5: boolean;
  readonly framing: Framing | null;
  readonly piece: Piece;
}
