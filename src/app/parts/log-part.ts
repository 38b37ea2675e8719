// The log as a part: where lines go, by the configuration in force; log files that were rotated away; lines as messages.

import { reasonOf } from '../../base/errors.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { Log } from '../../logging/logging.ts';
import type { LogOptions } from '../../logging/options.ts';
import type { AppliancePart, Step } from '../parts.ts';

/** LogPart is the first row: what the others have to say of a reload goes where the new configuration wants it. */
export class LogPart implements AppliancePart {
  readonly name = 'log';
  readonly #log: Log;
  readonly #optionsOf: (configuration: Configuration) => LogOptions;
  #inForce: Configuration;

  /** `optionsOf` gives where the lines of a configuration go in this process. */
  constructor(log: Log, configuration: Configuration, optionsOf: (configuration: Configuration) => LogOptions) {
    this.#log = log;
    this.#inForce = configuration;
    this.#optionsOf = optionsOf;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  prepare(next: Configuration): Step {
    const before = this.#inForce;
    this.#log.configure(this.#optionsOf(next));
    return {
      commit: () => {
        this.#inForce = next;
      },
      undo: () => this.#log.configure(this.#optionsOf(before)),
    };
  }

  /** reopen opens log files again after one was rotated away, as mosquitto 2.1. */
  reopen(): void {
    try {
      this.#log.configure(this.#optionsOf(this.#inForce));
      this.#log.log('notice', 'SIGRTMIN: log files were opened again.');
    } catch (error) {
      this.#log.log('error', `Error: ${reasonOf(error)}. The log goes on where it went before.`);
    }
  }
}
