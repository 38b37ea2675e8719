// Accounts that come as names and passwords, put into the text of a password file.

import type { Account } from './options.ts';
import { passwordEntry } from './password-file.ts';
import { setUser } from './password-file-edit.ts';
import { hashPassword, parsePasswordHash, verifyPassword } from './password-hash.ts';

/** setAccounts gives the text with each account in it. Whose password is the same already keeps the hash, so that doing it again changes nothing. */
export async function setAccounts(text: string, accounts: readonly Account[]): Promise<string> {
  let result = text;
  for (const { username, password } of accounts) {
    if (await hasPassword(result, username, password)) continue;
    result = setUser(result, username, await hashPassword(password));
  }
  return result;
}

/** usersOf lists the users of a text. */
export function usersOf(text: string): string[] {
  return text.split('\n').flatMap((line) => passwordEntry(line)?.user ?? []);
}

async function hasPassword(text: string, username: string, password: string): Promise<boolean> {
  const entry = text
    .split('\n')
    .map(passwordEntry)
    .find((each) => each?.user === username);
  const hash = parsePasswordHash(entry?.password ?? '');
  return hash !== null && (await verifyPassword(hash, Buffer.from(password)));
}
