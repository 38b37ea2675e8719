// The configuration: its text and what it says, tried out by a check, a diff, and a change that is taken back unless it is confirmed.

import { z } from 'zod';
import { checkRevision, readEdited, revisionOf } from './change-in-force.ts';
import { pastTexts, REPLACERS, rememberChange } from './configuration-history.ts';
import { CONFIRM_SECONDS } from './configuration-trial.ts';
import { diffLines } from './diff-lines.ts';
import type { OperationNeeds } from './needs.ts';
import { OperationFailure, operation } from './operation.ts';
import { iso, TIME } from './time.ts';

/** Characters of a configuration file. */
const MAX_TEXT = 1_000_000;

const REVISION = z.string().describe('of the text of the main file');

/** CONFIGURATION gives the texts. */
export const CONFIGURATION = operation({
  name: 'configuration',
  kind: 'query',
  right: 'admin',
  summary: 'The text of the configuration file, with its revision, and the names of all files that it includes or names.',
  input: z.strictObject({}),
  output: z.object({
    file: z.string(),
    text: z.string(),
    revision: REVISION,
    filesRead: z.array(z.string()),
    changedFiles: z.array(z.string()).describe('those that hold something else than what is in force'),
    later: z.array(z.string()).describe('words that were changed and take effect at the next start'),
    unconfirmed: z
      .object({ confirm: z.string().describe('confirms it'), until: TIME.describe('when it is taken back') })
      .nullable()
      .describe('the change that waits to be confirmed, for whoever comes back by another way than it was made; null = none'),
    replaced: TIME.nullable().describe(
      'when midge.txt of the image has replaced the text, and nothing was changed since; null = it has not',
    ),
  }),
  run: (needs) => {
    const file = mainFile(needs);
    const text = readEdited(file);
    const { configuration, reloads, trial, state } = needs;
    const { waiting } = trial;
    const unconfirmed = waiting === null ? null : { confirm: waiting.token, until: iso(waiting.until) };
    const { filesRead } = configuration;
    const [latest] = pastTexts(state.path);
    const replaced = latest?.by === 'midge.txt' ? iso(latest.at) : null;
    const later = [...(reloads.last?.later ?? [])];
    return { file, text, revision: revisionOf(text), filesRead, changedFiles: reloads.changedFiles(), later, unconfirmed, replaced };
  },
});

const CHECKED = {
  mistakes: z.array(z.string()).describe('one sentence with its place each; none = it can be put in force'),
  warnings: z.array(z.string()),
  diff: z.array(z.string()).describe('lines with + or - before them, or a blank where they stay'),
};

/** TEXT is what a change makes of it. */
export const TEXT = z.string().max(MAX_TEXT).describe('the whole text of the main file');

/** CHECK_CONFIGURATION tries a text without changing anything. */
export const CHECK_CONFIGURATION = operation({
  name: 'check configuration',
  kind: 'query',
  right: 'admin',
  summary: 'Check a text in the place of the configuration file, and compare it with what is there; nothing is changed.',
  input: z.strictObject({ text: TEXT }),
  output: z.object({ ...CHECKED, revision: REVISION }),
  run: (needs, { text }) => {
    const file = mainFile(needs);
    const before = readEdited(file);
    return { ...needs.files.check(file, text), diff: diffLines(before, text), revision: revisionOf(before) };
  },
});

/** APPLY_CONFIGURATION puts a text in force for the time being. */
export const APPLY_CONFIGURATION = operation({
  name: 'apply configuration',
  kind: 'command',
  right: 'admin',
  summary: `Write a text into the configuration file and put it in force; it is taken back unless it is confirmed within ${CONFIRM_SECONDS} s.`,
  input: z.strictObject({ text: TEXT, revision: z.string().describe('of the text that it replaces; another one is a conflict') }),
  output: z.object({
    confirm: z.string().describe('confirms the change'),
    until: TIME.describe('when it is taken back'),
    later: z.array(z.string()).describe('words whose change takes effect at the next start'),
    revision: REVISION,
  }),
  run: async (needs, { text, revision }) => {
    const applied = await applyText(needs, text, revision);
    return { ...applied, until: iso(applied.until), revision: revisionOf(text) };
  },
});

/** applyText is for all that change the main file. Throws OperationFailure, and nothing has changed. */
export async function applyText(needs: OperationNeeds, text: string, revision: string) {
  const file = mainFile(needs);
  const before = readEdited(file);
  checkRevision(file, before, revision);
  const { mistakes } = needs.files.check(file, text);
  if (mistakes.length > 0) {
    const message = `Cannot change "${file}": ${mistakes.join('\n')}`;
    throw new OperationFailure('bad input', message, { faults: mistakes.map((mistake) => ({ path: ['text'], message: mistake })) });
  }
  rememberChange(needs, before);
  return needs.trial.apply(file, text, () => needs.reloads.reload('command'));
}

/** CONFIRM_CONFIGURATION makes a change last. */
export const CONFIRM_CONFIGURATION = operation({
  name: 'confirm configuration',
  kind: 'command',
  right: 'admin',
  summary: 'Confirm the change of the configuration that waits for it.',
  input: z.strictObject({ confirm: z.string().describe('what the change gave') }),
  output: z.object({ confirmed: z.literal(true) }),
  run: ({ trial }, { confirm }) => {
    trial.confirm(confirm);
    return { confirmed: true as const };
  },
});

/** TAKE_BACK_CONFIGURATION ends a trial at once. */
export const TAKE_BACK_CONFIGURATION = operation({
  name: 'take back configuration',
  kind: 'command',
  right: 'admin',
  summary: 'Take the change of the configuration back that waits to be confirmed.',
  input: z.strictObject({}),
  output: z.object({ takenBack: z.literal(true) }),
  run: async ({ trial }) => {
    if (!(await trial.takeBack())) throw new OperationFailure('not found', 'Cannot take the change back: none waits to be confirmed');
    return { takenBack: true as const };
  },
});

/** CONFIGURATION_HISTORY gives the texts from before. */
export const CONFIGURATION_HISTORY = operation({
  name: 'configuration history',
  kind: 'query',
  right: 'admin',
  summary: 'The last ten texts that changes by operations, or a change of midge.txt, have replaced, the latest first.',
  input: z.strictObject({}),
  output: z.array(
    z.object({
      replaced: TIME,
      by: z.enum(REPLACERS).describe('midge.txt = that of the boot partition, at a start of the image'),
      revision: z.string(),
      text: z.string(),
    }),
  ),
  run: ({ state }) => pastTexts(state.path).map(({ at, by, text }) => ({ replaced: iso(at), by, revision: revisionOf(text), text })),
});

/** mainFile gives the file that is changed. Throws OperationFailure when the broker runs without one. */
export function mainFile({ configuration }: OperationNeeds): string {
  if (configuration.file !== null) return configuration.file;
  throw new OperationFailure('not possible', 'There is no configuration file: start with -c FILE to have one that can be changed');
}
