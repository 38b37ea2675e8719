// Changes that nobody waits for, and that may be taken back or overtaken at any moment: they join a commit once a `writeBehind`.
//
//   retained   topic name -> QoS 0 value, or null = cleared
//   sessions   "lamp" -> a session that ends with its connection, for the sake of its will
//
// They join in batches: a commit that somebody waits for never has to carry a whole crowd of them.

import type { StoredMessage, StoredSession } from '../broker/ports.ts';
import type { PendingChanges } from './pending.ts';

/** A batch ends after so many changes, or bytes. */
const BATCH_CHANGES = 2000;
const BATCH_BYTES = 1_048_576;

/** BehindChanges has the last word on each thing. */
export class BehindChanges {
  readonly #retained: Map<string, StoredMessage | null>;
  readonly #sessions: Map<string, StoredSession>;

  constructor() {
    this.#retained = new Map();
    this.#sessions = new Map();
  }

  get size(): number {
    return this.#retained.size + this.#sessions.size;
  }

  retain(topicName: string, message: StoredMessage | null): void {
    this.#retained.set(topicName, message);
  }

  /** forgetRetained is told that a later word on a topic is noted elsewhere, forgetSession the same of a session. */
  forgetRetained(topicName: string): void {
    this.#retained.delete(topicName);
  }

  saveSession(session: StoredSession): void {
    this.#sessions.set(session.clientId, session);
  }

  forgetSession(clientId: string): void {
    this.#sessions.delete(clientId);
  }

  /** moveTo moves a batch into a commit, the oldest first. */
  moveTo(changes: PendingChanges): void {
    let count = 0;
    let bytes = 0;
    const isFull = () => count >= BATCH_CHANGES || bytes >= BATCH_BYTES;
    for (const [topicName, message] of this.#retained) {
      if (isFull()) return;
      changes.retain(topicName, message);
      this.#retained.delete(topicName);
      count++;
      bytes += topicName.length + (message === null ? 0 : message.payload.length + message.properties.length);
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
