// The texts that a configuration had before its latest changes, in the state folder.

import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceSecret } from '../base/durable-file.ts';
import { STATE_NAMES } from '../base/state-names.ts';

/** Texts that are kept. */
const KEPT = 10;

/** PastText is one of them; `at` is when it was replaced, in milliseconds since 1970. */
export interface PastText {
  readonly at: number;
  readonly text: string;
}

/** rememberText keeps a text that is about to be replaced, for the owner of the folder only; the oldest goes. */
export function rememberText(state: string, text: string, now: number): void {
  const folder = folderIn(state);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  replaceSecret(join(folder, `${now}.conf`), text);
  for (const at of timesIn(folder).slice(KEPT)) rmSync(join(folder, `${at}.conf`), { force: true });
}

/** pastTexts gives them, the latest first. */
export function pastTexts(state: string): readonly PastText[] {
  const folder = folderIn(state);
  return timesIn(folder).map((at) => ({ at, text: readFileSync(join(folder, `${at}.conf`), 'utf8') }));
}

function timesIn(folder: string): readonly number[] {
  try {
    const times = readdirSync(folder).flatMap((name) => Number(/^(\d+)\.conf$/.exec(name)?.[1] ?? []));
    return times.filter((at) => !Number.isNaN(at)).sort((one, other) => other - one);
  } catch {
    return []; // nothing was changed so far
  }
}

function folderIn(state: string): string {
  return join(state, STATE_NAMES.configurationHistory);
}
