// A store on a disk that goes bad: a process that can be recorded or run on a file system of its own.
//
//   node store-on-bad-disk.ts FOLDER full ERRNO_FILE     writes fail with ENOSPC while the file is there
//   node store-on-bad-disk.ts FOLDER read-only           opens, loads and asks; the folder is read-only
//
// Prints what the store says, as JSON.

import { rmSync, writeFileSync } from 'node:fs';
import { systemClock } from '../../../src/base/clock.ts';
import type { LoadedSession } from '../../../src/broker/ports.ts';
import { STORE_DEFAULTS } from '../../../src/store/options.ts';
import { openStore, type Store } from '../../../src/store/store.ts';
import { recordingLog } from '../ports/recording-log.ts';
import { durably, storedDelivery, storedMessage, storedSession } from './stored.ts';

const ENOSPC = '28';
const log = recordingLog();

async function open(folder: string): Promise<{ store: Store; sessions: number }> {
  const store = await openStore({ ...STORE_DEFAULTS, folder }, { clock: systemClock, log });
  const sessions: LoadedSession[] = [];
  await store.load({ session: (loaded) => void sessions.push(loaded), retained: () => {} });
  return { store, sessions: sessions.length };
}

async function goFull(folder: string, errnoFile: string): Promise<unknown> {
  const { store } = await open(folder);
  store.saveSession(storedSession('before'));
  const before = await durably(store);
  writeFileSync(errnoFile, ENOSPC);
  store.saveDelivery('before', storedDelivery(1), storedMessage(1));
  const [during, again] = [await durably(store), await durably(store)];
  const { state } = store.health();
  rmSync(errnoFile);
  await log.line(/is written again/);
  const after = await durably(store);
  await store.stop();
  return { before, during, again, state, after, lines: log.lines };
}

async function readOnly(folder: string): Promise<unknown> {
  const { store, sessions } = await open(folder);
  store.saveSession(storedSession('new'));
  const outcome = await durably(store);
  const { state } = store.health();
  await store.stop();
  return { sessions, outcome, state, lines: log.lines };
}

const [folder = '', how, errnoFile = ''] = process.argv.slice(2);
if (import.meta.main) console.log(JSON.stringify(how === 'full' ? await goFull(folder, errnoFile) : await readOnly(folder)));
