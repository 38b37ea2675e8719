// Carries commits to the worker and goes on when it dies, the disk is full or the database is damaged.
//
// A worker that dies, or a database found damaged while running, is replaced once at once: what was under way is sent again, and since
// every record says how things are and not how they change, writing it twice does no harm. A worker whose file was deleted is not replaced:
// what it has open is all that there is. Only when that fails too is the commit 'failed'. Nothing is thrown away then: the changes stay
// noted, the last word on each thing, and are tried again until they are on the card.

import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Durability } from '../broker/ports.ts';
import { type Fault, faultOf, StoreFault } from './faults.ts';
import { HealthRecord } from './health.ts';
import type { LocationReplies, LocationRequest } from './location-table.ts';
import type { StoreOptions } from './options.ts';
import { PackedWriter } from './packed.ts';
import type { PendingChanges } from './pending.ts';
import { recordWriter } from './records.ts';
import { type StartWorker, WorkerLink } from './worker-link.ts';
import type { OpenReport, WorkReport } from './worker-store.ts';
import { WriteMeter } from './write-meter.ts';

/** StorePorts are what the store needs of the house. */
export interface StorePorts {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Bytes: about a millisecond. */
const PACKED_PER_TURN = 262_144;

const MINUTES_PER_HOUR = 60;
const MINUTES_PER_DAY = 1440;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** StoreCounters count since the start, but for the last hour and day. */
export interface StoreCounters {
  readonly bytesWritten: number;
  readonly bytesLastHour: number;
  readonly bytesLastDay: number;
  /** What a day costs at the rate of the last day, or of the time since the start; null in the first hour. */
  readonly bytesPerDay: number | null;
  readonly commits: number;
  readonly fsyncs: number;
}

/** CommitQueue has one worker at a time. One commit is under way at most; the caller gathers the next meanwhile. */
export class CommitQueue {
  readonly #path: string;
  readonly #options: StoreOptions;
  readonly #clock: Clock;
  readonly #health: HealthRecord;
  readonly #start: StartWorker;
  readonly #meter: WriteMeter;
  #link: WorkerLink | null;
  /** Monotonic milliseconds. */
  readonly #began: number;
  /** Work of the workers before this one. */
  #past: WorkReport;
  /** Work that is in #meter. */
  #metered: number;
  /** Size of the last commit, a guess at the next. */
  #lastSize: number;
  /** The file of the database, once one is open: a worker that is made anew must find it there. */
  #inode: number | null;

  constructor(path: string, options: StoreOptions, { clock, log }: StorePorts, start: StartWorker) {
    this.#path = path;
    this.#options = options;
    this.#clock = clock;
    this.#health = new HealthRecord(path, { clock, log });
    this.#start = start;
    this.#meter = new WriteMeter();
    this.#began = clock.monotonic();
    this.#link = null;
    this.#past = { bytesWritten: 0, commits: 0, fsyncs: 0 };
    this.#metered = 0;
    this.#lastSize = 0;
    this.#inode = null;
  }

  get health(): HealthRecord {
    return this.#health;
  }

  counters(): StoreCounters {
    this.#measure();
    const { bytesWritten, commits, fsyncs } = this.#total();
    const now = this.#clock.monotonic();
    const passed = now - this.#began;
    const bytesLastDay = this.#meter.sum(MINUTES_PER_DAY, now);
    return {
      bytesWritten,
      bytesLastHour: this.#meter.sum(MINUTES_PER_HOUR, now),
      bytesLastDay,
      bytesPerDay: passed < HOUR_MS ? null : Math.round((bytesLastDay * DAY_MS) / Math.min(passed, DAY_MS)),
      commits,
      fsyncs,
    };
  }

