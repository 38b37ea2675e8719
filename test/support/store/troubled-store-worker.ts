// The store's thread on a bad card: COMMIT fails with the SQLite result code that the test has set.

import { DatabaseSync } from 'node:sqlite';
import { workerData } from 'node:worker_threads';

const flag = new Int32Array(workerData as SharedArrayBuffer); // what the test hands over
const exec = DatabaseSync.prototype.exec;

DatabaseSync.prototype.exec = function (sql: string): void {
  const code = Atomics.load(flag, 0);
  if (code !== 0 && sql === 'COMMIT') throw Object.assign(new Error(`trouble ${code}`), { errcode: code });
  exec.call(this, sql);
};

await import('../../../src/store/store-worker.ts');
