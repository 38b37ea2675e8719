// The parts of a program as a table: start, stop and reload are loops over it, and they are here.
//
//   start    every part, first to last; one that can't start ends the start
//   stop     every part, last to first, whether it has started or not
//   reload   prepare, first to last -- all are ready --> commit, first to last
//                          `-- one throws --> undo of those that were prepared, last to first

import { reasonOf } from '../base/errors.ts';
import type { Part } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Configuration } from '../config/configuration.ts';

/** Step is a part that is ready for another configuration: one of the two is called, once. */
export interface Step {
  /** commit puts it in force at once. It can't fail: what can has been done by `prepare`. */
  commit(): void;
  /** undo gives back what `prepare` has opened. */
  undo(): void | Promise<void>;
}

/** AppliancePart is a row of the table. `stop` must be safe after a failed `start`, and without one. */
export interface AppliancePart extends Part {
  /** prepare reads, checks and opens what another configuration wants, and disturbs nobody; throws OperatorError when it can't be used. Null = nothing changes here. */
  prepare(next: Configuration): Step | null | Promise<Step | null>;
}

/** Parts are one part to others. A reload waits for the start, for the reload before it, and is undone by a stop. */
export class Parts implements AppliancePart {
  readonly name: string;
  readonly rows: readonly AppliancePart[];
  readonly #log: Logger;
  /** What is under way. */
  #turn: Promise<unknown> = Promise.resolve();
  #isStopping = false;

  constructor(name: string, rows: readonly AppliancePart[], log: Logger) {
    this.name = name;
    this.rows = rows;
    this.#log = log;
  }

  start(): Promise<void> {
    return this.#afterOthers(async () => {
      for (const part of this.rows) await part.start();
    });
  }

  /** stop stops every part, and throws what the first of them threw. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#turn;
    const failures: unknown[] = [];
    for (const part of this.rows.toReversed()) {
      try {
        await part.stop();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** reload puts another configuration in force; false = the stop has come first. Throws what a part threw, and then everything is as it was. */
  reload(next: Configuration): Promise<boolean> {
    return this.#afterOthers(async () => {
      const step = await this.prepare(next);
      if (this.#isStopping) {
        await step.undo();
        return false;
      }
      step.commit();
      return true;
    });
  }

  async prepare(next: Configuration): Promise<Step> {
    const ready: Ready[] = [];
    try {
      for (const part of this.rows) {
        const step = await part.prepare(next);
        if (step !== null) ready.push({ part, step });
      }
    } catch (error) {
      await this.#undo(ready);
      throw error;
    }
    return {
      commit: () => {
        for (const { step } of ready) step.commit();
      },
      undo: () => this.#undo(ready),
    };
  }

  /** One that can't be undone keeps no other from it. */
  async #undo(ready: readonly Ready[]): Promise<void> {
    for (const { part, step } of ready.toReversed()) {
      try {
        await step.undo();
      } catch (error) {
        this.#log.log('error', `Error: The ${part.name} could not be put back after a failed reload: ${reasonOf(error)}.`);
      }
    }
  }

  #afterOthers<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

interface Ready {
  readonly part: AppliancePart;
  readonly step: Step;
}

/** row is a part of which only some is there. */
export function row(name: string, { start, stop, prepare }: Partial<Omit<AppliancePart, 'name'>>): AppliancePart {
  return { name, start: start ?? nothing, stop: stop ?? nothing, prepare: prepare ?? (() => null) };
}

/** whenReady is a step of a part that has opened nothing. */
export function whenReady(commit: () => void): Step {
  return { commit, undo: () => {} };
}

async function nothing(): Promise<void> {}
