// A database store for one test: its folder goes and its thread ends with the test.

import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../../src/base/clock.ts';
import type { LoadSink } from '../../../src/broker/ports.ts';
import { STORE_DEFAULTS, type StoreOptions } from '../../../src/store/options.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { type StartWorker, startStoreWorker } from '../../../src/store/worker-link.ts';
import { temporaryFolder } from '../disk/temporary-folder.ts';
import { type RecordingLog, recordingLog } from '../ports/recording-log.ts';

/** IGNORED is a sink for tests that have to load and do not care. */
export const IGNORED: LoadSink = { retained: () => {}, session: () => {} };

/** Trouble makes commits fail while its flag is not 0: an SQLite result code. */
export class Trouble {
  readonly memory: SharedArrayBuffer;
  readonly #flag: Int32Array;

  constructor() {
    this.memory = new SharedArrayBuffer(4);
    this.#flag = new Int32Array(this.memory);
  }

  set(code: number): void {
    Atomics.store(this.#flag, 0, code);
  }
}

/** StoreFolder opens stores on one folder, one after the other or at once. */
export class StoreFolder {
  readonly path: string;
  readonly file: string;
  readonly log: RecordingLog;
  readonly trouble: Trouble;
  readonly #options: StoreOptions;
  readonly #opened: Store[];
  readonly #workers: Worker[];

  constructor(t: TestContext, options: Partial<StoreOptions> = {}) {
    t.after(async () => {
      this.trouble.set(0);
      await Promise.all(this.#opened.map((store) => store.stop())); // before their folder goes: they would write it anew
    });
    this.path = join(temporaryFolder(t), 'state');
    this.#options = { ...STORE_DEFAULTS, folder: this.path, ...options };
    this.file = join(this.#options.folder, this.#options.file);
    this.log = recordingLog();
    this.trouble = new Trouble();
    this.#opened = [];
    this.#workers = [];
  }

  /** open opens a store; with `start` its commits can be made to fail. */
  async open(start: StartWorker = startStoreWorker): Promise<Store> {
    const record = () => {
      const worker = start();
      this.#workers.push(worker);
      return worker;
    };
    const store = await openStore(this.#options, { clock: systemClock, log: this.log }, record);
    this.#opened.push(store);
    return store;
  }

  /** openTroubled opens a store whose commits fail while `trouble` is set. */
  openTroubled(): Promise<Store> {
    const file = join(import.meta.dirname, 'troubled-store-worker.ts');
    return this.open(() => new Worker(file, { workerData: this.trouble.memory, execArgv: [] }));
  }

  /** killWorker ends the newest thread wherever it is. */
  async killWorker(): Promise<void> {
    await this.#workers.at(-1)?.terminate();
  }
}
