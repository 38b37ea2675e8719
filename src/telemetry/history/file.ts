// The minutes and quarters of an hour of the history in a file of the state folder, so that a restart does not lose them. Written for an SD card:
// one line of some 2 KB is added four times an hour, and the file is written anew at a megabyte, every few days. A power cut loses a quarter of an hour.
//
//   {"step":60,"from":1700000000000,"values":{"clients":[3,3,null,4]}}

import { appendFile, open, readFile, rename, rm, stat } from 'node:fs/promises';
import type { Curve, History, HistoryExtract, HistoryRange } from './history.ts';

const MOST_BYTES = 1_000_000;

/** What somebody else has put there is not read. */
const MOST_READ_BYTES = 16_000_000;

/** The ranges that are kept; the seconds are not worth it. */
const KEPT: readonly HistoryRange[] = ['24h', '30d'];

const DIGITS = 5;

/** HistoryFile has one writer. */
export class HistoryFile {
  readonly #path: string;
  readonly #history: History;
  /** The last slots that are in the file. */
  readonly #written = new Map<HistoryRange, number>();

  constructor(path: string, history: History) {
    this.#path = path;
    this.#history = history;
  }

  /** read recalls what is there; lines that were cut off by a power cut are left out. Throws what the system says. */
  async read(): Promise<void> {
    for (const line of await this.#lines()) {
      const extract = extractIn(line);
      if (extract !== null) this.#history.recall(extract);
    }
    for (const range of KEPT) this.#written.set(range, this.#history.newest(range));
  }

  async #lines(): Promise<readonly string[]> {
    try {
      const { size } = await stat(this.#path);
      return size > MOST_READ_BYTES ? [] : (await readFile(this.#path, 'utf8')).split('\n');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // of stat
      throw error;
    }
  }

  /** write adds what is new. Throws what the system says. */
  async write(): Promise<void> {
    const lines = KEPT.flatMap((range) => this.#newLines(range));
    if (lines.length === 0) return;
    await appendFile(this.#path, `\n${lines.join('\n')}\n`, { mode: 0o600 }); // a line break first: the last line may have been cut off
    if ((await stat(this.#path)).size > MOST_BYTES) await this.#writeAnew();
  }

  #newLines(range: HistoryRange): readonly string[] {
    const newest = this.#history.newest(range);
    const written = this.#written.get(range) ?? -1;
    this.#written.set(range, newest);
    if (newest === written) return [];
    const { step } = this.#history.extract(range, new Set());
    return [lineOf(this.#history.extract(range, null, newest < written ? 0 : Math.max(0, written) * step * 1000))]; // fewer: the clock was set back
  }

  async #writeAnew(): Promise<void> {
    const temporary = `${this.#path}.midge.new`;
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(`${KEPT.map((range) => lineOf(this.#history.extract(range))).join('\n')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.#path).finally(() => rm(temporary, { force: true }));
  }
}

function lineOf({ step, from, curves }: HistoryExtract): string {
  const values = Object.fromEntries(curves.map((curve) => [curve.name, curve.values.map((each) => Number(each.toPrecision(DIGITS)))]));
  return JSON.stringify({ step, from, values }); // NaN becomes null
}

/** Null = it is none of ours, or a part of one. */
function extractIn(line: string): { step: number; from: number; curves: readonly Pick<Curve, 'name' | 'values'>[] } | null {
  try {
    const { step, from, values } = JSON.parse(line) ?? {};
    if (!Number.isSafeInteger(step) || !Number.isSafeInteger(from) || from < 0 || typeof values !== 'object' || values === null)
      return null;
    const curves = Object.entries<unknown>(values).map(([name, column]) => ({
      name,
      values: Array.isArray(column) ? column.map(numberIn) : [],
    }));
    return { step, from, curves };
  } catch {
    return null;
  }
}

function numberIn(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}
