// What a test of minutes does and waits for: a line for each phase as it ends, and an error that names the phase and what was missing.

import { setTimeout as later } from 'node:timers/promises';

/** Milliseconds that a phase may take on a busy machine. */
const PATIENCE = 180_000;
/** Milliseconds between two looks. */
const LOOK = 50;

/** Phases come one after the other. */
export class Phases {
  readonly #began = performance.now();
  readonly #write: (line: string) => void;
  /** What those who read of a failure want to know besides. */
  readonly #report: () => string;

  constructor(write: (line: string) => void, report: () => string) {
    this.#write = write;
    this.#report = report;
  }

  /** step waits for something to end. */
  async step<T>(name: string, what: Promise<T>): Promise<T> {
    const began = performance.now();
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(this.#failure(name, 'it has not come to its end')), PATIENCE);
    try {
      return await Promise.race([what, promise]);
    } catch (error) {
      throw error instanceof Error && error.message.startsWith(name) ? error : this.#failure(name, error);
    } finally {
      clearTimeout(timer);
      this.#note(name, began);
    }
  }

  /** until waits for a condition: `missing` lists what is not there yet. `help` is called at each look. */
  async until(name: string, missing: () => readonly string[] | Promise<readonly string[]>, help?: () => Promise<void>): Promise<void> {
    const began = performance.now();
    for (let left = await missing(); left.length > 0; left = await missing()) {
      if (performance.now() - began > PATIENCE) throw this.#failure(name, `missing: ${left.join('; ')}`);
      await later(LOOK);
      await help?.();
    }
    this.#note(name, began);
  }

  #note(name: string, began: number): void {
    const now = performance.now();
    this.#write(`${seconds(now - this.#began).padStart(7)} s  ${name}: ${seconds(now - began)} s`);
  }

  #failure(name: string, reason: unknown): Error {
    const words = reason instanceof Error ? reason.message : String(reason);
    return new Error(`${name}: ${words}\n${this.#report()}`, reason instanceof Error ? { cause: reason } : {});
  }
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}
