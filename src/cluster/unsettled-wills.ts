// Wills of our own clients from before a restart: they wait until it is known which of them another broker has said.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import type { Broker } from '../broker/broker.ts';
import { AWAITED_MS, type Neighbours } from './neighbours.ts';
import { readAnswer, type SaidAnswer } from './session-words.ts';

/** Milliseconds that they wait: for others to be heard, and at most. */
const HEARING_MS = 1500;
const HELD_MS = 8000;
/** Milliseconds that a client with such a will waits for that when it connects. */
const RELEASE_MS = 5000;

export interface UnsettledWillsDeps {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly neighbours: Neighbours;
  /** Of this run. */
  readonly run: string;
}

/** UnsettledWills are there for some seconds after the start. */
export class UnsettledWills {
  readonly #deps: UnsettledWillsDeps;
  readonly #startedAt: number;
  #isAsking = false;
  #settle: () => void = () => {};
  /** Resolves when all have been cared for. */
  readonly #settled: Promise<void>;

  constructor(deps: UnsettledWillsDeps) {
    this.#deps = deps;
    this.#startedAt = deps.clock.monotonic();
    this.#settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get #isDone(): boolean {
    return this.#deps.broker.heldWills?.isEmpty !== false;
  }

  /** has tells whether that of a client has not been cared for. */
  has(clientId: string): boolean {
    return this.#deps.broker.heldWills?.has(clientId) === true;
  }

  /** release waits until that of a client has been cared for, not for long. */
  async release(clientId: string): Promise<void> {
    const ending = new AbortController();
    const late = sleep(RELEASE_MS, undefined, { signal: ending.signal }).catch(() => {}); // it was in time
    await Promise.race([this.#settled, late]);
    ending.abort();
    this.#deps.broker.heldWills?.finishOne(clientId, false);
  }

  /** beat goes on when the others have been asked, or nobody can be. `connectedAt` = since when NATS is there, in monotonic milliseconds; null = it is not. */
  beat(connectedAt: number | null): void {
    if (this.#isDone) return this.#settle();
    const now = this.#deps.clock.monotonic();
    const isHeard = connectedAt !== null && now - connectedAt > HEARING_MS;
    if (!this.#isAsking && (isHeard || now - this.#startedAt >= HELD_MS)) void this.#finish();
  }

  async #finish(): Promise<void> {
    const { broker, neighbours } = this.#deps;
    const said = new Set<string>();
    this.#isAsking = true;
    await Promise.allSettled(neighbours.heard().map((peer) => this.#ask(peer, said))); // one that does not answer has not said any, as far as is known
    broker.heldWills?.finish(said);
    this.#settle();
    this.#isAsking = false;
  }

  async #ask(peer: string, said: Set<string>): Promise<void> {
    const { neighbours, run } = this.#deps;
    for (let part = 0, hasMore = true; hasMore; part++) {
      const word = { ask: 'wills', from: neighbours.id, run, part } as const;
      const answer = readAnswer<SaidAnswer>(await neighbours.ask(peer, word, AWAITED_MS));
      for (const clientId of answer.said) said.add(clientId);
      hasMore = answer.more;
    }
  }
}
