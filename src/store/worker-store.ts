// The worker's half of the store: the open database and what is asked of it, one thing after the other.

import { closeSync, copyFileSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backup, type DatabaseSync, type StatementSync } from 'node:sqlite';
import { Applier } from './applier.ts';
import { CHECKPOINT_PAGES, openDatabase, prepareFolder, type Synchronous } from './database.ts';
import type { Upgrade } from './earlier-version.ts';
import { faultOf, StoreFault } from './faults.ts';
import { asideName, moveAside } from './file-names.ts';
import { type LocationReplies, type LocationRequest, LocationTable } from './location-table.ts';
import { loadPieces } from './read-database.ts';
import { readRecords } from './records.ts';
import { inodeOf, isInPlace, type OpenFile, openFile, type Rewrite, writeAnew } from './rewrite-file.ts';
import { type Salvaged, salvage } from './salvage.ts';
import { readNumber } from './schema.ts';
import { COUNT_MAX, type Unsound, UnsoundRows } from './set-aside.ts';

/** OpenRequest says which database; on a read-only disk `mayCopy` lets a copy be read, to start with what is there. */
export interface OpenRequest {
  readonly path: string;
  readonly synchronous: Synchronous;
  readonly mayCopy: boolean;
  /** See StoreOptions. */
  readonly isOwnFolder: boolean;
  /** The file that was open before and must be there still; null = whichever there is. */
  readonly inode: number | null;
  /** Milliseconds since 1970, for the name of what is moved aside. */
  readonly now: number;
}

/** Damage says what was wrong, where the bad file is now, and what of it could be kept. */
export interface Damage {
  readonly reason: string;
  readonly aside: string;
  readonly salvaged: Salvaged | null;
}

/** SetAside says what is not loaded because we cannot have written it, and why it is still in its tables; `stuck` null = it was moved out of them. */
export interface SetAside {
  readonly found: readonly Unsound[];
  readonly stuck: string | null;
}

/** OpenReport is what opening came to. */
export interface OpenReport {
  readonly damage: Damage | null;
  /** The database was of an earlier version. */
  readonly upgrade: Upgrade | null;
  /** The disk is read-only: what can be loaded comes from a copy, nothing can be written. */
  readonly isReadOnly: boolean;
  readonly setAside: SetAside | null;
  /** The greatest key of a message that waits. */
  readonly lastMessageKey: number;
  /** Of the database; null = a copy. */
  readonly inode: number | null;
}

/** WorkReport is what the worker's thread has done since it started. */
export interface WorkReport {
  /** Bytes handed to the file system, or, where that is more, bytes of the blocks they touched. */
  readonly bytesWritten: number;
  readonly commits: number;
  /** One per commit that changed something, three per checkpoint. */
  readonly fsyncs: number;
}

/** Free pages that are given back, per checkpoint, when there are many. */
const VACUUM_PAGES = 256;
const MANY_FREE_PAGES = 4096;
const NAMES_PER_PAGE = 1000;
/** Pages that a backup copies before it lets commits through. */
const BACKUP_PAGES = 256;
/** A backup begins anew when the file of the database was replaced meanwhile. */
const BACKUP_TRIES = 5;

/** WorkerStore owns the connection. Everything throws what faultOf can sort. */
export class WorkerStore {
  #database: DatabaseSync | null;
  #applier: Applier | null;
  #locations: LocationTable | null;
  /** Null once none of them is in its table. */
  #unsound: UnsoundRows | null;
  #logLength: StatementSync | null;
  #framesSeen: number;
  #pieces: Generator<Uint8Array<ArrayBuffer>> | null;
  /** Folder of the copy that is read on a read-only disk. */
  #copy: string | null;
  /** The files that are open; null = a copy. */
  #file: OpenFile | null;
  #request: OpenRequest | null;
  #backupStart: Promise<void> | null;
  #commits: number;
  #fsyncs: number;

  constructor() {
    this.#backupStart = null;
    this.#database = null;
    this.#applier = null;
    this.#locations = null;
    this.#unsound = null;
    this.#logLength = null;
    this.#framesSeen = 0;
    this.#pieces = null;
    this.#copy = null;
    this.#file = null;
    this.#request = null;
    this.#commits = 0;
    this.#fsyncs = 0;
  }

