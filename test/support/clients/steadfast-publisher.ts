// A publisher as the standard wants it: what is not acknowledged is kept over lost connections and sent again, in order [MQTT-4.4.0-1].

import { ackBytes, openRawClient, publishBytes, type RawClient, type RawPacket } from './raw-client.ts';

const PUBACK = 4;
const PUBREC = 5;
const PUBCOMP = 7;
const PUBREL = 0x62;
const DUP = 8;
/** Packet Identifier not found. */
const NOT_FOUND = 0x92;

/** PublishedMessage is message number `sequence` of a publisher. */
export interface PublishedMessage {
  readonly topicName: string;
  readonly payload: Buffer;
  readonly retain: boolean;
}

export interface PublisherPlan {
  readonly name: string;
  readonly version: 4 | 5;
  readonly qos: 1 | 2;
  /** How many messages may be unfinished. */
  readonly window: number;
  readonly message: (sequence: number) => PublishedMessage;
  /** Milliseconds from the end of a message to the next; absent = none. */
  readonly pause?: number;
}

interface Exchange {
  readonly sequence: number;
  readonly bytes: Buffer;
  isReleased: boolean;
}

/** SteadfastPublisher has a kept session and publishes as fast as it is acknowledged. */
export class SteadfastPublisher {
  readonly plan: PublisherPlan;
  /** Sequence numbers for which PUBACK or PUBREC came: the broker answers for these. */
  readonly acknowledged: number[];
  /** Called with each acknowledged sequence number. */
  onAcknowledged: (sequence: number) => void;
  #sent: number;
  /** By packet identifier, in the order of sending. */
  readonly #unfinished: Map<number, Exchange>;
  #client: RawClient | null;
  #isPausing: boolean;
  #onFinished: () => void;

  constructor(plan: PublisherPlan) {
    this.plan = plan;
    this.acknowledged = [];
    this.onAcknowledged = () => {};
    this.#sent = 0;
    this.#unfinished = new Map();
    this.#client = null;
    this.#isPausing = false;
    this.#onFinished = () => {};
  }

  /** sent is the last sequence number that left; the first is 1. */
  get sent(): number {
    return this.#sent;
  }

  /** unfinished counts messages that are not acknowledged to their end. */
  get unfinished(): number {
    return this.#unfinished.size;
  }

  /** attach connects, sends again what is unfinished, and publishes. Rejects when the broker ends the connection first. */
  async attach(port: number | string): Promise<void> {
    const { name, version } = this.plan;
    const { client } = await openRawClient({ port, clientId: name, version, clean: false }, (packet, from) => this.#take(packet, from));
    this.#client = client;
    for (const [packetId, { bytes, isReleased }] of this.#unfinished) {
      client.send(isReleased ? ackBytes(PUBREL, packetId) : Buffer.concat([Buffer.of((bytes[0] ?? 0) | DUP), bytes.subarray(1)]));
    }
    this.#fill();
  }

  /** isAttached tells whether it has a connection, which the broker has not ended. */
  get isAttached(): boolean {
    return this.#client?.isOpen === true;
  }

  detach(): void {
    this.#client?.abort();
    this.#client = null;
  }

  /** finish resolves when every message is acknowledged to its end; no new one is sent. */
  finish(): Promise<void> {
    this.#isPausing = true;
    return new Promise((resolve) => {
      this.#onFinished = resolve;
      if (this.#unfinished.size === 0) resolve();
    });
  }

  /** goOn has it publish again after `finish`. */
  goOn(): void {
    this.#isPausing = false;
    this.#fill();
  }

  #take({ first, body }: RawPacket, from: RawClient): void {
    const packetId = body.readUInt16BE(0);
    const exchange = this.#unfinished.get(packetId);
    const reason = body[2] ?? 0;
    const type = first >> 4;
    const isKnownEnd = type === PUBCOMP && reason === NOT_FOUND; // the PUBREL was a repetition
    if (reason >= 0x80 && !isKnownEnd) throw new Error(`${this.plan.name}: packet ${first.toString(16)} with reason ${reason}`);
    if (exchange === undefined)
      throw new Error(`${this.plan.name}: packet ${first.toString(16)} for identifier ${packetId}, which is not in use`);
    if (type === PUBACK || (type === PUBREC && !exchange.isReleased)) this.#note(exchange.sequence);
    if (type === PUBREC) {
      exchange.isReleased = true;
      from.send(ackBytes(PUBREL, packetId));
    } else if (type === PUBACK || type === PUBCOMP) {
      this.#unfinished.delete(packetId);
      if (this.#unfinished.size === 0 && this.#isPausing) this.#onFinished();
      if (this.plan.pause === undefined) this.#fill();
      else setTimeout(() => this.#fill(), this.plan.pause);
    }
  }

  #note(sequence: number): void {
    this.acknowledged.push(sequence);
    this.onAcknowledged(sequence);
  }

  #fill(): void {
    const { version, qos, window, message } = this.plan;
    while (!this.#isPausing && this.#unfinished.size < window) {
      const sequence = ++this.#sent;
      const packetId = this.#freePacketId(sequence);
      const bytes = publishBytes(version, { ...message(sequence), qos, packetId });
      this.#unfinished.set(packetId, { sequence, bytes, isReleased: false });
      this.#client?.send(bytes);
    }
  }

  /** Few identifiers, used again soon: one that the broker did not free would show. */
  #freePacketId(sequence: number): number {
    const range = this.plan.window * 2;
    for (let next = sequence; ; next++) if (!this.#unfinished.has((next % range) + 1)) return (next % range) + 1;
  }
}
