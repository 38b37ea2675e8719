// Who changed what.

import { z } from 'zod';
import { whatOf } from './audit.ts';
import { CHANGE } from './change-list.ts';
import { operation } from './operation.ts';
import { iso, TIME } from './time.ts';

const LIMIT_MAX = 1000;
const LIMIT_DEFAULT = 100;

/** CHANGES lists it. */
export const CHANGES = operation({
  name: 'changes',
  kind: 'query',
  right: 'admin',
  summary:
    'The last thousand changes that somebody has made, the latest first; the claim of the box, restarts and restores are among them.',
  input: z.strictObject({ limit: z.number().int().min(1).max(LIMIT_MAX).default(LIMIT_DEFAULT) }),
  output: z.array(CHANGE.extend({ time: TIME, what: z.string().describe('the operation, and what it was about, in words') })),
  run: ({ changes }, { limit }) =>
    changes()
      .slice(-limit)
      .reverse()
      .map((change) => ({ ...change, time: iso(change.time), what: whatOf(change) })),
});
