// What passes between the broker, which may not change the program of this machine, and root, who does it when the broker asks.
//
//   broker (user midge)                          root (midge-upgrade.service)
//     writes update-request  -- midge-upgrade.path -->  midge upgrade --requested: reads nothing of the request
//     reads progress.json    <-----------------------   while it works
//     reads last.json        <-----------------------   how it ended
//     reads refused.json     <-----------------------   why it was not begun, where last.json belongs to another one
//
// The request is only a bell. What is installed is the newest release at the address of the configuration, if it is signed and not older.

import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { replaceFile } from '../base/durable-file.ts';
import { isVersion } from './semantic-version.ts';

/** UPDATE_PLACES on the machine; both folders are root's and made by midge-upgrade.service. */
export const UPDATE_PLACES = {
  progress: '/run/midge-upgrade/progress.json',
  last: '/var/lib/midge-upgrade/last.json',
  refused: '/var/lib/midge-upgrade/refused.json',
  /** What listens for the request. */
  bell: '/etc/systemd/system/midge-upgrade.path',
} as const;

export type UpdatePlaces = Readonly<Record<keyof typeof UPDATE_PLACES, string>>;

/** PROGRESS_NAME, LAST_NAME and REFUSED_NAME are the same files in the folders that systemd tells the service. */
export const PROGRESS_NAME = 'progress.json';
export const LAST_NAME = 'last.json';
export const REFUSED_NAME = 'refused.json';

/** OUTCOMES of an update. */
export const OUTCOMES = ['installed', 'on trial', 'unchanged', 'failed'] as const;

/** Characters of a reason that are kept. */
const MOST_REASON = 2000;

/** UpdateProgress is how far an update is. */
export interface UpdateProgress {
  readonly step: 'fetching' | 'installing';
  readonly version: string;
  /** Bytes that have come, of how many. */
  readonly bytes: number;
  readonly size: number;
}

/** UpdateAttempt is how the last try ended: installed, nothing newer there, or not done, with the reason why the machine has the version that it had. On a card an update is on trial from when it was written until it has been healthy for five minutes: rootfs/usr/libexec/midge/slots writes how that ended. */
export interface UpdateAttempt {
  /** When it ended: ISO 8601 in UTC. */
  readonly at: string;
  readonly from: string;
  /** Null = it ended before that was known. */
  readonly to: string | null;
  readonly outcome: (typeof OUTCOMES)[number];
  /** Null unless it failed. */
  readonly reason: string | null;
  /** False = it ended before anything was changed: the same release may do better another time. */
  readonly hasBegun: boolean;
}

/** UpdateRefusal says why a request was not even begun: another upgrade is at work, or a system is on trial. */
export interface UpdateRefusal {
  /** ISO 8601 in UTC. */
  readonly at: string;
  readonly reason: string;
}

/** writeProgress tells everybody on this machine. */
export function writeProgress(path: string, progress: UpdateProgress): void {
  write(path, progress);
}

/** writeAttempt tells it beyond a restart. Of a long reason its end is kept. */
export function writeAttempt(path: string, attempt: UpdateAttempt): void {
  write(path, { ...attempt, reason: attempt.reason?.slice(-MOST_REASON) ?? null });
}

/** writeRefusal leaves the record of the last attempt as it is. */
export function writeRefusal(path: string, refusal: UpdateRefusal): void {
  write(path, refusal);
}

/** readProgress gives how far it is, or null = nothing is under way. */
export function readProgress(path: string): UpdateProgress | null {
  const value = readJson(path);
  const { step, version, bytes, size } = value;
  if ((step !== 'fetching' && step !== 'installing') || typeof version !== 'string' || typeof bytes !== 'number') return null;
  return typeof size === 'number' ? { step, version, bytes, size } : null;
}

/** readAttempt gives how the last one ended, or null = there was none. */
export function readAttempt(path: string): UpdateAttempt | null {
  const { at, from, to, outcome, reason, hasBegun } = readJson(path);
  if (typeof at !== 'string' || Number.isNaN(Date.parse(at)) || typeof from !== 'string') return null;
  const known = OUTCOMES.find((each) => each === outcome);
  if (known === undefined) return null;
  return {
    at,
    from,
    to: typeof to === 'string' && isVersion(to) ? to : null,
    outcome: known,
    reason: typeof reason === 'string' ? reason : null,
    hasBegun: hasBegun !== false,
  };
}

/** readRefusal gives that of the last request that was refused, or null = none was. */
export function readRefusal(path: string): UpdateRefusal | null {
  const { at, reason } = readJson(path);
  return typeof at === 'string' && typeof reason === 'string' ? { at, reason } : null;
}

function write(path: string, value: object): void {
  replaceFile(path, (temporary) => {
    writeFileSync(temporary, `${JSON.stringify(value)}\n`, { flag: 'wx' });
    chmodSync(temporary, 0o644);
  });
}

function readJson(path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}; // an object of JSON
  } catch {
    return {};
  }
}
