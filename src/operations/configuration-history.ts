// The texts that a configuration had before its latest changes, in the state folder.

import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceSecret } from '../base/durable-file.ts';
import { STATE_NAMES } from '../base/state-names.ts';
import type { OperationNeeds } from './needs.ts';

/** Texts that are kept. */
const KEPT = 10;

/** REPLACERS have replaced a text: somebody by an operation, or midge.txt on the boot partition of the image. */
export const REPLACERS = ['change', 'midge.txt'] as const;

export type Replacer = (typeof REPLACERS)[number];

/** PastText is one of them; `at` is when it was replaced, in milliseconds since 1970. */
export interface PastText {
  readonly at: number;
  readonly by: Replacer;
  readonly text: string;
}

/** A file is called TIME.conf, or TIME.boot.conf where midge.txt has replaced its text. */
const NAME = /^(\d+)(\.boot)?\.conf$/;

/** rememberText keeps a text that is about to be replaced, for the owner of the folder only; the oldest goes. */
export function rememberText(state: string, { at, by, text }: PastText): void {
  const folder = folderIn(state);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  replaceSecret(join(folder, `${at}${by === 'midge.txt' ? '.boot' : ''}.conf`), text);
  for (const { name } of filesIn(folder).slice(KEPT)) rmSync(join(folder, name), { force: true });
}

/** rememberChange keeps the text that an operation replaces. */
export function rememberChange({ state }: Pick<OperationNeeds, 'state'>, text: string): void {
  if (state.isThere) rememberText(state.path, { at: Date.now(), by: 'change', text });
}

/** pastTexts gives them, the latest first. */
export function pastTexts(state: string): readonly PastText[] {
  const folder = folderIn(state);
  return filesIn(folder).map(({ name, at, by }) => ({ at, by, text: readFileSync(join(folder, name), 'utf8') }));
}

function filesIn(folder: string): readonly { readonly name: string; readonly at: number; readonly by: Replacer }[] {
  try {
    const files = readdirSync(folder).flatMap((name) => {
      const [, time, boot] = NAME.exec(name) ?? [];
      return time === undefined ? [] : { name, at: Number(time), by: boot === undefined ? ('change' as const) : ('midge.txt' as const) };
    });
    return files.sort((one, other) => other.at - one.at);
  } catch {
    return []; // nothing was changed so far
  }
}

function folderIn(state: string): string {
  return join(state, STATE_NAMES.configurationHistory);
}
