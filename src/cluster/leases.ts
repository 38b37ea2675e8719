// Why a client is at this broker: its latest CONNECT here. Times of all brokers are compared by one hybrid logical clock (message-keys.ts).

import type { Clock } from '../base/clock.ts';
import { MessageKeys } from '../broker/message-keys.ts';
import type { Session } from '../broker/session/session.ts';

/** Lease: `time` is that of the CONNECT, in milliseconds since 1970 as the hybrid clock has it. `isClean` = it wanted nothing of an earlier session. */
export interface Lease {
  readonly time: number;
  readonly isClean: boolean;
}

/** Leases are those of one broker. */
export class Leases {
  readonly #clock: Clock;
  /** Of this broker. */
  readonly #id: string;
  readonly #times = new MessageKeys();
  readonly #leases = new WeakMap<Session, Lease>();

  constructor(clock: Clock, id: string) {
    this.#clock = clock;
    this.#id = id;
  }

  /** now gives a time that is later than all before it. */
  now(): number {
    return this.#times.next(this.#clock.now());
  }

  /** raise has heard of a time. */
  raise(time: number): void {
    this.#times.raise(time);
  }

  set(session: Session, lease: Lease): void {
    this.#leases.set(session, lease);
  }

  /** of gives the lease of a session. One from before the start of this broker is older than all that others have. */
  of(session: Session): Lease {
    return this.#leases.get(session) ?? { time: session.connectedAt, isClean: false };
  }

  /** isLater tells whether a CONNECT here has come after one at another broker. */
  isLater(time: number, other: { readonly time: number; readonly from: string }): boolean {
    return time > other.time || (time === other.time && this.#id > other.from);
  }
}
