// Two accounts may have one name: in the configuration itself, in password files, and in dynamic security. When one goes, another may stay.

import { hasUser } from '../access/password-file-edit.ts';
import { readEdited } from './change-in-force.ts';
import type { OperationNeeds } from './needs.ts';
import { OperationFailure } from './operation.ts';
import { isOnlyAdmin } from './roles.ts';

/** isInFiles tells whether the configuration itself, or a password file but one, has an account of a name. Throws OperationFailure when a file cannot be read. */
export function isInFiles({ access, listeners }: OperationNeeds, username: string, but: string | null): boolean {
  const others = new Set(listeners.map(({ name }) => access.filesOf(name).passwordFile));
  return username === access.account || [...others].some((each) => each !== null && each !== but && hasUser(readEdited(each), username));
}

/** requireOtherAdmin throws OperationFailure where nobody could change anything without an account. */
export function requireOtherAdmin(needs: OperationNeeds, what: string, username: string): void {
  if (isOnlyAdmin(needs, username))
    throw new OperationFailure('conflict', `Cannot remove ${what} "${username}": it is the only admin - make another one first`);
}

/** endRole takes the role of an account that has gone: else who gets the name would have it. Throws OperatorError when that cannot be written. */
export function endRole({ roles }: OperationNeeds, username: string): void {
  if (roles?.all.has(username)) roles.set(username, null);
}
