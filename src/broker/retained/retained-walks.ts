// Retained messages on their way to new subscriptions. All walks together have a budget per turn of the event loop: neither a subscriber
// of `#` among a million, nor ten thousand filters that match nothing, nor a thousand clients that come at once keep others waiting.
//
//   session ── Map: topic filter ─► RetainedDelivery       one walk after the other; the first that must wait holds up the rest
//   waiting ── A, B, C                                     sessions that the turn had no budget for; each next turn begins with the next

import type { Subscription } from '../delivery/subscription.ts';
import type { Broker } from '../engine.ts';
import type { Session } from '../session/session.ts';
import { RetainedDelivery, type WalkBudget } from './retained-delivery.ts';

/** Steps per turn, some milliseconds: what a step costs stands in retained-delivery.ts. */
const STEPS = 10_000;

/** RetainedWalks belongs to one broker. */
export class RetainedWalks implements WalkBudget {
  /** Steps left in this turn. */
  left = STEPS;
  readonly #broker: Broker;
  readonly #waiting = new Set<Session>();
  #turnAwaited = false;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** begin sends the retained messages that match a new subscription. A walk of the same filter begins anew: one per filter, however often a client asks. */
  begin(subscription: Subscription): void {
    const { session, topicFilter } = subscription;
    session.retained ??= new Map();
    session.retained.delete(topicFilter);
    session.retained.set(topicFilter, new RetainedDelivery(subscription, this.#broker.retained.matching(topicFilter)));
    this.proceed(session);
  }

  /** proceed goes on for a session, as far as the turn's budget, its connection and its window allow. */
  proceed(session: Session): void {
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
