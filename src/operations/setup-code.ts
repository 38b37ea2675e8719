// The code by which a person makes the first admin of the REST interface.

import { z } from 'zod';
import { operation } from './operation.ts';

/** SETUP_CODE tells it to programs of this machine: whoever has it becomes admin. */
export const SETUP_CODE = operation({
  name: 'setup code',
  kind: 'query',
  right: 'admin',
  summary: 'The set-up code of the REST interface, as long as it has no admin.',
  input: z.strictObject({}),
  output: z.object({ code: z.string().nullable().describe('null = it has one, or there is no such interface') }),
  run: ({ setupCode }) => ({ code: setupCode }),
});
