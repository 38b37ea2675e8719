// Roles: which accounts may sign in to the REST interface, and as what.

import { z } from 'zod';
import type { OperationNeeds, RoleKeeper } from './needs.ts';
import { OperationFailure, operation } from './operation.ts';
import { RIGHTS } from './right.ts';

const ROLE = z.enum(RIGHTS);

/** ROLES lists them. */
export const ROLES = operation({
  name: 'roles',
  kind: 'query',
  right: 'admin',
  summary: 'The accounts that may sign in to the REST interface, and as what.',
  input: z.strictObject({}),
  output: z.array(z.object({ username: z.string(), role: ROLE })),
  run: (needs) => Array.from(keeperOf(needs).all, ([username, role]) => ({ username, role })),
});

/** SET_ROLE gives an account a role, or takes it. */
export const SET_ROLE = operation({
  name: 'set role',
  kind: 'command',
  right: 'admin',
  summary: 'Give an account a role, or take it: then its sessions end.',
  input: z.strictObject({
    username: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^\P{Cc}+$/u, 'must hold no control character'),
    role: ROLE.nullable().describe('null = none: it may not sign in here'),
  }),
  output: z.object({}),
  run: (needs, { username, role }) => {
    const keeper = keeperOf(needs);
    if (role !== 'admin' && isOnlyAdmin(needs, username))
      throw new OperationFailure('conflict', `Cannot take the role of "${username}": it is the only admin - make another one first`);
    keeper.set(username, role);
    return {};
  },
});

/** isOnlyAdmin tells whether nobody else could change anything: an admin whose account is locked, or has gone, cannot. */
export function isOnlyAdmin({ roles, access }: Pick<OperationNeeds, 'roles' | 'access'>, username: string): boolean {
  if (roles?.all.get(username) !== 'admin') return false;
  return ![...roles.all].some(([name, right]) => name !== username && right === 'admin' && access.canSignIn(name));
}

function keeperOf({ roles }: OperationNeeds): RoleKeeper {
  if (roles === null)
    throw new OperationFailure('not possible', 'Cannot keep roles: no listener has "protocol http", or the file of roles cannot be read');
  return roles;
}
