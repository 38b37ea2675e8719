// An application message, made once however many get it, and the frames (PUBLISH packets as bytes) that carry it.
//
// A frame is copied into each subscriber's outbox; first byte (QoS, RETAIN, DUP) and packet identifier are patched in the copy,
// so two layouts per protocol are enough: with and without packet identifier. Where the publisher's own packet has the right
// layout, its bytes are the frame: nothing is encoded at all.
//
// A large payload is not copied per subscriber: its frames are the bytes before it, and all sockets write the one copy of it (`sharePayload`).

import { type Block, type Piece, takeBlock } from '../mqtt/block.ts';
import { ownBytes } from '../mqtt/own-bytes.ts';
import type { Qos } from '../mqtt/packet-types.ts';
import { encodeVariableByteInteger, variableByteIntegerLength } from '../mqtt/properties.ts';
import type { PublishPacket } from '../mqtt/publish-packet.ts';
import type { Account } from './memory-budget.ts';
import type { Requester } from './ports.ts';
import { Slab } from './slab.ts';
import type { Topic } from './topic.ts';

const PUBLISH = 0x30;
/** NO_PROPERTIES is what most messages have. */
export const NO_PROPERTIES = Buffer.alloc(0);

/** LARGE_PAYLOAD is the size from which a payload is written as a piece of its own: below, a copy is cheaper than a piece more for the system. */
export const LARGE_PAYLOAD = 4096;

const slab = new Slab();

/** Frame is a PUBLISH packet in bytes[start, end); of one with a large payload, what comes before that. */
export class Frame {
  readonly version5: boolean;
  readonly hasPacketId: boolean;
  bytes: Buffer;
  start: number;
  end: number;
  /** Where the packet identifier is patched in, or -1. */
  packetIdAt: number;
  /** Bytes of the payload that follows; 0 = it stands in the frame. */
  readonly rest: number;
  next: Frame | null = null;

  constructor(version5: boolean, bytes: Buffer, start: number, end: number, packetIdAt: number, rest: number) {
    this.version5 = version5;
    this.hasPacketId = packetIdAt >= 0;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.packetIdAt = packetIdAt;
    this.rest = rest;
  }

  /** size is that of the whole packet. */
  get size(): number {
    return this.end - this.start + this.rest;
  }
}

/** firstByte gives a PUBLISH packet's first byte. */
export function firstByte(qos: Qos, retain: boolean, dup: boolean): number {
  return PUBLISH | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
}

/** qosOf reads the QoS in it. */
export function qosOf(first: number): Qos {
  return ((first >> 1) & 3) as Qos; // 3 is never written
}

/** NEVER is the `expiresAt` of a message without Message Expiry Interval. */
export const NEVER = 0;

/** Publisher is the session that a message comes from, as the message knows it. */
export interface Publisher extends Requester {
  /** Who that was, also when the session is over. */
  readonly requester: Requester;
  /** Whom the memory budget counts it for. */
  readonly account: Account;
  /** Absent = it is away. */
  readonly connection: object | null;
}

/** AwaitedAck is an acknowledgement that has not gone out; it calls its followers when it has. */
export interface AwaitedAck {
  follow(follower: () => void): void;
}

/** PublishedBytes are a PUBLISH, as far as a message is made of it. */
export interface PublishedBytes {
  readonly qos: Qos;
  readonly retain: boolean;
  /** The payload is buffer[payloadStart, end). */
  readonly buffer: Buffer;
  readonly payloadStart: number;
  readonly end: number;
}

/** MessageParts make a message that does not come from the network just now. Its payload stays as it is. */
export interface MessageParts {
  readonly topic: Topic;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly payload: Buffer;
  /** As in Message; absent = none. */
  readonly properties?: Buffer;
  /** As in Message; absent = never. */
  readonly expiresAt?: number;
  readonly publisher?: Publisher | null;
}

/** Whose the bytes of a message are: the network's, who lends them for the current call; its own; or its own for long. */
const LENT = 0;
const OWN = 1;
const KEPT = 2;

