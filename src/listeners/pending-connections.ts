// Connections that are not yet MQTT: their TLS or WebSocket handshake runs. Bounded in number and time, because nobody has shown who they are.
//
//   oldest [ key -> socket, timer ] ... newest      at the limit the oldest goes, so that a silent crowd never locks the door

import type { Duplex } from 'node:stream';

/** One waiting TLS handshake costs about 40 KB. */
const MAX_PENDING = 512;

/** A small microcontroller may need 10 s for its key exchange. */
const HANDSHAKE_TIMEOUT_MS = 20_000;

interface Entry {
  readonly stream: Duplex;
  readonly timer: NodeJS.Timeout;
}

/** PendingConnections destroys handshakes that take too long, and the oldest when there are too many. */
export class PendingConnections {
  readonly #entries = new Map<unknown, Entry>();
  readonly #maxPending: number;
  readonly #timeoutMs: number;

  constructor(limits: { readonly maxPending?: number; readonly timeoutMs?: number } = {}) {
    this.#maxPending = limits.maxPending ?? MAX_PENDING;
    this.#timeoutMs = limits.timeoutMs ?? HANDSHAKE_TIMEOUT_MS;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** add watches a stream under a key until `settle` or its end. */
  add(key: unknown, stream: Duplex): void {
    this.settle(key);
    if (this.#entries.size >= this.#maxPending) this.#dropOldest();
    const timer = setTimeout(() => stream.destroy(), this.#timeoutMs);
    timer.unref();
    const entry = { stream, timer };
    this.#entries.set(key, entry);
    stream.once('close', () => {
      if (this.#entries.get(key) === entry) this.settle(key);
    });
  }

  /** settle forgets a stream: its handshake is done, or it is gone. */
  settle(key: unknown): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    clearTimeout(entry.timer);
    this.#entries.delete(key);
  }

  destroyAll(): void {
    for (const [key, entry] of this.#entries) {
      this.settle(key);
      entry.stream.destroy();
    }
  }

  #dropOldest(): void {
    const [oldest] = this.#entries;
    if (oldest === undefined) return;
    this.settle(oldest[0]);
    oldest[1].stream.destroy();
  }
}
