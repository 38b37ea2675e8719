// The account that is made at first start where a password is needed and nobody has set one.

import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Account } from './options.ts';
import { writePasswordFile } from './password-file.ts';
import { hashPassword } from './password-hash.ts';

const USERNAME = 'midge';

/** Letters and digits that nobody mistakes for another, on paper or on a phone: 31 of them, 4.95 bits each. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';
const GROUPS = 4;
const GROUP_LENGTH = 5;

/** ensureFirstAccount makes an account with a random password (99 bits) when the file does not exist, has only its hash written there, and gives it to be shown once; null when the file is there. */
export async function ensureFirstAccount(path: string, write = writePasswordFile): Promise<Account | null> {
  if (existsSync(path)) return null;
  const account = { username: USERNAME, password: makePassword() };
  write(path, `${account.username}:${await hashPassword(account.password)}\n`);
  return account;
}

/** makePassword gives a random password (99 bits) that is easily typed. */
export function makePassword(): string {
  const groups = Array.from({ length: GROUPS }, () =>
    Array.from({ length: GROUP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
  );
  return groups.join('-');
}
