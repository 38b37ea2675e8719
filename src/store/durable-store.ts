// Notes changes and decides when they go to the card.
//
//   noted, somebody waits for it (whenDurable) ---> at the end of this turn of the event loop, or when the commit under way is done
//   noted, all of it QoS 1 on its way to clients that are online ---> after `gather`: what is acknowledged by then is never written
//   noted, nobody waits: acknowledgements, QoS 0 retained values, wills of sessions that are not kept ---> within `writeBehind`, the last
//   word on each thing only
//
// While one commit is under way the next one gathers: the slower the card, the larger the commits. When the card is slower than the
// publishers, whenDurable does not come, their PUBACKs do not go out, and their windows close: that bounds what is noted.

import { OperatorError, reasonOf } from '../base/errors.ts';
import type {
  DeliveryState,
  Durability,
  LoadSink,
  RetainedSource,
  SessionStore,
  StoredDelivery,
  StoredMessage,
  StoredSession,
  StoredSubscription,
} from '../broker/ports.ts';
import { catchUp } from './catch-up.ts';
import type { CommitQueue, StoreCounters } from './commit-queue.ts';
import type { Fault } from './faults.ts';
import type { StoreHealth } from './health.ts';
import { LocationLog } from './location-log.ts';
import type { StoreOptions } from './options.ts';
import { PendingChanges } from './pending.ts';
import { RecordAssembler } from './record-assembler.ts';
import { readRecords } from './records.ts';
import { Retry } from './retry.ts';
import { WriteBehind } from './write-behind.ts';

type Waiter = (outcome: Durability) => void;

/** StoreTimes gets times in seconds. */
export interface StoreTimes {
  /** commit is told of each commit, until it is on the card or cannot be. */
  commit(seconds: number): void;
  /** wait is told of each acknowledgement, or other thing, that waited for the card. */
  wait(seconds: number): void;
}

/**
 * Store is the engine's port and what the house wants to know of it. `lastMessageKey` is complete after `load`. A session is saved before
 * what hangs on it, and a delivery under an order that its session never used before: then one that is dropped in time is never written.
 */
export interface Store extends SessionStore {
  /** Where phones were. */
  readonly locations: LocationLog;
  health(): StoreHealth;
  counters(): StoreCounters;
  /** backup writes a consistent copy as a new database of mode 0600, while commits go on. Rejects with an OperatorError; the file must not be there. */
  backup(file: string): Promise<void>;
  /** watch tells one observer how long things take from now on; null = nobody. */
  watch(times: StoreTimes | null): void;
  /** stop writes all that is noted and closes the database. Nothing may be noted after it. */
  stop(): Promise<void>;
}

/** DurableStore is the main thread's half of the store. */
export class DurableStore implements Store {
  readonly locations: LocationLog;
  readonly #line: CommitQueue;
  readonly #options: StoreOptions;
  #lastMessageKey: number;
  #changes: PendingChanges;
  readonly #behind: WriteBehind;
  /** Whom to ask for all retained values, null = nobody yet. */
  #source: RetainedSource | null;
  /** All that the database holds was loaded. */
  #isWhole: boolean;
  #catchingUp: Promise<void> | null;
  #times: StoreTimes | null;
  #waiters: Waiter[];
  /** Something is noted that no acknowledgement of a client will undo. */
  #isUrgent: boolean;
  #underWay: Promise<void> | null;
  readonly #retry: Retry;
  #soon: NodeJS.Immediate | null;
  #gathering: NodeJS.Timeout | null;
  #later: NodeJS.Timeout | null;
  readonly #watch: NodeJS.Timeout;
  #isStopped: boolean;

  constructor(line: CommitQueue, options: StoreOptions, lastMessageKey: number) {
    this.#line = line;
    this.locations = new LocationLog((request) => line.locations(request));
    this.#options = options;
    this.#lastMessageKey = lastMessageKey;
    this.#changes = new PendingChanges();
    this.#behind = new WriteBehind();
    this.#source = null;
    this.#isWhole = false;
    this.#catchingUp = null;
    this.#times = null;
    this.#waiters = [];
    this.#isUrgent = false;
    this.#underWay = null;
    this.#retry = new Retry(() => void this.#flush(true));
    this.#soon = null;
    this.#gathering = null;
    this.#later = null;
    this.#watch = setInterval(() => this.#onWatch(), options.watch).unref();
    this.#isStopped = false;
  }

  get lastMessageKey(): number {
    return this.#lastMessageKey;
  }

