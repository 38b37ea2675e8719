// Changes that nobody waits for, and that may be taken back or overtaken at any moment: they join a commit once a `writeBehind`.
//
//   retained   topic name -> QoS 0 value, or null = cleared
//   sessions   "lamp" -> a session that ends with its connection, for the sake of its will
//
// They join in batches: a commit that somebody waits for never has to write thousands of them. While the card takes nothing, or less than
// comes, they are bounded: beyond that no value is noted any more, and all are compared later (catch-up.ts).

import type { StoredMessage, StoredSession } from '../broker/ports.ts';
import type { PendingChanges } from './pending.ts';

/** A batch ends after so many changes, or bytes. */
const BATCH_CHANGES = 2000;
const BATCH_BYTES = 1_048_576;

/** Bytes of values that are noted; more than a second of a busy home by far. */
const NOTED_MAX = 8_388_608;
/** Bytes of a noted value beside its text. */
const NOTED_BYTES = 300;

/** WriteBehind has the last word on each thing. */
export class WriteBehind {
  /** More values changed than are noted, and no more are. */
  isOverrun: boolean;
  /** The memory can be asked for all values: then only so many need to be noted. */
  mayOverrun: boolean;
  #noted: number;
  readonly #retained: Map<string, StoredMessage | null>;
  readonly #sessions: Map<string, StoredSession>;

  constructor() {
    this.isOverrun = false;
    this.mayOverrun = false;
    this.#noted = 0;
    this.#retained = new Map();
    this.#sessions = new Map();
  }

  get size(): number {
    return this.#retained.size + this.#sessions.size;
  }

  retain(topicName: string, message: StoredMessage | null): void {
    if (this.isOverrun) return;
    this.forgetRetained(topicName);
    this.#noted += bytesOf(topicName, message);
    this.#retained.set(topicName, message);
    if (this.#noted <= NOTED_MAX || !this.mayOverrun) return;
    this.isOverrun = true;
    this.#retained.clear();
    this.#noted = 0;
  }

  /** forgetRetained is told that a later word on a topic is noted elsewhere, forgetSession the same of a session; true when there was one. */
  forgetRetained(topicName: string): void {
    const noted = this.#retained.get(topicName);
    if (noted === undefined) return;
    this.#noted -= bytesOf(topicName, noted);
    this.#retained.delete(topicName);
  }

  saveSession(session: StoredSession): void {
    this.#sessions.set(session.clientId, session);
  }

  forgetSession(clientId: string): boolean {
    return this.#sessions.delete(clientId);
  }

  /** moveTo moves a batch into a commit, the oldest first. */
  moveTo(changes: PendingChanges): void {
    let count = 0;
    let bytes = 0;
    const isFull = () => count >= BATCH_CHANGES || bytes >= BATCH_BYTES;
    for (const [topicName, message] of this.#retained) {
      if (isFull()) return;
      changes.retain(topicName, message);
      this.forgetRetained(topicName);
      count++;
      bytes += bytesOf(topicName, message);
    }
    for (const [clientId, session] of this.#sessions) {
      if (isFull()) return;
      changes.saveSession(session);
      this.#sessions.delete(clientId);
      count++;
      bytes += clientId.length + (session.will?.payload.length ?? 0);
    }
  }
}

function bytesOf(topicName: string, message: StoredMessage | null): number {
  return NOTED_BYTES + topicName.length + (message === null ? 0 : message.payload.length + message.properties.length);
}
