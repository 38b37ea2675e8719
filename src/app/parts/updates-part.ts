// Updates of midge itself as a part. Its room is loaded when the configuration asks for something of it, or a person does.

import { existsSync } from 'node:fs';
import { systemClock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { StateFolder } from '../../state/state-folder.ts';
import type { UpdateOptions } from '../../updates/options.ts';
import type { Updates, UpdateWay } from '../../updates/updates.ts';
import type { AppliancePart, Step } from '../parts.ts';

/** Put before all paths of the machine; only a test has one. */
declare const MIDGE_UPDATES_ROOT: string | undefined;

export interface UpdatesPartSetup {
  /** What the start is asked for. */
  readonly configuration: Configuration;
  readonly state: StateFolder;
  readonly log: Logger;
  /** What the program calls itself, for example `midge version 0.1.0 (abc, 2026-01-31)`. */
  readonly title: string;
  /** Milliseconds since 1970. */
  readonly buildDate: number;
}

/** UpdatesPart goes on with what it does while a reload asks for the same. */
export class UpdatesPart implements AppliancePart {
  readonly name = 'updates';
  readonly #setup: UpdatesPartSetup;
  #options: UpdateOptions;
  #updates: Promise<Updates> | null = null;
  #known: Updates | null = null;

  constructor(setup: UpdatesPartSetup) {
    this.#setup = setup;
    this.#options = setup.configuration.updates;
  }

  /** current is the version that runs. */
  get current(): string {
    return / version (\S+)/.exec(this.#setup.title)?.[1] ?? '';
  }

  /** known is what was loaded already, for those who cannot wait. */
  get known(): Updates | null {
    return this.#known;
  }

  /** updates loads what is known, and what can be done. */
  updates(): Promise<Updates> {
    if (this.#updates === null) {
      const made = this.#create(this.#options);
      this.#updates = made;
      made.catch(() => {
        if (this.#updates === made) this.#updates = null; // the next who asks tries again
      });
    }
    return this.#updates;
  }

  async start(): Promise<void> {
    if (isWanted(this.#setup.configuration)) await this.updates();
  }

  async stop(): Promise<void> {
    await (await this.#updates)?.stop();
  }

  async prepare(next: Configuration): Promise<Step | null> {
    const options = next.updates;
    if (JSON.stringify(options) === JSON.stringify(this.#options) && isWanted(next) === (this.#updates !== null)) return null;
    return {
      commit: () => {
        const before = this.#updates;
        this.#options = options;
        this.#known = null;
        this.#updates = isWanted(next) ? this.#create(options) : null;
        void before?.then((updates) => updates.stop());
      },
      undo: () => {},
    };
  }

  async #create(options: UpdateOptions): Promise<Updates> {
    const { state, log, buildDate } = this.#setup;
    const [{ Updates }, { UPDATE_PLACES }, { releaseKeys, OWN_KEYS_FOLDER, CARD_KEYS_FOLDER }, { keeperOfProgram }, { PLACES }] =
      await Promise.all([
        import('../../updates/updates.ts'),
        import('../../updates/update-record.ts'),
        import('../../updates/release-keys.ts'),
        import('../../install/machine.ts'),
        import('../../install/plan.ts'),
      ]);
    const root = typeof MIDGE_UPDATES_ROOT === 'undefined' ? '' : MIDGE_UPDATES_ROOT;
    const keeper = keeperOfProgram();
    const { progress, last, refused, bell } = UPDATE_PLACES;
    const places = { progress: `${root}${progress}`, last: `${root}${last}`, refused: `${root}${refused}`, bell: `${root}${bell}` };
    const isService = existsSync(places.bell) && (root !== '' || state.path === PLACES.state);
    const way: UpdateWay = keeper === 'package' ? 'package' : isService ? 'service' : 'by hand';
    const updates = new Updates({
      options,
      current: this.current,
      architecture: process.arch,
      kind: keeper === 'image' ? 'update bundle' : keeper === 'package' ? 'debian package' : 'executable',
      way,
      keys: () => releaseKeys([OWN_KEYS_FOLDER, CARD_KEYS_FOLDER].map((folder) => `${root}${folder}`)),
      places,
      memory: state.updates,
      makeFolder: () => state.make(),
      request: state.updateRequest,
      clock: systemClock,
      buildDate,
      log,
      random: Math.random,
    });
    await updates.start();
    this.#known = updates;
    return updates;
  }
}

/** Home Assistant's device shows versions all the time. */
function isWanted({ updates, isHomeAssistantDevice }: Configuration): boolean {
  return updates.mode !== 'off' || isHomeAssistantDevice;
}
