// What one client is told: messages, answers, and how much of it the client has not read yet.

import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Block } from '../../mqtt/block.ts';
import { REASON, type ReasonCode } from '../../mqtt/reason-codes.ts';
import type { Counters } from '../counters.ts';

import type { MemoryBudget } from '../memory-budget.ts';
import { type Frame, type Message, NEVER, qosOf } from '../message.ts';
import type { BrokerOptions, ConnectionOrigin } from '../options.ts';
import type { Passages } from '../passages.ts';
import type { Framing } from '../transport.ts';
import type { ConnectionState } from './connection-states.ts';
import { Outbox } from './outbox.ts';
import { encodeOwnPublish, type OwnReceiver } from './own-publish.ts';
import { publishInWords, sentAckInWords } from './packet-words.ts';
import type { OutgoingAliases } from './topic-aliases.ts';

/** Bytes of answers (PUBACK, PINGRESP, SUBACK, ...) that a client may leave unread before nothing more is read from it. */
const ANSWERS_MAX = 1_048_576;

/** Bytes that wait from which on they count for the memory budget: more than a socket takes without telling when it has written them. */
const COUNTED_MIN = 131_072;

/** OutputEngine is what the output of a client needs of the engine. */
export interface OutputEngine {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Logger;
  readonly options: BrokerOptions;
  readonly budget: MemoryBudget;
  readonly passages: Passages;
  scheduleFlush(output: ClientOutput): void;
  /** relieve closes the connections that have most unread. */
  relieve(): void;
}

/** OutputConnection is the connection that it belongs to. */
export interface OutputConnection extends OwnReceiver {
  readonly broker: OutputEngine;
  readonly id: string;
  readonly state: ConnectionState;
  readonly origin: Pick<ConnectionOrigin, 'framing' | 'direct'>;
  readonly session: { readonly outgoing: { readonly backlog: { noteDropped(count: number): void } } } | null;
  disconnect(reason: ReasonCode): void;
  /** drained is told when the system has taken what waited for it beside the stream. */
  drained(): void;
}

/** ClientOutput belongs to one connection. */
export class ClientOutput {
  /** Bytes of the largest packet the client takes. */
  maximumPacketSize = Number.POSITIVE_INFINITY;
  outgoingAliases: OutgoingAliases | null = null;
  /** Bytes of the mount point, cut off topics that go out. */
  mountLength = 0;
  /** It is a bridge, whose messages are marked. */
  marksMessages = false;
  /** Messages to it need nothing of their own: no alias, no mount point. */
  isPlain = true;
  /** More waits to be written than the limit: QoS 0 is dropped, QoS 1 and 2 queued. */
  isCongested = false;
  /** It is in the broker's list of connections to flush. */
  isDirty = false;
  /** How its transport wraps each packet; null = not at all. */
  readonly framing: Framing | null;
  readonly #broker: OutputEngine;
  readonly #connection: OutputConnection;
  readonly #outbox: Outbox;
  /** Bytes of answers since the client was last seen to have read them; looked at only when they are many. */
  #answerBytes = 0;
  /** Bytes that wait, where they are many enough to count for the memory budget. */
  unread = 0;
  /** Those of them that it has for this client alone: blocks count by themselves. */
  #counted = 0;

  constructor(connection: OutputConnection, stream: Duplex) {
    this.#broker = connection.broker;
    this.#connection = connection;
    const { framing = null, direct = null } = connection.origin;
    this.framing = framing;
    this.#outbox = new Outbox(this, stream, connection.broker.counters, { framing, direct });
  }

  /** pending are the bytes that wait to be written. */
  get pending(): number {
    return this.#outbox.pending;
  }

  /** gathered are the bytes that this turn has to write. */
  get gathered(): number {
    return this.#outbox.length;
  }

