// Reads the configuration again, and puts it in force or leaves everything as it is: at a signal, when a file has changed, when a program asks.

import type { Clock } from '../base/clock.ts';
import { reasonOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { type Diagnostic, formatDiagnostic, type LoadedConfiguration } from '../config/config.ts';
import type { Configuration } from '../config/configuration.ts';
import { type Contents, FileWatch } from '../config/file-watch.ts';
import type { LastReload, ReloadCause } from '../operations/needs.ts';

export interface ReloadSetup {
  readonly clock: Clock;
  readonly log: Logger;
  /** What was read at the start. */
  readonly configuration: Configuration;
  readonly readAgain: () => LoadedConfiguration;
  readonly sayDiagnostics: (diagnostics: readonly Diagnostic[]) => void;
  /** putInForce gives the words whose change needs a restart; it throws and changes nothing when the configuration can't be used. */
  readonly putInForce: (next: Configuration) => Promise<readonly string[]>;
}

/** Reloads is made before anything else looks at the files. */
export class Reloads {
  readonly #setup: ReloadSetup;
  readonly #files = new FileWatch();
  #configuration: Configuration;
  /** What the files held when they were read. */
  #inForce: Contents;
  #last: LastReload | null = null;

  constructor(setup: ReloadSetup) {
    this.#setup = setup;
    this.#configuration = setup.configuration;
    this.#inForce = this.#files.look(setup.configuration.filesRead);
  }

  /** last is the latest reload, or null. */
  get last(): LastReload | null {
    return this.#last;
  }

  /** changedFiles gives the files that hold something else than what is in force, as far as they can be read. */
  changedFiles(): readonly string[] {
    const now = this.#files.look([...this.#inForce.keys()]);
    return [...this.#inForce]
      .filter(([path, content]) => now.get(path) !== content && now.get(path) !== 'unreadable')
      .map(([path]) => path);
  }

  /** watch begins to reload by itself, if the configuration wants it. */
  watch(): void {
    const known = this.#configuration.watched.map((path): [string, string] => [path, this.#inForce.get(path) ?? '']);
    this.#files.watch(new Map(known), () => void this.reload('change'));
  }

  stop(): void {
    this.#files.stop();
  }

  /** reload never fails: what went wrong is in the log, and in the answer. */
  async reload(by: ReloadCause): Promise<LastReload> {
    const { clock, log } = this.#setup;
    log.log('information', 'Reloading config.');
    const outcome = await this.#try();
    if (outcome.error !== null) log.log('error', `Error: ${outcome.error}`);
    this.#last = { at: clock.now(), by, ...outcome };
    return this.#last;
  }

  async #try(): Promise<Pick<LastReload, 'error' | 'mistakes' | 'later'>> {
    const { log, readAgain, sayDiagnostics, putInForce } = this.#setup;
    try {
      const before = this.#files.look(this.#configuration.filesRead);
      const { configuration, diagnostics } = readAgain();
      sayDiagnostics(diagnostics);
      if (configuration === null) {
        const mistakes = diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic);
        return { error: 'The configuration has mistakes: nothing was changed.', mistakes, later: [] };
      }
      const contents = this.#files.look(configuration.filesRead, before);
      const later = await putInForce(configuration);
      this.#configuration = configuration;
      this.#inForce = contents;
      this.watch();
      if (later.length > 0) log.log('warning', `Warning: A change of ${later.join(', ')} takes effect at the next start.`);
      return { error: null, mistakes: [], later };
    } catch (error) {
      return { error: `${reasonOf(error)}. What was there before stays in use.`, mistakes: [], later: [] };
    }
  }
}
