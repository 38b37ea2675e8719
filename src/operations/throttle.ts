// The logins that are held back because of wrong passwords, and the end of a hold.

import { z } from 'zod';
import { OperationFailure, operation } from './operation.ts';

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

/** END_HOLD lets one of them try again at once. */
export const END_HOLD = operation({
  name: 'end hold',
  kind: 'command',
  right: 'admin',
  summary: 'End one delay of logins and forget its wrong logins: address and user name as the list has them.',
  input: z.strictObject({
    address: z.string().nullish().describe('address, or network; without it, the delay of a user from anywhere'),
    username: z.string().nullish().describe('without it, the delay of an address for any user'),
  }),
  output: z.object({ ended: z.boolean().describe('false = there is none such any more') }),
  isDone: (output) => (output as { ended: boolean }).ended,
  run: ({ throttle }, { address, username }) => {
    if (address == null && username == null)
      throw new OperationFailure('bad input', 'Cannot end a hold: say whose - its address, its user name or both, as the list has them');
    return { ended: throttle.end({ address: address ?? null, username: username ?? null }) };
  },
});
