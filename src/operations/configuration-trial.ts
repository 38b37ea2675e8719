// A change of the configuration file that counts only once it is confirmed: who has locked himself out by it need only wait.
//
//   apply     midge.conf.unconfirmed = the old file (a second name of it)      midge.conf = the new text, in one step
//   confirm   midge.conf.unconfirmed goes
//   else      midge.conf.unconfirmed takes the place of midge.conf, in one step: after the time, or at the next start
//
// A power cut at any moment leaves the old or the new text, and an unconfirmed one is taken back when the program starts.

import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, linkSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncPath } from '../base/durable-file.ts';
import { reasonOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { rewriteFile } from '../base/rewrite-file.ts';
import type { LastReload, Trial, TriedChange } from './needs.ts';
import { OperationFailure } from './operation.ts';

/** CONFIRM_SECONDS is the time in which a change is confirmed, or else taken back. */
export const CONFIRM_SECONDS = 60;

/** Milliseconds after which a file that could not be put back is tried again: the disk may be full. */
const AGAIN_MS = 10_000;

/** Reload puts in force what stands in the files. */
type Reload = () => Promise<LastReload>;

interface Unconfirmed {
  readonly token: string;
  readonly file: string;
  /** What was written. */
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly reload: Reload;
  timer: NodeJS.Timeout;
}

/** ConfigurationTrial lives as long as the program: one change is tried at a time. */
export class ConfigurationTrial implements Trial {
  readonly #log: Logger;
  readonly #milliseconds: number;
  readonly #again: number;
  #unconfirmed: Unconfirmed | null = null;
  #isBusy = false;

  constructor(log: Logger, milliseconds = CONFIRM_SECONDS * 1000, again = AGAIN_MS) {
    this.#log = log;
    this.#milliseconds = milliseconds;
    this.#again = again;
  }

  /** waiting is the change that waits to be confirmed, or null. */
  get waiting(): { readonly token: string; readonly until: number } | null {
    return this.#unconfirmed;
  }

  /** apply writes a text and puts it in force. Throws OperationFailure, and all is as it was. */
  async apply(file: string, text: string, reload: Reload): Promise<TriedChange> {
    if (this.#unconfirmed !== null || this.#isBusy)
      throw new OperationFailure('conflict', `Cannot change "${file}": another change waits to be confirmed`);
    this.#isBusy = true;
    try {
      const path = realpathSync(file);
      replaceKeepingOld(path, text);
      const { error, mistakes, later } = await reload();
      if (error !== null) {
        takeBackUnconfirmed(path);
        await reload();
        throw new OperationFailure('not possible', `Cannot put "${file}" in force: ${[error, ...mistakes].join('\n')}\nIt was taken back.`);
      }
      const token = randomBytes(16).toString('base64url');
      const timer = this.#later(this.#milliseconds);
      this.#unconfirmed = { token, file: path, text, until: Date.now() + this.#milliseconds, reload, timer };
      return { confirm: token, until: this.#unconfirmed.until, later };
    } finally {
      this.#isBusy = false;
    }
  }

  /** confirm makes the change last. Throws OperationFailure when another one waits, or none. */
  confirm(token: string): void {
    const { timer, file } = this.#require(token);
    forgetOld(file);
    clearTimeout(timer);
    this.#unconfirmed = null;
  }

  /** takeBack puts the old text in force again; false = no change waits. Throws OperationFailure when it can't be written, and then the change goes on waiting. */
  async takeBack(): Promise<boolean> {
    const waiting = this.#unconfirmed;
    if (waiting === null) return false;
    try {
      takeBackUnconfirmed(waiting.file);
    } catch (error) {
      throw new OperationFailure('not possible', `Cannot take the change of "${waiting.file}" back: ${reasonOf(error)}`, { cause: error });
    }
    this.#unconfirmed = null;
    clearTimeout(waiting.timer);
    await waiting.reload();
    return true;
  }

  #later(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => void this.#endInTime(), milliseconds).unref();
  }

  /** Whoever has changed the file meanwhile at the machine itself is not locked out: that text stays. */
  async #endInTime(): Promise<void> {
    const waiting = this.#unconfirmed;
    if (waiting === null) return;
    try {
      if (holds(waiting.file, waiting.text)) {
        await this.takeBack();
        this.#log.log('warning', `Warning: Nobody has confirmed the change of ${waiting.file}: it was taken back.`);
      } else {
        this.confirm(waiting.token);
        this.#log.log(
          'warning',
          `Warning: Nobody has confirmed the change of ${waiting.file}, but the file was changed again meanwhile: it stays.`,
        );
      }
    } catch (error) {
      this.#log.log('error', `Error: ${reasonOf(error)}. midge tries it again.`);
      waiting.timer = this.#later(this.#again);
    }
  }

  #require(token: string): Unconfirmed {
    if (this.#unconfirmed === null)
      throw new OperationFailure('not found', 'Cannot confirm the change: none waits - it may have been taken back already');
    if (this.#unconfirmed.token !== token) throw new OperationFailure('conflict', 'Cannot confirm the change: another one waits');
    return this.#unconfirmed;
  }
}

/** isUnconfirmed tells whether a change of a file waits to be confirmed, or to be taken back by the next start: what else is written into it could be lost. */
export function isUnconfirmed(file: string): boolean {
  return existsSync(file) && existsSync(oldOf(realpathSync(file)));
}

/** takeBackUnconfirmed gives a file its text from before a change that was not confirmed; false = there is none. To be called before a configuration is read at the start. */
export function takeBackUnconfirmed(file: string): boolean {
  if (!existsSync(file) && !existsSync(oldOf(file))) return false;
  const path = existsSync(file) ? realpathSync(file) : file;
  if (!existsSync(oldOf(path))) return false;
  renameSync(oldOf(path), path);
  forgetOld(path); // rename(2) does nothing with two names of one file
  return true;
}

/** holds is true where the file can't be read: then it is to be put back. */
function holds(file: string, text: string): boolean {
  try {
    return readFileSync(file, 'utf8') === text;
  } catch {
    return true;
  }
}

function replaceKeepingOld(path: string, text: string): void {
  try {
    rmSync(oldOf(path), { force: true });
    keepOld(path);
    syncPath(dirname(path));
    rewriteFile(path, text, () => {});
  } catch (error) {
    rmSync(oldOf(path), { force: true });
    throw new OperationFailure('not possible', `Cannot write "${path}": ${reasonOf(error)} - nothing was changed`, { cause: error });
  }
}

/** FAT knows no second names. */
function keepOld(path: string): void {
  try {
    linkSync(path, oldOf(path));
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP'].includes(String((error as NodeJS.ErrnoException).code))) throw error; // linkSync throws these
    const part = `${oldOf(path)}.part`;
    copyFileSync(path, part);
    syncPath(part);
    renameSync(part, oldOf(path));
  }
}

function forgetOld(path: string): void {
  rmSync(oldOf(path), { force: true });
  syncPath(dirname(path));
}

function oldOf(path: string): string {
  return `${path}.unconfirmed`;
}
