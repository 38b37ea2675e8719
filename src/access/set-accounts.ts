// Accounts that come as names and passwords, put into the text of a password file.

import type { Account } from './options.ts';
import { passwordEntry } from './password-file.ts';
import { setUser } from './password-file-edit.ts';
import { hashPassword, parsePasswordHash, verifyPassword } from './password-hash.ts';

/** setAccounts gives the text with each account in it. Whose password is the same already keeps the hash, so that doing it again changes nothing. */
export async function setAccounts(text: string, accounts: readonly Account[]): Promise<string> {
  let result = text;
  for (const account of accounts) {
    if (await hasAccount(result, account)) continue;
    result = setUser(result, account.username, await hashPassword(account.password));
  }
  return result;
}

/** usersOf lists the users of a text. */
export function usersOf(text: string): string[] {
  return text.split('\n').flatMap((line) => passwordEntry(line)?.user ?? []);
}

/** hasAccount tells whether a text has the account with this very password. */
export async function hasAccount(text: string, { username, password }: Account): Promise<boolean> {
  const entry = text
    .split('\n')
    .map(passwordEntry)
    .find((each) => each?.user === username);
  const hash = parsePasswordHash(entry?.password ?? '');
  return hash !== null && (await verifyPassword(hash, Buffer.from(password)));
}
