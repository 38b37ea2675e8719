// The logins that are held back because of wrong passwords.

import { z } from 'zod';
import { operation } from './operation.ts';

/** HOLD is one of them. */
export const HOLD = z.object({
  address: z.string().nullable().describe('address, or network; null = from anywhere'),
  username: z.string().nullable().describe('null = any user'),
  failures: z.number().describe('wrong logins so far'),
  until: z.number().describe('milliseconds since 1970'),
});

/** THROTTLE lists them. */
export const THROTTLE = operation({
  name: 'throttle',
  kind: 'query',
  right: 'viewer',
  summary: 'Addresses and users whose logins are delayed.',
  input: z.strictObject({}),
  output: z.array(HOLD),
  run: ({ throttle }) => throttle.held(),
});