  get mayHoldMore(): boolean {
    return !this.#isWhole;
  }

  async load(sink: LoadSink, source: RetainedSource | null = null): Promise<void> {
    const loading = this.#load(sink);
    this.#underWay = loading.catch(() => {}); // commits wait for it as for each other
    try {
      await loading;
    } finally {
      this.#underWay = null; // else a stop would wait for it for ever
    }
    this.#isWhole = this.health().state === 'ok';
    this.#source = source;
    this.#behind.mayOverrun = source !== null;
    if (this.#waiters.length > 0) this.#schedule();
  }

  saveSession(session: StoredSession, isUrgent = true): void {
    if (isUrgent) {
      this.#behind.forgetSession(session.clientId);
      this.#changes.saveSession(session);
    } else {
      this.#behind.saveSession(session);
    }
    this.#noted(isUrgent);
  }

  dropSession(clientId: string): void {
    if (this.#behind.forgetSession(clientId) && this.#isWhole) return; // it was never written
    this.#changes.dropSession(clientId);
    this.#noted(true);
  }

  saveSubscription(clientId: string, subscription: StoredSubscription): void {
    this.#changes.saveSubscription(clientId, subscription);
    this.#noted(true);
  }

  dropSubscription(clientId: string, topicFilter: string): void {
    this.#changes.dropSubscription(clientId, topicFilter);
    this.#noted(true);
  }

  saveDelivery(clientId: string, delivery: StoredDelivery, message: StoredMessage): void {
    this.#changes.saveDelivery(clientId, delivery, message);
    this.#noted(delivery.qos !== 1 || delivery.state !== 'sent'); // one acknowledgement ends QoS 1; QoS 2 waits for the card in between
  }

  updateDelivery(clientId: string, order: number, packetId: number, state: DeliveryState): void {
    this.#changes.updateDelivery(clientId, order, packetId, state);
    this.#noted(true);
  }

  dropDelivery(clientId: string, order: number): void {
    this.#changes.dropDelivery(clientId, order);
    this.#noted(false);
  }

  saveIncoming(clientId: string, packetId: number, digest: number): void {
    this.#changes.saveIncoming(clientId, packetId, digest);
    this.#noted(true);
  }

  dropIncoming(clientId: string, packetId: number): void {
    this.#changes.dropIncoming(clientId, packetId);
    this.#noted(true);
  }

  saveRetained(message: StoredMessage, urgent: boolean): void {
    this.#retain(message.topicName, message, urgent);
  }

  dropRetained(topicName: string, urgent: boolean): void {
    this.#retain(topicName, null, urgent);
  }

  whenDurable(callback: Waiter, isUrgent = false): void {
    if (isUrgent) this.#isUrgent = true;
    this.#waiters.push(this.#times === null ? callback : timed(callback, this.#times));
    this.#schedule();
  }

  health(): StoreHealth {
    return this.#line.health.now;
  }

  counters(): StoreCounters {
    return this.#line.counters();
  }

  watch(times: StoreTimes | null): void {
    this.#times = times;
  }

  /** trouble makes the store begin with what it could not open, and try again. */
  trouble(fault: Fault): void {
    this.#line.health.troubled(fault);
    this.#retry.enter(fault.kind === 'full' ? 'full' : 'failed');
  }

  async backup(file: string): Promise<void> {
    await this.#flush(true, true);
    await this.locations.flush();
    await this.#line.backup(file).catch((error: unknown) => {
      throw new OperatorError(`Cannot write backup "${file}": ${reasonOf(error)}`, { cause: error });
    });
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    clearInterval(this.#watch);
    await this.locations.flush().catch(() => {}); // the log of the store has said why it can't be written
    do {
      await this.#flush(true, true);
    } while (this.#behind.size > 0 && this.#retry.trouble === null);
    await this.#catchingUp;
    this.#isStopped = true;
    for (const timer of [this.#gathering, this.#later]) clearTimeout(timer ?? undefined);
    this.#retry.stop();
    clearImmediate(this.#soon ?? undefined);
    this.#settle(this.#retry.trouble ?? 'durable');
    await this.#line.close();
  }

  async #load(sink: LoadSink): Promise<void> {
    const loader = new RecordAssembler(sink);
    for await (const piece of this.#line.load()) {
      readRecords(piece, loader);
      loader.endPiece();
    }
    this.#lastMessageKey = Math.max(this.#lastMessageKey, loader.lastMessageKey);
  }

  #retain(topicName: string, message: StoredMessage | null, urgent: boolean): void {
    const joins = this.#retry.trouble === null && (urgent || this.#changes.hasRetained(topicName)); // in trouble nobody is promised anything
    if (joins) {
      this.#behind.forgetRetained(topicName);
      this.#changes.retain(topicName, message);
    } else {
      this.#behind.retain(topicName, message);
    }
    this.#noted(urgent);
  }

  #noted(isUrgent: boolean): void {
    if (isUrgent) this.#isUrgent = true;
    this.#later ??= setTimeout(() => this.#onLater(), this.#options.writeBehind);
  }

  #onLater(): void {
    this.#later = null;
    if (this.#retry.trouble === null && !this.#isStopped) void this.#flush(true);
  }

  #onWatch(): void {
    if (this.#retry.trouble === null && this.#underWay === null) void this.#flush(false, true);
  }

  /** When a commit is under way its end schedules the next. */
  #schedule(): void {
    if (this.#soon !== null || (this.#underWay !== null && this.#retry.trouble === null)) return;
    if (this.#isUrgent || this.#retry.trouble !== null) {
      this.#soon = setImmediate(() => this.#onSoon());
    } else {
      this.#gathering ??= setTimeout(() => this.#onSoon(), this.#options.gather);
    }
  }

  #onSoon(): void {
    if (this.#retry.trouble !== null) {
      this.#soon = null;
      this.#settle(this.#retry.trouble);
    } else {
      void this.#flush(false);
    }
  }

  /** Resolves when a commit that began after the call has ended, however. */
  async #flush(withBehind: boolean, mustCheck = false): Promise<void> {
    while (this.#underWay !== null) {
      await this.#underWay;
    }
    this.#underWay = this.#commit(withBehind, mustCheck);
    await this.#underWay;
  }

