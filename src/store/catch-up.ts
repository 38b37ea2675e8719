// More retained values changed than can be noted while the card takes nothing: later all that are in memory are written where they differ,
// and what is on the card only goes.

import type { RetainedSource, StoredMessage } from '../broker/ports.ts';

/** Values that are noted between two commits. */
const BATCH = 1000;

/** CatchUpPorts are what it needs of the store. */
export interface CatchUpPorts {
  /** The memory. */
  readonly source: RetainedSource;
  /** False where the memory may lack what could not be read at the start: then nothing on the card goes. */
  readonly isWhole: boolean;
  /** retain notes a value for the next commit, null = none. */
  retain(topicName: string, message: StoredMessage | null): void;
  /** flush commits what is noted; false = it could not. */
  flush(): Promise<boolean>;
  /** namesAfter gives the next topics on the card, in their order there; rejects with a StoreFault. */
  namesAfter(topicName: string): Promise<readonly string[]>;
}

/** catchUp gives false when the card took not all of it. Values that change meanwhile are noted by whoever changes them. */
export async function catchUp(ports: CatchUpPorts): Promise<boolean> {
  return (await saveAll(ports)) && (!ports.isWhole || (await forgetOthers(ports)));
}

async function saveAll({ source, retain, flush }: CatchUpPorts): Promise<boolean> {
  let noted = 0;
  for (const message of source.retained()) {
    retain(message.topicName, message);
    if (++noted % BATCH === 0 && !(await flush())) return false;
  }
  return flush();
}

async function forgetOthers({ source, retain, flush, namesAfter }: CatchUpPorts): Promise<boolean> {
  let last = '';
  for (;;) {
    const names = await namesAfter(last).catch(() => null);
    if (names === null) return false; // the next commit says why
    const lastName = names.at(-1);
    if (lastName === undefined) return true;
    for (const name of names) if (!source.hasRetained(name)) retain(name, null);
    if (!(await flush())) return false;
    last = lastName;
  }
}
