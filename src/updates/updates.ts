// The broker's side of updates: which version is the newest, asking root to install it, and doing both by itself where the owner wants it.

import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { replaceSecret } from '../base/durable-file.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { Part } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { FileKind } from './manifest.ts';
import type { PublicKey } from './minisign.ts';
import { findNewest, type NewestRelease } from './newest-release.ts';
import type { UpdateOptions } from './options.ts';
import { keysFolderOf } from './release-keys.ts';
import { releaseSource } from './release-source.ts';
import { compareVersions } from './semantic-version.ts';
import { readAttempt, readProgress, readRefusal, type UpdateAttempt, type UpdatePlaces, type UpdateProgress } from './update-record.ts';
import { isInWindow, momentInWindow } from './update-window.ts';

const TICK_MS = 60_000;

/** Between two looks at how far root is. */
const LOOK_MS = 300;

/** Root's service has begun by then, or there is none. */
const ANSWER_MS = 60_000;

/** Two looks by itself are at least so far apart. */
const BETWEEN_MS = 12 * 3_600_000;

/** UpdateWay is who changes the program here: root's service, Debian's package manager, or a person (a container, a program started by hand). */
export type UpdateWay = 'service' | 'package' | 'by hand';

/** CANNOT_INSTALL says why the broker can't have it done, and who can. */
export const CANNOT_INSTALL: Readonly<Record<Exclude<UpdateWay, 'service'>, string>> = {
  package: 'Cannot install the update: midge is a Debian package here - download the new one and use apt-get install',
  'by hand': 'Cannot install the update: midge is not a service of this machine - replace the program or the container',
};

export interface UpdatesSetup {
  readonly options: UpdateOptions;
  /** The version that runs. */
  readonly current: string;
  /** As Node names it. */
  readonly architecture: string;
  /** What this machine takes of a release. */
  readonly kind: FileKind;
  readonly way: UpdateWay;
  /** The trusted keys; throws OperatorError when they can't be read. */
  readonly keys: () => readonly PublicKey[];
  readonly places: UpdatePlaces;
  /** In the state folder, which `makeFolder` makes: what was found last, and the request to root. */
  readonly memory: string;
  readonly request: string;
  readonly makeFolder: () => void;
  readonly clock: Clock;
  /** Milliseconds since 1970: an earlier clock is wrong. */
  readonly buildDate: number;
  readonly log: Logger;
  /** A number from 0 to 1. */
  readonly random: () => number;
}

/** UpdatesState is what is known. Times are in milliseconds since 1970. */
export interface UpdatesState {
  readonly options: UpdateOptions;
  readonly current: string;
  readonly way: UpdateWay;
  /** The newest release when it was looked for last; null = never found. */
  readonly newest: (NewestRelease & { readonly isNewer: boolean }) | null;
  /** The last look, and why it found nothing; null = there was none. */
  readonly checked: { readonly at: number; readonly fault: string | null } | null;
  /** When it looks by itself; null = it does not. */
  readonly nextCheck: number | null;
  readonly progress: UpdateProgress | null;
  readonly last: UpdateAttempt | null;
}

/** Memory is kept in the state folder. */
interface Memory {
  readonly newest: NewestRelease | null;
  readonly checked: UpdatesState['checked'];
}

/** Updates looks for nothing by itself unless the options say so. */
export class Updates implements Part {
  readonly name = 'updates';
  readonly #setup: UpdatesSetup;
  readonly #stopped = new AbortController();
  #memory: Memory;
  #nextCheck: number | null = null;
  #timer: NodeJS.Timeout | null = null;
  #checking: Promise<void> | null = null;

  constructor(setup: UpdatesSetup) {
    this.#setup = setup;
    this.#memory = recall(setup.memory);
  }