  async #commit(withBehind: boolean, mustCheck: boolean): Promise<void> {
    const hasBatch = this.#retry.trouble !== null && this.#changes.retainedCount > 0; // it is tried again as it is
    if (withBehind && !hasBatch) this.#behind.moveTo(this.#changes);
    const changes = this.#changes;
    const waiters = this.#retry.trouble === null ? this.#waiters.splice(0) : []; // in trouble they are answered at once
    this.#changes = new PendingChanges();
    this.#isUrgent = false;
    clearTimeout(this.#gathering ?? undefined);
    clearImmediate(this.#soon ?? undefined);
    this.#gathering = null;
    this.#soon = null;
    const outcome = await this.#commitTimed(changes, mustCheck);
    this.#underWay = null;
    if (outcome === 'durable') {
      this.#leaveTrouble();
    } else {
      changes.absorb(this.#changes);
      this.#changes = changes;
      this.#retry.enter(outcome);
    }
    for (const waiter of waiters) waiter(outcome);
    if (withBehind && this.#retry.trouble === null && this.#behind.size > 0) void this.#flush(true);
    else if (this.#waiters.length > 0) this.#schedule();
    if (this.#retry.trouble === null && this.#behind.size === 0 && this.#behind.isOverrun) this.#catchingUp ??= this.#catchUp();
  }

  async #commitTimed(changes: PendingChanges, mustCheck: boolean): Promise<Durability> {
    const began = performance.now();
    const outcome = await this.#line.commit(changes, mustCheck);
    this.#times?.commit((performance.now() - began) / 1000);
    return outcome;
  }

  async #catchUp(): Promise<void> {
    this.#behind.isOverrun = false; // what changes from now on is noted again
    const isDone = await catchUp({
      source: this.#source!, // without it nothing is overrun
      isWhole: this.#isWhole,
      retain: (topicName, message) => this.#changes.retain(topicName, message),
      flush: async () => {
        await this.#flush(false);
        return this.#retry.trouble === null;
      },
      namesAfter: (topicName) => this.#line.namesAfter(topicName),
    });
    if (!isDone) this.#behind.isOverrun = true;
    this.#catchingUp = null;
  }

  #settle(outcome: Durability): void {
    for (const waiter of this.#waiters.splice(0)) waiter(outcome);
  }

  /** Who asked in trouble is told of it: a value that was noted then may wait for a later commit. */
  #leaveTrouble(): void {
    const { trouble } = this.#retry;
    this.#retry.leave();
    if (trouble !== null) this.#settle(trouble);
    this.#line.health.well();
  }
}

function timed(waiter: Waiter, times: StoreTimes): Waiter {
  const began = performance.now();
  return (outcome) => {
    times.wait((performance.now() - began) / 1000);
    waiter(outcome);
  };
}
