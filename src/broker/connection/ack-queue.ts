// Acknowledgements that wait for the card, in the order of what they acknowledge [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4].

import { FIRST_BYTE, type ProtocolVersion } from '../../mqtt/packet-types.ts';
import { REASON, type ReasonCode } from '../../mqtt/reason-codes.ts';
import type { Journal } from '../journal.ts';
import type { Durability } from '../ports.ts';
import type { ConnectionState } from './connection-states.ts';

/** PendingAck is one PUBACK, PUBREC, PUBREL or PUBCOMP to be, or a whole SUBACK or UNSUBACK. */
export class PendingAck {
  readonly first: number;
  readonly packetId: number;
  reason: ReasonCode;
  /** SUBACK or UNSUBACK, encoded; null = one of the others. */
  packet: Buffer | null = null;
  readonly #queue: AckQueue;
  isSettled = false;
  /** The card could not take it: a v5 publisher hears 0x97, an older one nothing, and sends again. */
  isRefused = false;
  #isGone = false;
  #followers: (() => void)[] | null = null;

  constructor(queue: AckQueue, first: number, packetId: number, reason: ReasonCode) {
    this.#queue = queue;
    this.first = first;
    this.packetId = packetId;
    this.reason = reason;
  }

  /** settle lets it go out, once those before it have. */
  settle(outcome: Durability): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.isRefused = outcome !== 'durable';
    this.#queue.release();
  }

  /** isFollowed tells whether something waits for it to go out. */
  get isFollowed(): boolean {
    return this.#followers !== null;
  }

  /** follow calls back when it has gone out, or never will; at once when that is so already. */
  follow(follower: () => void): void {
    if (this.#isGone) return follower();
    this.#followers ??= [];
    this.#followers.push(follower);
  }

  /** gone is told by the queue. */
  gone(): void {
    const followers = this.#followers;
    this.#isGone = true;
    this.#followers = null;
    for (const follower of followers ?? []) follower();
  }
}

/** Acknowledger is the connection that acknowledgements go out on. */
export interface Acknowledger {
  readonly state: ConnectionState;
  readonly version: ProtocolVersion;
  readonly output: {
    send(packet: Buffer): void;
    sendAck(first: number, packetId: number, reason: ReasonCode): void;
  };
  /** readOn is told that some went out. */
  readOn(): void;
}

/** AckQueue belongs to one connection. */
export class AckQueue {
  readonly #connection: Acknowledger;
  #waiting: PendingAck[] = [];
  /** Those before it have gone out. A commit settles thousands one by one, so they are not cut off one by one. */
  #head = 0;
  /** PUBACKs among those that wait. */
  pubacks = 0;

  constructor(connection: Acknowledger) {
    this.#connection = connection;
  }

  get length(): number {
    return this.#waiting.length - this.#head;
  }

  /** send sends an acknowledgement behind those that wait; at once when none does. */
  send(first: number, packetId: number, reason: ReasonCode): void {
    if (this.length === 0) this.#connection.output.sendAck(first, packetId, reason);
    else this.hold(first, packetId, reason).settle('durable');
  }

  /** sendKept sends an acknowledgement once everything noted so far is on the card; at once without a journal. A full card does not stop an exchange that has begun. */
  sendKept(first: number, packetId: number, reason: ReasonCode, journal: Journal | null): void {
    if (journal === null) return this.send(first, packetId, reason);
    const ack = this.hold(first, packetId, reason);
    journal.whenDurable(() => ack.settle('durable'));
  }

  /**
   * answerKept sends a SUBACK or UNSUBACK once everything noted so far is on the card, or cannot be: a full card keeps nobody from what is
   * live. At once without a journal. Then it calls `sent`, also when the client has gone meanwhile.
   */
  answerKept(packet: Buffer, journal: Journal | null, sent: () => void): void {
    if (journal === null) {
      this.#connection.output.send(packet);
      return sent();
    }
    const ack = this.hold(packet[0]!, 0, REASON.SUCCESS); // the packet has its own identifier
    ack.packet = packet;
    ack.follow(sent);
    journal.whenDurable(() => ack.settle('durable'));
  }

  /** hold queues an acknowledgement until it is settled. */
  hold(first: number, packetId: number, reason: ReasonCode): PendingAck {
    const ack = new PendingAck(this, first, packetId, reason);
    this.#waiting.push(ack);
    if (first === FIRST_BYTE.PUBACK) this.pubacks++;
    return ack;
  }

  release(): void {
    const waiting = this.#waiting;
    const before = this.#head;
    while (this.#head < waiting.length && waiting[this.#head]!.isSettled) this.#send(waiting[this.#head++]!); // head < length
    if (this.#head === before) return;
    if (this.#head * 2 >= waiting.length) {
      this.#waiting = waiting.slice(this.#head);
      this.#head = 0;
    }
    this.#connection.readOn();
  }

  #send(ack: PendingAck): void {
    if (ack.first === FIRST_BYTE.PUBACK) this.pubacks--;
    this.#sendNow(ack);
    ack.gone();
  }

  #sendNow(ack: PendingAck): void {
    const connection = this.#connection;
    if (connection.state !== 'connected') return;
    if (ack.packet !== null) connection.output.send(ack.packet);
    else if (!ack.isRefused) connection.output.sendAck(ack.first, ack.packetId, ack.reason);
    else if (connection.version === 5 && isAnswerToPublish(ack.first))
      connection.output.sendAck(ack.first, ack.packetId, REASON.QUOTA_EXCEEDED);
  }
}

/** PUBACK and PUBREC can say that a message was not taken. */
function isAnswerToPublish(first: number): boolean {
  return first === FIRST_BYTE.PUBACK || first === FIRST_BYTE.PUBREC;
}
