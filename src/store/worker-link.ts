// The line to the worker thread: requests, their replies, and what becomes of them when it dies.

import { Worker } from 'node:worker_threads';
import { StoreFault } from './faults.ts';
import { workerPath } from './worker-path.ts';
import type { Replies, ReplyEnvelope, Request, RequestEnvelope } from './worker-protocol.ts';
import type { WorkReport } from './worker-store.ts';

/** StartWorker makes a worker thread; tests put their own in between. */
export type StartWorker = () => Worker;

interface Asked {
  resolve(result: ReplyEnvelope['result']): void;
  reject(error: StoreFault): void;
}

/** startStoreWorker runs the worker's file. It needs little: what it keeps is on the card. */
export function startStoreWorker(): Worker {
  return new Worker(workerPath(), { name: 'midge-store', execArgv: [] });
}

/** WorkerLink is one life of the worker: once it is dead every request fails, and a new link is made. */
export class WorkerLink {
  readonly #worker: Worker;
  readonly #asked: Map<number, Asked>;
  #lastId: number;
  #work: WorkReport;
  /** Why it ended, null while it lives. */
  #end: string | null;

  constructor(start: StartWorker) {
    this.#asked = new Map();
    this.#lastId = 0;
    this.#work = { bytesWritten: 0, commits: 0, fsyncs: 0 };
    this.#end = null;
    this.#worker = start();
    this.#worker.on('message', (reply: ReplyEnvelope) => this.#onReply(reply));
    this.#worker.on('error', (error) => this.#onEnd(error instanceof Error ? error.message : String(error)));
    this.#worker.on('exit', (status) => this.#onEnd(`it ended with status ${status}`));
  }

  get isAlive(): boolean {
    return this.#end === null;
  }

  /** work is what the worker had done when it last replied. */
  get work(): WorkReport {
    return this.#work;
  }

  /** ask sends a request and resolves with its reply; rejects with a StoreFault. */
  ask<R extends Request>(request: R): Promise<Replies[R['kind']]> {
    if (this.#end !== null) return Promise.reject(new StoreFault('failed', `the thread of the store ended: ${this.#end}`));
    const id = ++this.#lastId;
    const transferred = request.kind === 'commit' ? [request.records.buffer] : [];
    return new Promise((resolve, reject) => {
      const settle = resolve as Asked['resolve']; // the reply to this id is of this kind
      this.#asked.set(id, { resolve: settle, reject });
      this.#worker.postMessage({ id, request } satisfies RequestEnvelope, transferred);
    });
  }

  /** terminate ends the thread wherever it is. What it was asked fails. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #onReply({ id, result, fault, work }: ReplyEnvelope): void {
    this.#work = work;
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (fault === null) asked?.resolve(result);
    else asked?.reject(new StoreFault(fault.kind, fault.reason));
  }

  #onEnd(reason: string): void {
    this.#end ??= reason;
    for (const asked of this.#asked.values()) asked.reject(new StoreFault('failed', `the thread of the store ended: ${this.#end}`));
    this.#asked.clear();
  }
}