/** Message does not change, but for where its bytes lie (`detach`). */
export class Message {
  readonly topic: Topic;
  readonly qos: Qos;
  readonly retain: boolean;
  /** As forwarded, in bytes without their length: without Topic Alias, Message Expiry Interval and Subscription Identifiers. */
  properties: Buffer;
  /** Milliseconds since 1970, or NEVER. */
  readonly expiresAt: number;
  /** Session that published it, or null; for No Local. */
  readonly publisher: Publisher | null;
  /** Who published it, for `check_retain_source`; null = the broker itself. */
  source: Requester | null;
  /** Names it in the store; 0 = not kept. */
  key = 0;
  /** Its number among those that go to bridges, 0 = it has none: see passages.ts. */
  passage = 0;
  /** The shared subscription that alone gets it (`groupMark`); 0 = it is for all. */
  groupMark = 0;
  /** Deliveries to kept sessions that are not acknowledged yet. */
  outstanding = 0;
  /** Deliveries that wait with it, for the memory budget. */
  holders = 0;
  /** Whom it counts for there: the first of them. */
  heldFor: Account | null = null;
  /** Called when the last of them is, and then forgotten: it holds the publisher's connection. */
  onSettled: (() => void) | null = null;
  /** The acknowledgement that its publisher waits for, while it does: what comes back to it comes behind that. */
  ack: AwaitedAck | null = null;
  #buffer: Buffer;
  #payloadStart: number;
  #payloadEnd: number;
  #frames: Frame | null = null;
  /** The publisher's own packet, while it lies in #buffer with the payload. */
  #adopted: Frame | null = null;
  /** The payload where it stays until all sockets have written it. */
  #shared: Piece | null = null;
  /** The block that the packet came in, or null. */
  #lent: Block | null;
  #holding: typeof LENT | typeof OWN | typeof KEPT = LENT;

  /** A message in lent bytes; `lent` is the block that they lie in, or null. `properties` and `expiresAt` as in the fields. */
  constructor(
    topic: Topic,
    packet: PublishedBytes,
    properties: Buffer,
    expiresAt: number,
    publisher: Publisher | null,
    lent: Block | null = null,
  ) {
    this.topic = topic;
    this.qos = packet.qos;
    this.retain = packet.retain;
    this.properties = properties;
    this.expiresAt = expiresAt;
    this.publisher = publisher;
    this.source = publisher === null ? null : publisher.requester;
    this.#buffer = packet.buffer;
    this.#payloadStart = packet.payloadStart;
    this.#payloadEnd = packet.end;
    this.#lent = lent;
  }

  /** of makes a message of parts. */
  static of(parts: MessageParts): Message {
    const { topic, qos, retain, payload, properties = NO_PROPERTIES, expiresAt = NEVER, publisher = null } = parts;
    const packet = { qos, retain, buffer: payload, payloadStart: 0, end: payload.length };
    const message = new Message(topic, packet, properties, expiresAt, publisher);
    message.#holding = OWN;
    return message;
  }

  /** expiringBy gives a message that is the same but expires at a time, in milliseconds since 1970, or itself when it expires before. */
  expiringBy(time: number): Message {
    if (this.expiresAt !== NEVER && this.expiresAt <= time) return this;
    const { topic, qos, retain, properties, publisher } = this;
    const own = Message.of({ topic, qos, retain, payload: ownBytes(this.payload), properties, expiresAt: time, publisher });
    own.source = this.source;
    return own;
  }

  /** settleOne notes that a kept session has it. */
  settleOne(): void {
    this.outstanding--;
    if (this.outstanding > 0 || this.onSettled === null) return;
    const settled = this.onSettled;
    this.onSettled = null;
    settled();
  }

  get payload(): Buffer {
    return this.#buffer.subarray(this.#payloadStart, this.#payloadEnd);
  }

  get payloadLength(): number {
    return this.#payloadEnd - this.#payloadStart;
  }

  /** rest is what frames leave out of the payload: all of a large one, else nothing. Bytes. */
  get rest(): number {
    const length = this.#payloadEnd - this.#payloadStart;
    return length < LARGE_PAYLOAD ? 0 : length;
  }

  /** adoptFrame makes the publisher's own packet a frame of this message. */
  adoptFrame(packet: PublishPacket, version5: boolean): void {
    const { rest } = this;
    this.#adopted = new Frame(version5, packet.buffer, packet.start, packet.end - rest, packet.packetIdAt, rest);
    this.#frames = this.#adopted;
  }

