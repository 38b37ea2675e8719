// Puts together what start-up finds, from records to sessions with their lists.

import type { LoadedSession, LoadSink, StoredMessage, StoredSession } from '../broker/ports.ts';
import type { RecordVisitor } from './records.ts';

type Loading = {
  -readonly [K in keyof LoadedSession]-?: Required<LoadedSession>[K] extends readonly (infer E)[] ? E[] : Required<LoadedSession>[K];
};

/** What a message takes beside its payload and properties, in bytes, about. */
const MESSAGE_BYTES = 500;

/** RecordAssembler is told the records of a whole database: messages first, then each session with what hangs on it, then retained values. */
export class RecordAssembler implements RecordVisitor {
  readonly #sink: LoadSink;
  /** The same object for every delivery of a message, and for its retained value. */
  readonly #messages: Map<number, StoredMessage>;
  /** Bytes that #messages may still take. */
  #room: number;
  #session: Loading | null;
  #lastMessageKey: number;

  constructor(sink: LoadSink) {
    this.#sink = sink;
    this.#messages = new Map();
    this.#room = sink.room ?? Number.POSITIVE_INFINITY;
    this.#session = null;
    this.#lastMessageKey = 0;
  }

  /** lastMessageKey is the greatest key seen. */
  get lastMessageKey(): number {
    return this.#lastMessageKey;
  }

  /** endPiece hands over the session that is complete: no session is split over two pieces. */
  endPiece(): void {
    if (this.#session !== null) this.#sink.session(this.#session);
    this.#session = null;
  }

  session(): void {
    this.endPiece();
  }

  sessionSaved(session: StoredSession): void {
    this.#session = { session, subscriptions: [], deliveries: [], incoming: [], left: [] };
  }

  subscriptionSaved(subscription: LoadedSession['subscriptions'][number]): void {
    this.#session?.subscriptions.push(subscription);
  }

  /** One that has no room is not kept: a database may be larger than the memory. */
  message(message: StoredMessage): void {
    this.#see(message.key);
    const bytes = MESSAGE_BYTES + message.payload.length + message.properties.length;
    if (bytes > this.#room) return;
    this.#room -= bytes;
    this.#messages.set(message.key, message);
  }

  deliverySaved(delivery: LoadedSession['deliveries'][number]['delivery'], messageKey: number): void {
    const message = this.#messages.get(messageKey);
    if (message !== undefined) this.#session?.deliveries.push({ delivery, message });
    else this.#session?.left.push({ order: delivery.order, packetId: delivery.packetId });
  }

  incomingSaved(packetId: number, digest: number): void {
    this.#session?.incoming.push([packetId, digest]);
  }

  retainedSaved(message: StoredMessage): void {
    this.endPiece();
    const waiting = this.#messages.get(message.key);
    this.#sink.retained(waiting?.topicName === message.topicName && waiting.retain === message.retain ? waiting : message);
    this.#see(message.key);
  }

  /** A database has no changes, only what is. */
  sessionDropped(): void {}
  subscriptionDropped(): void {}
  deliveryUpdated(): void {}
  deliveryDropped(): void {}
  incomingDropped(): void {}
  retainedDropped(): void {}

  #see(key: number): void {
    if (key > this.#lastMessageKey) this.#lastMessageKey = key;
  }
}
