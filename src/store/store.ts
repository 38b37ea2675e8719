// The door of the store: what must survive a power cut, in one SQLite database that a worker thread writes.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../base/errors.ts';
import { CommitQueue, type StorePorts } from './commit-queue.ts';
import { DurableStore, type Store } from './durable-store.ts';
import { type FaultKind, faultOf } from './faults.ts';
import type { StoreOptions } from './options.ts';
import { type StartWorker, startStoreWorker } from './worker-link.ts';

export type { StoreCounters, StorePorts } from './commit-queue.ts';
export type { Store, StoreTimes } from './durable-store.ts';
export type { StoreHealth, StoreState } from './health.ts';

/**
 * openStore opens or makes the database. A damaged one is moved aside, and on a full or read-only disk the store starts with what can be
 * read: `health` tells. Rejects with an OperatorError when another broker uses the folder, when the database is of a newer version,
 * when the file is not ours, when this user may not write there, or when there is none yet and it can't be made.
 */
export async function openStore(options: StoreOptions, ports: StorePorts, start: StartWorker = startStoreWorker): Promise<Store> {
  const path = join(options.folder, options.file);
  const line = new CommitQueue(path, options, ports, start);
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
