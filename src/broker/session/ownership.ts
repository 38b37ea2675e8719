// Whose a session is.

import type { Requester } from '../ports.ts';

/** Accounts tells whether a user can sign in at a listener. */
interface Accounts {
  isAccount(listener: string, username: string | null): boolean;
}

/**
 * isOfAnother tells whether a session is not for who comes with its client id. That is no secret: without this anybody could discard what
 * waits for another, or read it. A user who can sign in no more, and who never had to prove the name, leaves its sessions to others.
 */
export function isOfAnother(session: Requester, accounts: Accounts, username: string | null, isProven: boolean): boolean {
  return accounts.isAccount(session.listener, session.username) && (username !== session.username || !isProven);
}
