// The last lines of the log.

import { z } from 'zod';
import { operation } from './operation.ts';

const LINES_DEFAULT = 100;

/** LOG gives them. */
export const LOG = operation({
  name: 'log',
  kind: 'query',
  right: 'admin',
  summary: 'The last lines of the log, the latest last, as far as they are in memory.',
  input: z.strictObject({
    lines: z.number().int().min(1).max(500).default(LINES_DEFAULT),
    search: z.string().nullish().describe('only those that have this in their text, in lower or upper case'),
  }),
  output: z.array(z.object({ time: z.number().describe('milliseconds since 1970'), type: z.string(), text: z.string() })),
  run: ({ lastLines }, { lines, search }) => {
    const wanted = search?.toLowerCase() ?? '';
    const found = lastLines().filter(({ text }) => text.toLowerCase().includes(wanted));
    return found.slice(-lines).map(({ time, type, text }) => ({ time, type, text }));
  },
});