  /** open starts a worker and opens the database; rejects with a StoreFault. A disk that is read-only is no fault when a copy may be read. */
  async open(mayCopy: boolean): Promise<OpenReport> {
    const link = new WorkerLink(this.#start);
    try {
      const request = {
        path: this.#path,
        synchronous: this.#options.synchronous,
        isOwnFolder: this.#options.isOwnFolder,
        mayCopy,
        inode: this.#inode,
        now: this.#clock.now(),
      };
      const report = await link.ask({ kind: 'open', request });
      this.#link = link;
      this.#inode = report.inode;
      if (report.damage !== null) this.#health.damaged(report.damage);
      if (report.setAside !== null) this.#health.setAside(report.setAside);
      if (report.upgrade !== null) this.#health.upgraded(report.upgrade);
      if (report.isReadOnly) this.#health.troubled({ kind: 'read-only', reason: 'the disk is read-only' });
      return report;
    } catch (error) {
      await link.terminate();
      throw error;
    }
  }

  /** load gives what is there piece by piece, the next one already asked for. Ends early, and says so, when the database cannot be read on. */
  async *load(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const link = this.#link;
    if (link === null) return;
    let next = link.ask({ kind: 'load' });
    try {
      for (let piece = await next; piece !== null; piece = await next) {
        next = link.ask({ kind: 'load' });
        yield piece;
      }
    } catch (error) {
      this.#health.troubled(faultOf(error));
    }
  }

  /**
   * commit makes changes durable. It never rejects, and tells `health` of trouble only; when it is not 'durable' the changes still wait to be committed. When there are none
   * the worker is asked only if it `mustCheck` that the file of the database is there.
   */
  async commit(changes: PendingChanges, mustCheck = false): Promise<Durability> {
    const isFirstTrouble = this.#health.now.state === 'ok';
    let fault = await this.#try(changes, mustCheck);
    if (fault !== null && !isOfFile(fault) && isFirstTrouble) {
      const { reason } = fault;
      await this.#hangUp();
      fault = await this.#try(changes, mustCheck);
      if (fault === null) this.#health.restarted(reason);
    }
    this.#measure();
    if (fault === null) return 'durable';
    this.#health.troubled(fault);
    if (!isOfFile(fault)) await this.#hangUp();
    return fault.kind === 'full' ? 'full' : 'failed';
  }

  /** namesAfter gives the next topics of retained values in the database; rejects with a StoreFault. */
  async namesAfter(topicName: string): Promise<readonly string[]> {
    if (this.#link === null) throw new StoreFault('failed', this.#health.now.text);
    return this.#link.ask({ kind: 'names', after: topicName });
  }

  /** locations answers about where phones were; rejects with a StoreFault. */
  async locations<R extends LocationRequest>(request: R): Promise<LocationReplies[R['what']]> {
    if (this.#link === null) throw new StoreFault('failed', this.#health.now.text);
    const reply = await this.#link.ask({ kind: 'locations', request });
    return reply as LocationReplies[R['what']]; // the reply to this request is of its kind
  }

  /** backup rejects with a StoreFault. */
  async backup(file: string): Promise<void> {
    if (this.#link === null) throw new StoreFault('failed', this.#health.now.text);
    await this.#link.ask({ kind: 'backup', file });
  }

  /** close closes the database in order, and ends the worker also when that fails. */
  async close(): Promise<void> {
    await this.#link?.ask({ kind: 'close' }).catch(() => {}); // the log is played in at the next start
    await this.#hangUp();
  }

  async #try(changes: PendingChanges, mustCheck: boolean): Promise<Fault | null> {
    const records = await this.#pack(changes);
    if (records.byteLength === 0 && !mustCheck && this.#health.now.state === 'ok') return null;
    try {
      if (this.#link?.isAlive !== true) {
        await this.#hangUp();
        await this.open(false);
      }
      const rescue = await this.#link?.ask({ kind: 'commit', records });
      if (rescue != null) {
        this.#inode = rescue.inode;
        this.#health.rescued(rescue);
      }
      return null;
    } catch (error) {
      return faultOf(error);
    }
  }

  /** Packs a part per turn of the event loop: a large commit must not keep the clients waiting. */
  async #pack(changes: PendingChanges): Promise<Uint8Array<ArrayBuffer>> {
    const out = new PackedWriter(this.#lastSize);
    let turnEnd = PACKED_PER_TURN;
    for (const _ of changes.tell(recordWriter(out))) {
      if (out.length < turnEnd) continue;
      turnEnd = out.length + PACKED_PER_TURN;
      await setImmediate();
    }
    this.#lastSize = out.length;
    return out.finish();
  }

  async #hangUp(): Promise<void> {
    const link = this.#link;
    if (link === null) return;
    this.#past = this.#total();
    this.#link = null;
    await link.terminate();
  }

  #total(): WorkReport {
    const { bytesWritten, commits, fsyncs } = this.#link?.work ?? { bytesWritten: 0, commits: 0, fsyncs: 0 };
    const past = this.#past;
    return { bytesWritten: past.bytesWritten + bytesWritten, commits: past.commits + commits, fsyncs: past.fsyncs + fsyncs };
  }

  #measure(): void {
    const { bytesWritten } = this.#total();
    this.#meter.add(bytesWritten - this.#metered, this.#clock.monotonic());
    this.#metered = bytesWritten;
  }
}

/** The worker is well, and has what nobody else has. */
function isOfFile({ kind }: Fault): boolean {
  return kind === 'full' || kind === 'deleted';
}