  /** sharePayload gives a payload where it may be written from later. It is the message's until `endSharing`; who writes it retains its block. */
  sharePayload(): Piece {
    if (this.#holding !== LENT) return { bytes: this.#buffer, start: this.#payloadStart, end: this.#payloadEnd, block: null };
    this.#shared ??= this.#copyToShare();
    return this.#shared;
  }

  #copyToShare(): Piece {
    const lent = this.#lent;
    if (lent !== null && lent.bytes === this.#buffer) {
      lent.retain();
      return { bytes: lent.bytes, start: this.#payloadStart, end: this.#payloadEnd, block: lent };
    }
    const block = takeBlock(this.payloadLength);
    this.#buffer.copy(block.bytes, 0, this.#payloadStart, this.#payloadEnd);
    return { bytes: block.bytes, start: 0, end: this.payloadLength, block };
  }

  /** endSharing is called when all have been told who are told at once: from then on only those who retained the block have it. */
  endSharing(): void {
    this.#lent = null;
    this.#shared?.block?.release();
    this.#shared = null;
  }

  /** detach copies the message out of the network chunk it came in. Needed before it is kept beyond the current call. */
  detach(): void {
    if (this.#holding !== LENT) return;
    this.#holding = OWN;
    const start = this.#adopted?.start ?? this.#payloadStart;
    const at = slab.copy(this.#buffer, start, this.#payloadEnd);
    this.#moveTo(slab.buffer, at, start);
  }

  /** keep detaches the message for longer than a client needs to acknowledge: out of Node's pool too, and without frames that can be made again. */
  keep(): void {
    if (this.#holding === KEPT) return;
    this.#holding = KEPT;
    const adopted = this.#adopted;
    const start = adopted?.start ?? this.#payloadStart;
    this.#moveTo(ownBytes(this.#buffer, start, this.#payloadEnd), 0, start);
    this.#frames = adopted; // the last of the list
    if (this.properties.length > 0) this.properties = ownBytes(this.properties);
  }

  /** What began at `start` begins at `at` now. */
  #moveTo(bytes: Buffer, at: number, start: number): void {
    const by = at - start;
    const adopted = this.#adopted;
    if (adopted !== null) {
      adopted.bytes = bytes;
      adopted.start += by;
      adopted.end += by;
      if (adopted.packetIdAt >= 0) adopted.packetIdAt += by;
    }
    this.#buffer = bytes;
    this.#payloadStart += by;
    this.#payloadEnd += by;
  }

  /** frame gives the packet for a protocol and layout, made at the first call. Not for messages that expire: their bytes change with time. */
  frame(version5: boolean, hasPacketId: boolean): Frame {
    for (let frame = this.#frames; frame !== null; frame = frame.next) {
      if (frame.version5 === version5 && frame.hasPacketId === hasPacketId) return frame;
    }
    const frame = encodeFrame(this.topic.bytes, this.payload, version5 ? this.properties : null, hasPacketId, this.rest);
    frame.next = this.#frames;
    this.#frames = frame;
    return frame;
  }
}

/** clearing makes the message that clears a topic's retained value, or has done so, with the key of that. */
export function clearing(topic: Topic, key: number): Message {
  const message = Message.of({ topic, qos: 0, retain: true, payload: NO_PROPERTIES });
  message.key = key;
  return message;
}

/** encodeFrame builds a PUBLISH, without its payload if `rest` says the length of that, and not 0. `properties` null = before MQTT 5; otherwise their bytes without the length. */
export function encodeFrame(topic: Buffer, payload: Buffer, properties: Buffer | null, hasPacketId: boolean, rest = 0): Frame {
  const propertiesLength = properties === null ? 0 : variableByteIntegerLength(properties.length) + properties.length;
  const remaining = 2 + topic.length + (hasPacketId ? 2 : 0) + propertiesLength + payload.length;
  const header = 1 + variableByteIntegerLength(remaining);
  const bytes = Buffer.allocUnsafe(header + remaining - rest);
  bytes[0] = PUBLISH;
  encodeVariableByteInteger(remaining).copy(bytes, 1);
  let at = bytes.writeUInt16BE(topic.length, header);
  at += topic.copy(bytes, at);
  const packetIdAt = hasPacketId ? at : -1;
  if (hasPacketId) at += 2;
  if (properties !== null) {
    at += encodeVariableByteInteger(properties.length).copy(bytes, at);
    at += properties.copy(bytes, at);
  }
  if (rest === 0) payload.copy(bytes, at);
  return new Frame(properties !== null, bytes, 0, bytes.length, packetIdAt, rest);
}
