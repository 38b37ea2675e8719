// The main thread's half of where phones were: what comes is gathered and written together, every five minutes. Nobody waits for it.
//
//   append --> pending --every five minutes, or when somebody reads--> worker

import { OperatorError } from '../base/errors.ts';
import type { LocationRecord } from '../base/location-record.ts';
import { faultOf } from './faults.ts';
import type { KeptPhone, LocationPlace, LocationReplies, LocationRequest, LocationSpan } from './location-table.ts';

/** A power cut takes the locations of so much time; the card is spared. */
const GATHER_MS = 300_000;

/** Records that wait while the card can't be written; beyond it the oldest go. */
const MOST_PENDING = 20_000;

/** Records of one request to the worker, which commits of others wait for: a few milliseconds. */
const PER_REQUEST = 2000;

/** AskLocations has the worker answer. Rejects with a StoreFault. */
export type AskLocations = <R extends LocationRequest>(request: R) => Promise<LocationReplies[R['what']]>;

/** LocationLog keeps records. What reads or deletes rejects with an OperatorError where the database can't be used. */
export class LocationLog {
  readonly #ask: AskLocations;
  readonly #gather: number;
  #pending: LocationRecord[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** Requests that write, one after the other. */
  #writing: Promise<unknown> = Promise.resolve();

  /** `gather` is in milliseconds. */
  constructor(ask: AskLocations, gather = GATHER_MS) {
    this.#ask = ask;
    this.#gather = gather;
  }

  /** append keeps a record, within five minutes. Never throws. */
  append(record: LocationRecord): void {
    this.#pending.push(record);
    if (this.#pending.length > MOST_PENDING) this.#pending.splice(0, this.#pending.length - MOST_PENDING);
    this.#timer ??= setTimeout(() => void this.flush().catch(() => {}), this.#gather).unref(); // what could not be written waits for the next time
  }

  /** read gives records of one phone, the newest first, before a place where that is not null. */
  async read(span: LocationSpan, before: LocationPlace | null, limit: number): Promise<readonly LocationRecord[]> {
    await this.flush();
    return this.#answer({ what: 'read', span, before, limit: Math.min(limit, PER_REQUEST) });
  }

  /** newest gives the last location of each phone, in the open or encrypted, and its last transition. */
  async newest(): Promise<readonly LocationRecord[]> {
    await this.flush();
    return this.#answer({ what: 'newest' });
  }

  /** phones gives those of which something is kept. */
  async phones(): Promise<readonly KeptPhone[]> {
    await this.flush();
    return this.#answer({ what: 'phones' });
  }

  async count(span: LocationSpan): Promise<number> {
    await this.flush();
    return this.#answer({ what: 'count', span });
  }

  /** delete gives how many records went. */
  async delete(span: LocationSpan): Promise<number> {
    await this.flush();
    for (let total = 0; ; ) {
      const gone = await this.#inTurn(() => this.#answer({ what: 'delete', span, limit: PER_REQUEST }));
      total += gone;
      if (gone === 0) return total;
    }
  }

  /** flush writes what waits. */
  flush(): Promise<void> {
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
    return this.#inTurn(() => this.#write());
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const records = this.#pending.splice(0, PER_REQUEST);
      try {
        await this.#answer({ what: 'append', records });
      } catch (error) {
        this.#pending.unshift(...records);
        this.#timer ??= setTimeout(() => void this.flush().catch(() => {}), this.#gather).unref();
        throw error;
      }
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#writing.then(work);
    this.#writing = done.catch(() => {});
    return done;
  }

  async #answer<R extends LocationRequest>(request: R): Promise<LocationReplies[R['what']]> {
    try {
      return await this.#ask(request);
    } catch (error) {
      throw new OperatorError(`Cannot use the history of locations: ${faultOf(error).reason}`, { cause: error });
    }
  }
}