  open(request: OpenRequest): OpenReport {
    if (request.inode !== null && inodeOf(request.path) !== request.inode)
      throw new StoreFault('deleted', 'the thread that still had it open has ended');
    try {
      prepareFolder(request.path, request.isOwnFolder);
    } catch (error) {
      if (faultOf(error).kind === 'read-only' && request.mayCopy) return this.#openCopy(request);
      throw error;
    }
    const { database, ...report } = openOrReplace(request);
    const rows = this.#setAside(database);
    this.#adopt(database);
    this.#request = request;
    this.#file = openFile(request.path);
    return { ...report, isReadOnly: false, setAside: rows, lastMessageKey: lastMessageKey(database), inode: this.#file.inode };
  }

  /** load gives the next piece of what is there, null after the last. */
  load(): Uint8Array<ArrayBuffer> | null {
    this.#pieces ??= loadPieces(this.#require(), this.#unsound?.sourceOf);
    const next = this.#pieces.next();
    if (next.done !== true) return next.value;
    this.#pieces = null;
    return null;
  }

  /** commit makes the records durable in one transaction, or throws and leaves the database as it was. It gives what it did when the file was gone. */
  commit(records: Uint8Array<ArrayBuffer>): Rewrite | null {
    if (this.#copy !== null) throw new StoreFault('read-only', 'the disk is read-only');
    const rescue = this.#requireFile();
    const database = this.#require();
    this.#moveUnsound();
    try {
      this.#applier ??= new Applier(database);
      database.exec('BEGIN IMMEDIATE');
      readRecords(records, this.#applier);
      database.exec('COMMIT');
    } catch (error) {
      this.#applier = null; // what it counted in memory is no longer true
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
    if (records.byteLength > 0) this.#commits++;
    return rescue;
  }

  /** locations answers a request about where phones were; one that failed has changed nothing. */
  locations(request: LocationRequest): LocationReplies[keyof LocationReplies] {
    const isWrite = request.what === 'append' || request.what === 'delete';
    if (isWrite && this.#copy !== null) throw new StoreFault('read-only', 'the disk is read-only');
    if (isWrite && this.#file !== null && !isInPlace(this.#file)) throw new StoreFault('deleted', 'the file of the database is gone');
    this.#locations ??= new LocationTable(this.#require());
    const answer = this.#locations.answer(request);
    if (isWrite) this.#commits++;
    return answer;
  }

  /** tidy checkpoints when the log is long; called when the commit is answered. Whatever fails will fail, and be told, at the next commit. */
  tidy(): void {
    if (this.#database === null || this.#logLength === null) return;
    try {
      const frames = Number(this.#logLength.get()?.['log']);
      if (frames !== this.#framesSeen) this.#fsyncs++;
      this.#framesSeen = frames;
      if (frames >= CHECKPOINT_PAGES) this.#checkpoint(this.#database);
    } catch {
      // the log stays as it is, and is tried again after the next commit
    }
  }

  /** namesAfter gives topics of retained values that follow one in the order of the database, a page at a time. */
  namesAfter(topicName: string): string[] {
    const rows = this.#require()
      .prepare('SELECT topic_name AS name FROM retained WHERE topic_name > ? ORDER BY topic_name LIMIT ?')
      .all(topicName, NAMES_PER_PAGE);
    return rows.map(({ name }) => String(name));
  }

  /**
   * backupStart ends when the first step of a backup is done; null = no backup has to take it. Nothing may be written meanwhile:
   * SQLite refuses a step beside a transaction of the same connection; node:sqlite takes a later one again, and the first for the last,
   * which ends the backup with the error "not an error".
   */
  get backupStart(): Promise<void> | null {
    return this.#backupStart;
  }

  /** backup writes a consistent copy while commits go on. The file must not be there; nothing is left of one that failed. */
  async backup(file: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      const database = this.#require();
      closeSync(openSync(file, 'wx', 0o600));
      try {
        await this.#copyTo(file, database);
        return;
      } catch (error) {
        rmSync(file, { force: true });
        if (tries === BACKUP_TRIES || database === this.#database) throw error;
      }
    }
  }

  async #copyTo(file: string, database: DatabaseSync): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#backupStart = promise;
    const progress = () => {
      if (this.#backupStart === promise) this.#backupStart = null;
      resolve();
    };
    try {
      await backup(database, file, { rate: BACKUP_PAGES, progress });
    } finally {
      progress();
    }
  }

  report(): WorkReport {
    return { bytesWritten: bytesWritten(), commits: this.#commits, fsyncs: this.#fsyncs };
  }

  /** close plays the log into the file and removes it. */
  close(): void {
    this.#pieces?.return(undefined);
    this.#database?.close();
    this.#database = null;
    if (this.#copy !== null) rmSync(this.#copy, { recursive: true, force: true });
  }

  /** On a full disk they wait where they are, and the load passes them over. */
  #setAside(database: DatabaseSync): SetAside | null {
    this.#unsound = new UnsoundRows(database);
    const { found } = this.#unsound;
    let stuck: string | null = null;
    try {
      this.#moveUnsound();
    } catch (error) {
      stuck = faultOf(error).reason;
    }
    return found.length === 0 ? null : { found, stuck };
  }

  /** What is written must not meet them: a new session would get the rows of an unsound one of the same name. */
  #moveUnsound(): void {
    this.#unsound?.move();
    this.#unsound = null;
  }

  #adopt(database: DatabaseSync): void {
    this.#database = database;
    this.#applier = null;
    this.#locations = null;
    this.#logLength = database.prepare('PRAGMA wal_checkpoint(NOOP)');
  }

  #checkpoint(database: DatabaseSync): void {
    database.exec('PRAGMA wal_checkpoint(PASSIVE)'); // the only reader is ourselves: nothing is left over
    this.#fsyncs += 3; // log, file, and the header of the log when it starts over
    const free = readNumber(database, 'freelist_count');
    if (free <= MANY_FREE_PAGES || free * 4 <= readNumber(database, 'page_count')) return;
    database.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
    this.#fsyncs++;
  }

  #openCopy({ path, synchronous }: OpenRequest): OpenReport {
    this.#copy = mkdtempSync(join(tmpdir(), 'midge-read-only-'));
    const copy = join(this.#copy, 'copy.db');
    for (const companion of ['', '-wal']) {
      if (statSync(path + companion, { throwIfNoEntry: false })) copyFileSync(path + companion, copy + companion);
    }
    prepareFolder(copy);
    const { database } = openDatabase(copy, synchronous);
    const rows = this.#setAside(database);
    this.#adopt(database);
    return { damage: null, upgrade: null, isReadOnly: true, setAside: rows, lastMessageKey: lastMessageKey(database), inode: null };
  }

  /** What goes into a file that has no name any more is lost at the restart: all of it is written to a new one first. */
  #requireFile(): Rewrite | null {
    const [file, request, open] = [this.#file, this.#request, this.#database];
    if (file === null || request === null || open === null || isInPlace(file)) return null;
    const aside = writeAnew(open, file, Date.now());
    const { database } = openDatabase(file.path, request.synchronous);
    this.#adopt(database);
    if (this.#unsound !== null) this.#unsound = new UnsoundRows(database);
    this.#file = openFile(file.path);
    open.close(); // SQLite sees that its file is not at its path any more, and leaves what is there alone
    return { inode: this.#file.inode, aside };
  }

  #require(): DatabaseSync {
    if (this.#database === null) throw new StoreFault('failed', 'the database is not open');
    return this.#database;
  }
}

function openOrReplace({ path, synchronous, now }: OpenRequest): Pick<OpenReport, 'damage' | 'upgrade'> & { database: DatabaseSync } {
  const aside = asideName(path, 'corrupt', now);
  let reason: string | null = null;
  try {
    const opened = openDatabase(path, synchronous, (error) => {
      const fault = faultOf(error);
      if (fault.kind !== 'damaged') return;
      moveAside(path, aside);
      reason = fault.reason;
    });
    return { ...opened, damage: null };
  } catch (error) {
    if (reason === null) throw error;
    prepareFolder(path);
    const { database } = openDatabase(path, synchronous);
    return { database, upgrade: null, damage: { reason, aside, salvaged: salvage(aside, database, `${path}.salvage`) } };
  }
}

function lastMessageKey(database: DatabaseSync): number {
  return Number(database.prepare(`SELECT max(key) AS key FROM message WHERE key BETWEEN 0 AND ${COUNT_MAX}`).get()?.['key'] ?? 0);
}

/** proc(5), /proc/pid/io: of this thread alone. Zero where there is no such file. */
function bytesWritten(): number {
  try {
    const text = readFileSync('/proc/thread-self/io', 'latin1');
    return Math.max(Number(/wchar: (\d+)/.exec(text)?.[1] ?? 0), Number(/\nwrite_bytes: (\d+)/.exec(text)?.[1] ?? 0));
  } catch {
    return 0;
  }
}
