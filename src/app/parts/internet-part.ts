// What the box does towards the Internet as a part. Its room is loaded when a configuration asks for something of it: most boxes stay at home.

import { systemClock } from '../../base/clock.ts';
import { reasonOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { Internet } from '../../internet/internet.ts';
import type { InternetOptions } from '../../internet/options.ts';
import type { StateFolder } from '../../state/state-folder.ts';
import type { AppliancePart, Step } from '../parts.ts';

export interface InternetPartSetup {
  /** What the start is asked for. */
  readonly configuration: Configuration;
  readonly state: StateFolder;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly buildDate: number;
  /** True where a listener of our own answers plain HTTP on this port. */
  readonly showsAnswers: (port: number) => boolean;
  /** Called when there is another certificate. */
  readonly changed: () => void;
}

/** InternetPart goes on with what it does while a reload asks for the same. */
export class InternetPart implements AppliancePart {
  readonly name = 'Internet';
  readonly #setup: InternetPartSetup;
  #options: InternetOptions = { acme: null, dynamicDns: null };
  #internet: Internet | null = null;

  constructor(setup: InternetPartSetup) {
    this.#setup = setup;
  }

  /** internet is null where nothing is asked of it. */
  get internet(): Internet | null {
    return this.#internet;
  }

  async start(): Promise<void> {
    (await this.prepare(this.#setup.configuration))?.commit();
  }

  async stop(): Promise<void> {
    await this.#internet?.stop();
  }

  async prepare({ internet: options }: Configuration): Promise<Step | null> {
    if (JSON.stringify(options) === JSON.stringify(this.#options)) return null;
    const next = await this.#create(options);
    return {
      commit: () => {
        const before = this.#internet;
        this.#options = options;
        this.#internet = next;
        void this.#follow(before, next);
      },
      undo: () => {},
    };
  }

  /** Clients are shown another certificate as soon as it is read. */
  async #follow(before: Internet | null, next: Internet | null): Promise<void> {
    try {
      await before?.stop();
      await next?.start();
    } catch (error) {
      this.#setup.log.log('error', `Error: ${reasonOf(error)}.`);
    }
    this.#setup.changed();
  }

  async #create(options: InternetOptions): Promise<Internet | null> {
    if (options.acme === null && options.dynamicDns === null) return null;
    const { state } = this.#setup;
    const { createInternet } = await import('../../internet/internet.ts');
    state.make();
    return createInternet({ ...this.#setup, options, folder: state.internet, clock: systemClock });
  }
}
