// Changes the text of a password file, line by line: comments and other users stay as they are.

import { OperatorError } from '../base/errors.ts';
import { LOCK, looksHashed, passwordEntry } from './password-file.ts';
import { parsePasswordHash } from './password-hash.ts';

/** MQTT carries user names and passwords behind two bytes of length, 3.1.3.5 and 3.1.3.6. */
const MAX_BYTES = 65_535;

/** usernameFault says why a user name can't stand in a password file, or gives null. */
export function usernameFault(user: string): string | null {
  if (user.includes(':')) return "Username must not contain the ':' character";
  if (/[\u0000-\u001f\u007f-\u009f]/.test(user)) return 'Username must not contain control characters';
  if (user === '' || user !== user.trim() || user.startsWith('#'))
    return 'Username must not be empty, begin with #, or begin or end with a space';
  return Buffer.byteLength(user) > MAX_BYTES ? 'Username is too long' : null;
}

/** passwordFault says why no client could send a password, or gives null. */
export function passwordFault(password: string): string | null {
  if (password === '') return 'Empty password';
  return Buffer.byteLength(password) > MAX_BYTES ? 'Password is too long' : null;
}

/** hasUser tells whether a text has a line of the user. */
export function hasUser(text: string, user: string): boolean {
  return text.split('\n').some((line) => passwordEntry(line)?.user === user);
}

/** lockedUsers gives those of a text whose accounts are locked. */
export function lockedUsers(text: string): ReadonlySet<string> {
  const entries = text.split('\n').map(passwordEntry);
  return new Set(entries.flatMap((entry) => (entry?.isLocked ? [entry.user] : [])));
}

/** setLock gives the text with the account of a user locked or unlocked; its password stays. */
export function setLock(text: string, user: string, isLocked: boolean): string {
  const lines = text.split('\n').map((line) => {
    const entry = passwordEntry(line);
    return entry?.user === user && entry.isLocked !== isLocked ? `${user}:${isLocked ? LOCK : ''}${entry.password}` : line;
  });
  return lines.join('\n');
}

/** setUser gives the text with the user's hash, in the user's line or in a new one at the end. More lines of the same user go; a lock stays. */
export function setUser(text: string, user: string, hash: string): string {
  const line = `${user}:${lockedUsers(text).has(user) ? LOCK : ''}${hash}`;
  if (!hasUser(text, user)) return `${text === '' || text.endsWith('\n') ? text : `${text}\n`}${line}\n`;
  let isSet = false;
  const lines = text.split('\n').flatMap((each) => {
    if (passwordEntry(each)?.user !== user) return [each];
    if (isSet) return [];
    isSet = true;
    return [line];
  });
  return lines.join('\n');
}

/** removeUser gives the text without the user's lines. */
export function removeUser(text: string, user: string): string {
  return text
    .split('\n')
    .filter((line) => passwordEntry(line)?.user !== user)
    .join('\n');
}

/**
 * hashPlainPasswords gives the text with every plain password hashed; what is hashed already stays.
 * Throws OperatorError for a hash that is damaged or of another program's making: to hash it once more would lock its user out.
 */
export async function hashPlainPasswords(text: string, path: string, hash: (password: string) => Promise<string>): Promise<string> {
  const lines: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const entry = passwordEntry(line);
    if (entry === null || parsePasswordHash(entry.password) !== null) {
      lines.push(line);
      continue;
    }
    const { user, password } = entry;
    if (user === '' || password === '' || looksHashed(password)) {
      const what =
        user === '' ? 'the user name is empty' : password === '' ? 'it is empty' : 'it is a hash already, damaged or of another program';
      throw new OperatorError(
        `${path}:${index + 1}: Cannot hash password of user "${user}": ${what} - set it again: midge passwd ${path} USER`,
      );
    }
    lines.push(`${user}:${await hash(password)}`);
  }
  return lines.join('\n');
}
