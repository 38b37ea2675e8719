// The store as a part: opened before the engine, closed after everybody has said the last word.

import { basename, dirname } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { reasonOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { StateFolder } from '../../state/state-folder.ts';
import { STORE_DEFAULTS } from '../../store/options.ts';
import type { Store } from '../../store/store.ts';
import type { AppliancePart } from '../parts.ts';

/** StorePart keeps sessions and retained messages in the database of a state folder. What a reload wants of it comes with the next start. */
export class StorePart implements AppliancePart {
  readonly name = 'store';
  readonly #state: StateFolder;
  readonly #log: Logger;
  #store: Store | null = null;

  constructor(state: StateFolder, log: Logger) {
    this.#state = state;
    this.#log = log;
  }

  /** store is null before the start. */
  get store(): Store | null {
    return this.#store;
  }

  /** opened is the store for the engine, which starts after it. */
  opened(): Store {
    if (this.#store === null) throw new Error('the store is not open yet');
    return this.#store;
  }

  async start(): Promise<void> {
    const { openStore } = await import('../../store/store.ts');
    const { database } = this.#state;
    this.#makeState(database);
    this.#store = await openStore(
      { ...STORE_DEFAULTS, folder: dirname(database), file: basename(database), isOwnFolder: this.#state.isDatabaseFolderOurs() },
      { clock: systemClock, log: this.#log },
    );
  }

  async stop(): Promise<void> {
    await this.#store?.stop();
  }

  prepare(): null {
    return null;
  }

  /** A database elsewhere needs no state folder: without one the broker can't be asked, and that is all. */
  #makeState(database: string): void {
    try {
      this.#state.make();
    } catch (error) {
      if (dirname(database) === this.#state.path) throw error;
      this.#log.log('warning', `Warning: ${reasonOf(error)}. midge status and midge why will not work.`);
    }
  }
}
