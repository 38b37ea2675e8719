// Where the worker's file is: beside this one when the sources run, beside the bundle in the executable.

import { join } from 'node:path';

/** The bundler replaces both: MIDGE_STORE_WORKER by the name of the worker's bundle, import.meta.dirname by __dirname. */
declare const MIDGE_STORE_WORKER: string | undefined;

/** workerPath gives a path and not a URL: the executable's files are known by path only. */
export function workerPath(): string {
  return join(import.meta.dirname, typeof MIDGE_STORE_WORKER === 'undefined' ? 'store-worker.ts' : MIDGE_STORE_WORKER);
}
