// Settings one by one: which there are, what the configuration says, and a text in which some are changed as a person would.

import { z } from 'zod';
import { mainFile, TEXT } from './configuration.ts';
import { operation } from './operation.ts';

/** Changes of one edit. */
const MOST_CHANGES = 100;

const SAID = z.array(
  z.object({
    name: z.string(),
    value: z.string().nullable().describe('null = a secret'),
    block: z.string().nullable().describe('the line that it stands below, such as "listener 8883"; null = none'),
    file: z.string(),
    line: z.number().int(),
  }),
);

/** SETTINGS gives what the file says. */
export const SETTINGS = operation({
  name: 'settings',
  kind: 'query',
  right: 'viewer',
  summary: 'Every setting of the configuration with file and line, without secrets.',
  input: z.strictObject({}),
  output: SAID,
  run: (needs) => needs.files.settings(mainFile(needs)),
});

const KNOWN = z.object({
  section: z.string(),
  name: z.string(),
  scope: z
    .enum(['global', 'listener', 'default listener'])
    .describe("'listener' = one may stand below each listener; 'default listener' = only for the one that no listener line begins"),
  syntax: z.string().describe('such as "true | false" or "number"'),
  default: z.string().nullable().describe('null = there is none'),
  meaning: z.string().describe('words of the language are in backquotes'),
  isOwn: z.boolean().describe('mosquitto does not know it, or gives it another meaning'),
  isReloadable: z.boolean().describe('false = a change takes effect at the next start'),
  isList: z.boolean().describe('it may be said several times, and all count'),
  isSecret: z.boolean(),
});

/** KNOWN_SETTINGS gives all words that can be set by themselves. */
export const KNOWN_SETTINGS = operation({
  name: 'known settings',
  kind: 'query',
  right: 'viewer',
  summary: 'Every setting that there is, with its meaning, its values and its default.',
  input: z.strictObject({}),
  output: z.array(KNOWN),
  run: ({ files }) => files.known(),
});

const CHANGE = z.strictObject({
  name: z.string(),
  values: z.array(z.string()).max(MOST_CHANGES).describe('none = the setting goes'),
  listener: z.string().nullish().describe('port or path of the listener that it is for; none = the whole program'),
});

/** EDIT_CONFIGURATION changes a text that is not in force. */
export const EDIT_CONFIGURATION = operation({
  name: 'edit configuration',
  kind: 'query',
  right: 'admin',
  summary: 'Change settings in a text of the configuration file, and tell what it says then; the file is not changed.',
  input: z.strictObject({ text: TEXT, changes: z.array(CHANGE).max(MOST_CHANGES).default([]) }),
  output: z.object({ text: z.string(), settings: SAID }),
  run: (needs, { text, changes }) => {
    const file = mainFile(needs);
    let edited = text;
    for (const { listener, ...change } of changes) edited = needs.files.withChange(file, edited, { ...change, listener: listener ?? null });
    return { text: edited, settings: needs.files.settings(file, edited) };
  },
});
