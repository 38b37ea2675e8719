// What was changed, by whom and when: the last of it, in a file of the state folder that neither a restart nor a restore takes away.
//
//   {"time":1700000000000,"who":"\"jane\" from 192.0.2.7 over REST",...,"operation":"add user","about":{"username":"tom"}}    one line each, the latest last
//
// A line that is damaged is left out: a power cut may tear the last one.

import { appendFileSync } from 'node:fs';
import { z } from 'zod';
import { replaceSecret } from '../base/durable-file.ts';
import { reasonOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { readNamedTextIfThere } from '../base/named-file.ts';
import type { Change, TimedChange } from './change.ts';

/** Changes that are kept; the file may have twice as many lines. */
const KEPT = 1000;

/** CHANGE is one of them, without its time. */
export const CHANGE = z.object({
  who: z.string().describe('a name or a token, where from, and through which door'),
  door: z.enum(['page', 'program', 'machine']).describe("'program' = with a token, 'machine' = a command on this machine"),
  username: z.string().nullable().describe('the account that had signed in; null = none'),
  address: z.string().nullable().describe("where from; '' = this machine, null = by no network"),
  operation: z.string(),
  about: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).describe('fields of its input'),
});

const LINE = CHANGE.extend({ time: z.number() }) satisfies z.ZodType<TimedChange>;

/** ChangeList reads the file when it is made. */
export class ChangeList {
  readonly #path: string;
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #changes: TimedChange[];
  /** Of the file. */
  #lines: number;
  #isTroubled = false;

  constructor(path: string, now: () => number, log: Logger) {
    this.#path = path;
    this.#now = now;
    this.#log = log;
    const text = textOf(path);
    const lines = text.split('\n');
    this.#changes = lines.flatMap((line) => changeIn(line) ?? []).slice(-KEPT);
    this.#lines = lines.at(-1) === '' ? lines.length - 1 : Number.POSITIVE_INFINITY; // nothing is written behind a torn one
  }

  /** list gives them, the oldest first. */
  list(): readonly TimedChange[] {
    return this.#changes;
  }

  /** add never fails: what cannot be written is said in the log once, and kept as long as the broker runs. */
  add({ lasts, ...change }: Change): void {
    this.#changes.push({ time: this.#now(), ...change });
    if (this.#changes.length > KEPT) this.#changes.shift();
    try {
      this.#write();
      this.#isTroubled = false;
    } catch (error) {
      const isWithoutFolder = (error as NodeJS.ErrnoException).code === 'ENOENT'; // appendFileSync throws these; nothing outlives this broker
      if (!isWithoutFolder && !this.#isTroubled)
        this.#log.log('warning', `Warning: The list of changes is not kept over a restart: ${reasonOf(error)}.`);
      this.#isTroubled = true;
    }
  }

  #write(): void {
    if (this.#isTroubled || this.#lines >= 2 * KEPT) {
      replaceSecret(this.#path, this.#changes.map(lineOf).join(''));
      this.#lines = this.#changes.length;
    } else {
      appendFileSync(this.#path, lineOf(this.#changes.at(-1)!), { mode: 0o600 }); // one was pushed
      this.#lines++;
    }
  }
}

function lineOf(change: TimedChange): string {
  return `${JSON.stringify(change)}\n`;
}

/** What cannot be read is written anew, or said then. */
function textOf(path: string): string {
  try {
    return readNamedTextIfThere(path) ?? '';
  } catch {
    return '';
  }
}

function changeIn(line: string): TimedChange | null {
  try {
    return LINE.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
