// A backup that was brought and looked at, and waits for somebody to say yes: then the broker begins anew with it.

import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { BroughtBackup, Restart, TakeWish } from './needs.ts';
import { OperationFailure } from './operation.ts';

/** RESTORE_VARIABLE of the environment tells the program that begins anew what to restore, as JSON of RestoreOrder. */
export const RESTORE_VARIABLE = 'MIDGE_RESTORE';

/** RestoreOrder is what was confirmed. */
export interface RestoreOrder {
  readonly path: string;
  readonly withConfiguration: boolean;
  /** SHA-256 of the file: it is the one that was looked at. */
  readonly digest: string;
}

export interface PreparedRestoreSetup {
  /** Where the backup lies meanwhile. */
  readonly path: string;
  readonly restartFault: Restart['fault'];
  /** restart has the program begin anew with an order. */
  restart(order: RestoreOrder): void;
}

/** PreparedRestore is one at a time. */
export class PreparedRestore implements BroughtBackup {
  readonly #setup: PreparedRestoreSetup;
  #waiting: { readonly id: string; readonly order: RestoreOrder } | null = null;
  #isBusy = false;

  constructor(setup: PreparedRestoreSetup) {
    this.#setup = setup;
  }

  get path(): string {
    return this.#setup.path;
  }

  async obstacle(): Promise<OperationFailure | null> {
    const fault = await this.#setup.restartFault();
    return (
      fault &&
      new OperationFailure(
        'not possible',
        `Cannot restore here: the broker has given up root, and without it could not ${fault.what} again (${fault.reason}) - use midge restore`,
      )
    );
  }

  async take<T>(content: AsyncIterable<Uint8Array>, wish: TakeWish<T>): Promise<{ readonly id: string; readonly plan: T }> {
    const obstacle = await this.obstacle();
    if (obstacle !== null) throw obstacle;
    if (this.#isBusy) throw new OperationFailure('conflict', 'Cannot take this backup: another one is coming in');
    this.#isBusy = true;
    this.#waiting = null;
    try {
      const digest = await this.#write(content, wish.report);
      const plan = await wish.look();
      const id = randomBytes(12).toString('hex');
      this.#waiting = { id, order: { path: this.path, withConfiguration: wish.withConfiguration, digest } };
      return { id, plan };
    } catch (error) {
      await rm(this.path, { force: true });
      if (error instanceof OperatorError) throw error;
      throw new OperationFailure('not possible', `Cannot restore this file: ${reasonOf(error)}`, { cause: error });
    } finally {
      this.#isBusy = false;
    }
  }

  async #write(content: AsyncIterable<Uint8Array>, report: (received: number) => void): Promise<string> {
    await rm(this.path, { force: true });
    const most = (await freeBytes(dirname(this.path))) / 2; // the other half is for what it holds, and for the broker
    const file = await this.#open();
    const hash = createHash('sha256');
    let received = 0;
    try {
      for await (const chunk of content) {
        if (received + chunk.length > most)
          throw new OperationFailure('not possible', 'Cannot take this backup: the disk has no room for it');
        hash.update(chunk);
        await file.writeFile(chunk);
        received += chunk.length;
        report(received);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    return hash.digest('hex');
  }

  async #open(): Promise<FileHandle> {
    try {
      return await open(this.path, 'wx', 0o600);
    } catch (error) {
      throw new OperationFailure('not possible', `Cannot write "${this.path}": ${reasonOf(error)}`, { cause: error });
    }
  }

  confirm(id: string): void {
    const waiting = this.#of(id);
    this.#waiting = null;
    this.#setup.restart(waiting.order);
  }

  async discard(id: string): Promise<void> {
    this.#of(id);
    this.#waiting = null;
    await rm(this.path, { force: true });
  }

  #of(id: string) {
    if (this.#waiting?.id === id) return this.#waiting;
    throw new OperationFailure('not found', 'There is no such backup: bring it again');
  }
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
