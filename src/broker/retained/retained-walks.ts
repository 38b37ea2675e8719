// Retained messages on their way to new subscriptions. All walks together have a budget per turn of the event loop: neither a subscriber
// of `#` among a million, nor ten thousand filters that match nothing, nor a thousand clients that come at once keep others waiting.
//
//   session ── Map: topic filter ─► RetainedDelivery       one walk after the other; the first that must wait holds up the rest
//   waiting ── A, B, C                                     sessions that the turn had no budget for; each next turn begins with the next

import type { Subscription } from '../delivery/subscription.ts';
import { RetainedDelivery, type RetainedReader, type WalkBudget, type WalkEngine } from './retained-delivery.ts';
import type { RetainedMessages } from './retained-messages.ts';

/** Steps per turn, some milliseconds: what a step costs stands in retained-delivery.ts. */
const STEPS = 10_000;

/** WalksEngine is what the walks need of the engine. */
export interface WalksEngine extends WalkEngine {
  readonly retained: RetainedMessages;
}

/** RetainedWalks belongs to one broker. */
export class RetainedWalks implements WalkBudget {
  /** Steps left in this turn. */
  left = STEPS;
  readonly #broker: WalksEngine;
  readonly #waiting = new Set<RetainedReader>();
  #turnAwaited = false;

  constructor(broker: WalksEngine) {
    this.#broker = broker;
  }

  /** begin sends the retained messages that match a new subscription. A walk of the same filter begins anew: one per filter, however often a client asks. */
  begin(session: RetainedReader, subscription: Subscription): void {
    const { topicFilter } = subscription;
    session.retained ??= new Map();
    session.retained.delete(topicFilter);
    session.retained.set(topicFilter, new RetainedDelivery(session, subscription, this.#broker.retained.matching(topicFilter)));
    this.proceed(session);
  }

  /** proceed goes on for a session, as far as the turn's budget, its connection and its window allow. */
  proceed(session: RetainedReader): void {
    const walks = session.retained;
    if (walks === null || session.connection === null || this.#waiting.has(session)) return;
    session.retained = null; // sending may come back here through pump
    let progress: ReturnType<RetainedDelivery['advance']> = 'done';
    for (const [topicFilter, delivery] of walks) {
      progress = this.left > 0 ? delivery.advance(this.#broker, this) : 'more';
      if (progress !== 'done') break;
      walks.delete(topicFilter);
    }
    this.#awaitNextTurn();
    if (progress === 'done') return;
    session.retained = walks;
    if (progress === 'more') this.#waiting.add(session);
  }

  #awaitNextTurn(): void {
    if (this.#turnAwaited) return;
    this.#turnAwaited = true;
    setImmediate(() => this.#beginTurn());
  }

  #beginTurn(): void {
    this.#turnAwaited = false;
    this.left = STEPS;
    let count = this.#waiting.size; // who waits again has had its turn
    for (const session of this.#waiting) {
      if (count-- === 0 || this.left <= 0) break;
      this.#waiting.delete(session);
      this.proceed(session);
    }
    if (this.#waiting.size > 0) this.#awaitNextTurn();
  }
}
