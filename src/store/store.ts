// The door of the store: what must survive a power cut, in one SQLite database that a worker thread writes.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import type { SessionStore } from '../broker/ports.ts';
import { CommitLine, type StoreCounters, type StorePorts } from './commit-line.ts';
import { DurableStore } from './durable-store.ts';
import { type FaultKind, faultOf } from './faults.ts';
import type { StoreHealth } from './health.ts';
import type { StoreOptions } from './options.ts';
import { type StartWorker, startStoreWorker } from './worker-link.ts';

export type { StoreCounters, StorePorts } from './commit-line.ts';
export type { StoreHealth, StoreState } from './health.ts';

/**
 * Store is the engine's port and what the house wants to know of it. `lastMessageKey` is complete after `load`. A session is saved before
 * what hangs on it, and a delivery under an order that its session never used before: then one that is dropped in time is never written.
 */
export interface Store extends SessionStore {
  health(): StoreHealth;
  counters(): StoreCounters;
  /** backup writes a consistent copy as a new database of mode 0600, while commits go on. Rejects with an OperatorError; the file must not be there. */
  backup(file: string): Promise<void>;
  /** stop writes all that is noted and closes the database. Nothing may be noted after it. */
  stop(): Promise<void>;
}

/**
 * openStore opens or makes the database. A damaged one is moved aside, and on a full or read-only disk the store starts with what can be
 * read: `health` tells. Rejects with an OperatorError when another broker uses the folder, when the database is of a newer version,
 * when the file is not ours, when this user may not write there, or when there is none yet and it can't be made.
 */
export async function openStore(options: StoreOptions, ports: StorePorts, start: StartWorker = startStoreWorker): Promise<Store> {
  const path = join(options.folder, options.file);
  const line = new CommitLine(path, options, ports, start);
  const isFirst = !isKept(path);
  try {
    const { lastMessageKey, isReadOnly } = await line.open(true);
    const store = new DurableStore(line, options, lastMessageKey);
    if (isReadOnly) store.trouble({ kind: 'read-only', reason: 'the disk is read-only' });
    return store;
  } catch (error) {
    const { kind, reason } = faultOf(error);
    const advice = ADVICE[kind];
    if (advice !== undefined)
      throw cannot('open', path, `${reason} - ${advice}`, {
        cause: error,
        exitCode: kind === 'locked' || kind === 'newer' ? 1 : BAD_CONFIGURATION,
      });
    if (isFirst)
      throw cannot(
        'make',
        path,
        `${reason} - ${kind === 'full' ? 'make space, or ' : ''}name another place with persistence_location or persistence_file`,
        { cause: error, exitCode: BAD_CONFIGURATION },
      );
    const store = new DurableStore(line, options, ports.clock.now()); // milliseconds since 1970 are above all keys that the card may hold: they count messages
    store.trouble({ kind, reason });
    return store;
  }
}

/** ADVICE for what a person must mend before the broker starts. */
const ADVICE: Readonly<Partial<Record<FaultKind, string>>> = {
  locked: 'another broker uses it: stop that one, or give this one a folder of its own (--state, persistence_location)',
  newer:
    'start the newer midge again. "midge restore --before-upgrade" puts back what was there before that one, if it was first started less than a week ago',
  foreign: 'name another file with persistence_file',
  forbidden: 'make folder and file writable for the user of the broker, or name another folder (--state, persistence_location)',
};

/** mosquitto's exit status for a configuration that can't be used. */
const BAD_CONFIGURATION = 3;

function cannot(what: 'open' | 'make', path: string, why: string, options: ConstructorParameters<typeof OperatorError>[1]): OperatorError {
  return new OperatorError(`Cannot ${what} database "${path}": ${why}`, options);
}

/** A file without content is what a first start leaves that was cut off; its log is something. */
function isKept(path: string): boolean {
  try {
    return [path, `${path}-wal`].some((each) => (statSync(each, { throwIfNoEntry: false })?.size ?? 0) > 0);
  } catch {
    return true; // whoever may not look will be told so
  }
}
