// What two brokers both have of one session, after a move that was cut off between them.

import type { Session } from '../broker/session/session.ts';

/** KnownCopies is what one broker knows. */
export class KnownCopies {
  readonly #orders = new WeakMap<Session, Map<string, number>>();

  /** note: deliveries up to this order are the same here and at a broker. */
  note(session: Session, peer: string, order: number): void {
    const orders = this.#orders.get(session) ?? new Map<string, number>();
    this.#orders.set(session, orders.set(peer, order));
  }

  /** forget: a broker was started again, and may number deliveries as it did before. */
  forget(sessions: Iterable<Session>, peer: string): void {
    for (const session of sessions) this.#orders.get(session)?.delete(peer);
  }

  /** upTo gives that order; 0 = nothing is the same. */
  upTo(session: Session, peer: string): number {
    return this.#orders.get(session)?.get(peer) ?? 0;
  }
}
