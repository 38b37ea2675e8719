// Root's answer to a broker that asks for an update: `midge upgrade --requested`, started by midge-upgrade.service.
//
// Whoever has taken over the broker can ask as often as they like, and write into its state folder and perhaps its configuration. They
// get what the owner's own request gets: the newest signed release from updates_url. The request itself is never read, the configuration
// is read with the rights of the broker's user, and no word of either reaches a command.

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { STATE_NAMES } from '../base/state-names.ts';
import { releasesUrl } from '../config/directives/updates.ts';
import { isMistake } from '../config/values.ts';
import { readSetting } from '../config/writer.ts';
import { PLACES } from '../install/plan.ts';
import { asOwnerNow } from '../state/as-owner.ts';
import type { Invocation } from '../terminal/command.ts';
import {
  LAST_NAME,
  PROGRESS_NAME,
  REFUSED_NAME,
  readAttempt,
  type UpdateAttempt,
  type UpdatePlaces,
  writeAttempt,
  writeProgress,
  writeRefusal,
} from '../updates/update-record.ts';
import { configurationFile } from './configuration-file.ts';
import { UpgradeAtWork } from './upgrade-lock.ts';

/** Between two tellings of how far it is. */
const TELL_MS = 500;

/** UpgradeWatch is told how an upgrade goes on. */
export interface UpgradeWatch {
  /** The versions in place and of the release, which may be refused yet. */
  found(from: string, to: string): void;
  fetched(bytes: number, size: number): void;
  /** The new version installs itself, or is written for a trial: what that comes to when it goes well. */
  installing(success: 'installed' | 'on trial'): void;
  /** What it says about a failure. */
  said(text: string): void;
}

/** Upgrade carries out an upgrade from an address and gives the exit status. */
export type Upgrade = (address: string, watch: UpgradeWatch) => Promise<number>;

/** configuredAddress gives updates_url; throws OperatorError where nobody has set it. */
export function configuredAddress(invocation: Pick<Invocation, 'flags'>): string {
  const file = configurationFile(invocation);
  const { directive, statements } = asOwnerNow(PLACES.state, () => readSetting(file, 'updates_url', null));
  const text = statements.at(-1)?.text ?? directive.default;
  if (text === null)
    throw new OperatorError(
      `Cannot upgrade: no release is named, and "${file}" has no updates_url - use: midge upgrade FILE or midge upgrade URL`,
    );
  const reading = releasesUrl.read(text, 'updates_url');
  if (isMistake(reading)) throw new OperatorError(`Cannot upgrade: ${reading.problem} - ${reading.hint}`);
  return reading.value;
}

/** answerRequest carries out the upgrade that the broker has asked for, and leaves how far it is and how it ended where the broker reads it. */
export async function answerRequest(invocation: Invocation, from: () => string, upgrade: Upgrade): Promise<number> {
  const records = recordsOf(invocation.terminal.env);
  takeRequest();
  return recordUpgrade(records, from, (watch) => upgrade(configuredAddress(invocation), watch));
}

type Records = Pick<UpdatePlaces, 'progress' | 'last' | 'refused'>;

/** recordUpgrade gives the exit status of `upgrade`. What another upgrade has left in the record stays while that one is at work or on trial. */
export async function recordUpgrade(
  records: Records,
  from: () => string,
  upgrade: (watch: UpgradeWatch) => Promise<number>,
): Promise<number> {
  const watch = new RecordingWatch(records.progress);
  let attempt: Pick<UpdateAttempt, 'outcome' | 'reason'> = { outcome: 'failed', reason: 'The upgrade was interrupted' };
  let isOtherAtWork = false;
  try {
    const status = await upgrade(watch);
    if (status === 0) attempt = { outcome: watch.success, reason: null };
    else attempt = { outcome: 'failed', reason: watch.words.trim() || `The new version ended with status ${status}` };
    return status;
  } catch (error) {
    attempt = { outcome: 'failed', reason: reasonOf(error) };
    isOtherAtWork = error instanceof UpgradeAtWork;
    throw error;
  } finally {
    const at = new Date().toISOString();
    const trial = watch.hasBegun ? null : trialIn(records.last);
    if (isOtherAtWork || trial !== null)
      writeRefusal(records.refused, { at, reason: attempt.reason ?? `Nothing newer is there, and midge ${trial} is on trial` });
    else writeAttempt(records.last, { at, from: watch.from ?? from(), to: watch.to, ...attempt, hasBegun: watch.hasBegun });
    rmSync(records.progress, { force: true });
  }
}

/** trialIn gives the version that is on trial, or null. rootfs/usr/libexec/midge/slots reads in the record which one it is, and writes what became of it. */
function trialIn(last: string): string | null {
  const attempt = readAttempt(last);
  return attempt?.outcome === 'on trial' ? attempt.to : null;
}

/** systemd makes both folders, systemd.exec(5). */
function recordsOf(env: Readonly<Record<string, string | undefined>>): Records {
  const { RUNTIME_DIRECTORY: running, STATE_DIRECTORY: kept } = env;
  if (!running || !kept || process.getuid?.() !== 0)
    throw new OperatorError('Cannot answer a request: only midge-upgrade.service does - use: sudo midge upgrade');
  for (const folder of [running, kept]) mkdirSync(folder, { recursive: true });
  // Commands that an installation runs are about the broker's state folder, not about this service's.
  for (const name of ['STATE_DIRECTORY', 'RUNTIME_DIRECTORY']) delete process.env[name];
  return { progress: join(running, PROGRESS_NAME), last: join(kept, LAST_NAME), refused: join(kept, REFUSED_NAME) };
}

/** First, so that it is answered once; whatever lies there by that name. */
function takeRequest(): void {
  asOwnerNow(PLACES.state, () => rmSync(join(PLACES.state, STATE_NAMES.updateRequest), { recursive: true, force: true }));
}

class RecordingWatch implements UpgradeWatch {
  readonly #path: string;
  #told = Number.NEGATIVE_INFINITY;
  #size = 0;
  from: string | null = null;
  to: string | null = null;
  words = '';
  success: UpdateAttempt['outcome'] = 'unchanged';
  hasBegun = false;

  constructor(path: string) {
    this.#path = path;
  }

  found(from: string, to: string): void {
    this.from = from;
    this.to = to;
  }

  fetched(bytes: number, size: number): void {
    this.#size = size;
    const now = performance.now();
    if (now - this.#told < TELL_MS && bytes < size) return;
    this.#told = now;
    this.#tell('fetching', bytes);
  }

  installing(success: 'installed' | 'on trial'): void {
    this.success = success;
    this.hasBegun = true;
    this.#tell('installing', this.#size);
  }

  said(text: string): void {
    this.words += text;
  }

  #tell(step: 'fetching' | 'installing', bytes: number): void {
    writeProgress(this.#path, { step, version: this.to ?? '', bytes, size: this.#size });
  }
}