  /** isUnread tells that the client does not take its answers. */
  get isUnread(): boolean {
    if (this.#answerBytes > ANSWERS_MAX) this.#answerBytes = Math.min(this.#answerBytes, this.pending);
    return this.#answerBytes > ANSWERS_MAX;
  }

  /** sendPublish sends a message by its first byte (`firstByte`); false when it is too large for this client [MQTT-3.1.2-24]. QoS 0 beyond the limit is dropped and counted. */
  sendPublish(message: Message, first: number, packetId: number, identifiers: readonly number[] | null): boolean {
    const hasPacketId = qosOf(first) > 0;
    if (!hasPacketId && this.isCongested && this.#dropsQos0()) return true;
    if (this.#broker.log.enabled.debug) {
      this.#broker.log.log(
        'debug',
        `Sending PUBLISH to ${this.#connection.id} (${publishInWords(first, packetId, message.topic, message.payloadLength)})`,
      );
    }
    if (!this.isPlain || identifiers !== null || message.expiresAt !== NEVER) {
      return this.#sendOwnPublish(message, first, packetId, identifiers);
    }
    const frame = message.frame(this.#connection.version === 5, hasPacketId);
    if (frame.size > this.maximumPacketSize) return this.#dropTooLarge();
    this.#appendPublish(message, frame, first, packetId);
    return true;
  }

  #appendPublish(message: Message, { bytes, start, end, packetIdAt, rest }: Frame, first: number, packetId: number): void {
    this.#outbox.appendPublish(bytes, start, end, first, packetIdAt, packetId, rest);
    if (rest > 0) this.#outbox.appendPayload(message.sharePayload());
    this.#countPublish(message.payloadLength);
  }

  /** sendRun sends a run of whole QoS 0 PUBLISH packets, framed already; `block` as in Piece, but null = the bytes are only lent. */
  sendRun(bytes: Buffer, start: number, end: number, block: Block | null, count: number, payloadBytes: number): void {
    if (this.isCongested && this.#dropsQos0(count)) return;
    this.#outbox.appendRun(bytes, start, end, block);
    const counters = this.#broker.counters;
    counters.packetsSent += count;
    counters.publishSent += count;
    counters.publishBytesSent += payloadBytes;
    this.markDirty();
  }

  /** sendAck sends PUBACK, PUBREC, PUBREL or PUBCOMP by their first byte; a reason code other than success only to v5 clients. */
  sendAck(first: number, packetId: number, reason: ReasonCode): void {
    if (reason === REASON.SUCCESS || this.#connection.version !== 5) this.#outbox.appendAck(first, packetId);
    else this.#outbox.append(Buffer.from([first, 3, packetId >> 8, packetId & 0xff, reason]), 0, 5);
    this.#answerBytes += 4;
    this.#broker.counters.packetsSent++;
    this.markDirty();
    if (this.#broker.log.enabled.debug) this.#broker.log.log('debug', sentAckInWords(first, this.#connection.id, packetId, reason));
  }

  /** send sends an encoded packet. One that is larger than the client takes ends the connection instead [MQTT-3.1.2-24]. */
  send(packet: Buffer): void {
    if (packet.length > this.maximumPacketSize) {
      this.#connection.disconnect(REASON.PACKET_TOO_LARGE);
      return;
    }
    this.#outbox.append(packet, 0, packet.length);
    this.#answerBytes += packet.length;
    this.#broker.counters.packetsSent++;
    this.markDirty();
  }

  markDirty(): void {
    if (this.isDirty) return;
    this.isDirty = true;
    this.#broker.scheduleFlush(this);
  }

  /** flush writes the outbox: once per turn, by the broker. */
  flush(): void {
    this.isDirty = false;
    if (this.#connection.state === 'closed') return;
    this.#outbox.flush();
    this.overflowed();
  }

  /** overflowed looks whether the client still keeps up: at the end of a turn, and within it when much is written. */
  overflowed(): void {
    const { pending } = this.#outbox;
    if (pending > COUNTED_MIN || this.unread > 0) this.#count(pending);
    if (!this.isCongested && pending > this.#broker.options.maxOutgoingBytes) this.isCongested = true;
  }

  /** drained is told by the outbox. */
  drained(): void {
    this.#connection.drained();
  }

  /** blocksHeld is told by the outbox. */
  blocksHeld(bytes: number): void {
    this.#broker.budget.outgoing += bytes;
  }

  /** recount looks how much still waits, where that counts. */
  recount(): void {
    if (this.unread > 0) this.#count(this.#outbox.pending);
  }

  #count(pending: number): void {
    const { budget } = this.#broker;
    this.unread = pending;
    const own = Math.max(0, pending - this.#outbox.held); // a stream says that it is empty just before it says that blocks are written
    budget.outgoing += own - this.#counted;
    this.#counted = own;
    if (budget.isOverflowing) this.#broker.relieve();
  }

  /** drop forgets what was not written. */
  drop(): void {
    this.#outbox.drop();
    this.#broker.budget.outgoing -= this.#counted;
    this.#counted = 0;
    this.unread = 0;
  }

  #sendOwnPublish(message: Message, first: number, packetId: number, identifiers: readonly number[] | null): boolean {
    const frame = encodeOwnPublish(this.#connection, message, qosOf(first) > 0, identifiers);
    if (frame === null) return this.#dropTooLarge();
    this.#appendPublish(message, frame, first, packetId);
    return true;
  }

  #dropsQos0(count = 1): boolean {
    if (this.#outbox.pending <= this.#broker.options.maxOutgoingBytes) return false;
    this.#connection.session?.outgoing.backlog.noteDropped(count);
    return true;
  }

  /** Not sent, and as if delivered [MQTT-3.1.2-24] [MQTT-3.1.2-25]. */
  #dropTooLarge(): false {
    this.#broker.counters.publishDropped++;
    return false;
  }

  #countPublish(payloadBytes: number): void {
    const counters = this.#broker.counters;
    counters.packetsSent++;
    counters.publishSent++;
    counters.publishBytesSent += payloadBytes;
    this.markDirty();
  }
}
