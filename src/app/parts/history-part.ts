// The history of the metrics as a part: where there is a REST interface, and nowhere else.

import type { Clock } from '../../base/clock.ts';
import { reasonOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { clockTrusted } from '../../certificates/validity.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { HistoryFile } from '../../telemetry/history/file.ts';
import type { History } from '../../telemetry/history/history.ts';
import type { Appliance } from '../app.ts';
import type { AppliancePart, Step } from '../parts.ts';
import { wantsApi } from './api-part.ts';

const SAMPLE_MS = 1000;

/** A machine that is switched off without warning loses that much; the card is spared. */
const WRITE_MS = 900_000;

export interface HistoryPartSetup {
  /** What the start is asked for. */
  readonly configuration: Configuration;
  readonly appliance: Appliance;
  /** Null = nothing outlives the process. */
  readonly file: string | null;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds since 1970. */
  readonly buildDate: number;
}

/** HistoryPart measures from its start on, or from the reload that has brought the first listener for HTTP. */
export class HistoryPart implements AppliancePart {
  readonly name = 'history of metrics';
  readonly #setup: HistoryPartSetup;
  #history: History | null = null;
  #file: HistoryFile | null = null;
  #timers: readonly NodeJS.Timeout[] = [];
  /** What is written, one after the other. */
  #writing: Promise<void> = Promise.resolve();
  #isWarned = false;

  constructor(setup: HistoryPartSetup) {
    this.#setup = setup;
  }

  /** history is null where none is kept. */
  get history(): History | null {
    return this.#history;
  }

  async start(): Promise<void> {
    if (wantsApi(this.#setup.configuration)) await this.#begin();
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#history?.finish();
    this.#write();
    await this.#writing;
  }

  prepare(next: Configuration): Step | null {
    if (this.#history !== null || !wantsApi(next)) return null;
    return { commit: () => void this.#begin(), undo: () => {} };
  }

  async #begin(): Promise<void> {
    const { appliance, clock, file, buildDate } = this.#setup;
    const { History } = await import('../../telemetry/history/history.ts');
    const { broker, traffic, machine } = appliance;
    const machineNow = () => {
      void machine.now();
      return machine.latest;
    };
    const history = new History({ broker, traffic, machine: machineNow }, clock);
    this.#history = history;
    if (file !== null) await this.#recall(file, history);
    const sample = () => {
      if (clockTrusted(clock.now(), buildDate)) history.sample(); // a Pi without a clock begins in the past, and would empty what it remembers
    };
    sample();
    this.#timers = [setInterval(sample, SAMPLE_MS).unref(), setInterval(() => this.#write(), WRITE_MS).unref()];
  }

  async #recall(path: string, history: History): Promise<void> {
    const { HistoryFile } = await import('../../telemetry/history/file.ts');
    this.#file = new HistoryFile(path, history);
    try {
      await this.#file.read();
    } catch (error) {
      this.#warn(error);
    }
  }

  #write(): void {
    const file = this.#file;
    if (file === null) return;
    this.#writing = this.#writing.then(() => file.write()).catch((error: unknown) => this.#warn(error));
  }

  /** Once: charts are not worth more. */
  #warn(error: unknown): void {
    if (this.#isWarned) return;
    this.#isWarned = true;
    this.#setup.log.log('warning', `Warning: The history of the metrics is not kept over a restart: ${reasonOf(error)}.`);
  }
}