  async start(): Promise<void> {
    if (this.#setup.options.mode === 'off') return;
    this.#plan();
    this.#timer = setInterval(() => void this.tick(), TICK_MS).unref();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#nextCheck = null;
  }

  get state(): UpdatesState {
    const { options, current, way, places } = this.#setup;
    const { newest, checked } = this.#memory;
    return {
      options,
      current,
      way,
      newest: newest && { ...newest, isNewer: compareVersions(newest.version, current) > 0 },
      checked,
      nextCheck: this.#nextCheck,
      progress: readProgress(places.progress),
      last: readAttempt(places.last),
    };
  }

  /** check looks for the newest release, once however many ask. What goes wrong is in the state. */
  check(): Promise<void> {
    this.#checking ??= this.#look().finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  /** install asks root for the newest release and tells how far it is; the program may end meanwhile. Throws OperatorError where nobody takes the request, where it is refused because of another one, or when the program stops. */
  async install(report: (progress: UpdateProgress) => void): Promise<UpdateAttempt> {
    const { way, request, places, clock } = this.#setup;
    if (way !== 'service') throw new OperatorError(CANNOT_INSTALL[way]);
    const before = readAttempt(places.last);
    const refusedBefore = readRefusal(places.refused);
    let shown = '';
    let isBegun = readProgress(places.progress) !== null;
    if (!isBegun) writeFileSync(request, '', { mode: 0o600 });
    const begun = clock.monotonic();
    for (;;) {
      await this.#pause();
      const progress = readProgress(places.progress);
      const last = readAttempt(places.last);
      if (last !== null && last.at !== before?.at && progress === null) return last;
      const refusal = readRefusal(places.refused);
      if (refusal !== null && refusal.at !== refusedBefore?.at) throw new OperatorError(refusal.reason);
      if (progress !== null && JSON.stringify(progress) !== shown) report(progress);
      shown = JSON.stringify(progress);
      isBegun ||= progress !== null;
      if (!isBegun && clock.monotonic() - begun > ANSWER_MS)
        throw new OperatorError(
          'Cannot install the update: nothing on this machine has taken the request - see: systemctl status midge-upgrade.path midge-upgrade.service',
        );
    }
  }

  /** tick does what is due by itself. */
  async tick(): Promise<void> {
    const { clock, buildDate, options, log } = this.#setup;
    const now = clock.now();
    if (this.#nextCheck === null || now < this.#nextCheck || now < buildDate) return;
    // After a sleep of the machine, or a jump of its clock, the window may be over.
    if (isInWindow(options.window, now)) {
      this.#nextCheck = null;
      await this.check();
      if (this.#stopped.signal.aborted) return;
      const { checked, newest } = this.state;
      if (checked?.fault) log.log('warning', `Warning: ${checked.fault}`);
      else if (newest?.isNewer) await this.#takeByItself(newest);
    }
    this.#plan();
  }

  async #takeByItself({ version }: NewestRelease): Promise<void> {
    const { options, current, log, places } = this.#setup;
    if (options.mode !== 'install') return log.log('notice', `midge ${version} is there, and ${current} runs.`);
    const last = readAttempt(places.last);
    if (last?.outcome === 'failed' && last.hasBegun && last.to === version)
      return log.log('notice', `midge ${version} is not installed by itself again: the last try failed.`);
    log.log('notice', `Installing midge ${version}: automatic_updates install.`);
    try {
      const { outcome, reason } = await this.install(() => {});
      if (outcome === 'failed') log.log('warning', `Warning: midge ${version} could not be installed: ${reason}`);
    } catch (error) {
      if (!this.#stopped.signal.aborted) log.log('warning', `Warning: ${reasonOf(error)}`);
    }
  }

  #plan(): void {
    const { clock, options, random } = this.#setup;
    if (this.#stopped.signal.aborted) return;
    const last = this.#memory.checked?.at ?? Number.NEGATIVE_INFINITY;
    const now = clock.now();
    const isRecent = last <= now && now - last < BETWEEN_MS;
    this.#nextCheck = momentInWindow(options.window, isRecent ? last + BETWEEN_MS : now, random());
  }

  async #look(): Promise<void> {
    const { clock, buildDate, options, keys, current, architecture, kind } = this.#setup;
    const now = Math.max(clock.now(), buildDate);
    try {
      if (options.url === null)
        throw new OperatorError('Cannot look for updates: nobody has said where releases are - set updates_url in the configuration');
      const trusted = keys();
      if (trusted.length === 0)
        throw new OperatorError(
          `Cannot look for updates: this build carries no key of a project - put the public key of those whose releases you take into ${keysFolderOf(kind)}/NAME.pub`,
        );
      const newest = await findNewest({ source: releaseSource(options.url), keys: trusted, current, architecture, kind, now });
      this.#remember({ newest, checked: { at: clock.now(), fault: null } });
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      this.#remember({ newest: this.#memory.newest, checked: { at: clock.now(), fault: error.message } });
    }
  }

  #remember(memory: Memory): void {
    this.#memory = memory;
    try {
      this.#setup.makeFolder();
      replaceSecret(this.#setup.memory, `${JSON.stringify(memory)}\n`);
    } catch (error) {
      this.#setup.log.log('warning', `Warning: What is known about updates is not kept over a restart: ${reasonOf(error)}.`);
    }
  }

  async #pause(): Promise<void> {
    try {
      await delay(LOOK_MS, undefined, { signal: this.#stopped.signal });
    } catch {
      throw new OperatorError('Cannot tell how the update goes on: the broker stops');
    }
  }
}

/** What does not read as a memory was never written, or is not ours: nothing is known then. */
function recall(path: string): Memory {
  try {
    const { newest, checked } = JSON.parse(readFileSync(path, 'utf8')) as Memory; // this room has written it
    const isKnown = newest === null || (typeof newest.version === 'string' && compareVersions(newest.version, newest.version) === 0);
    if (isKnown && typeof checked?.at === 'number') return { newest, checked };
  } catch {
    // It is looked for anew.
  }
  return { newest: null, checked: null };
}
