// Reads and writes a mosquitto password file: `user:hash` per line, `user:!hash` where the account is locked.

import { closeSync, fchownSync, openSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { replaceFile } from '../base/durable-file.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { type FileDiagnostic, readAccessFile, refuseMistakes } from './file-diagnostic.ts';
import { type PasswordHash, parsePasswordHash } from './password-hash.ts';

/** LOCK before a hash locks the account, as passwd(1) does it: mosquitto has no such password, and lets nobody in by it either. */
export const LOCK = '!';

/** StoredPassword is that of a user; a locked one lets nobody in. */
export interface StoredPassword {
  readonly hash: PasswordHash;
  readonly isLocked: boolean;
}

/** PasswordFile holds the password of each user. */
export type PasswordFile = ReadonlyMap<string, StoredPassword>;

/** readPasswordFile reads a file; throws OperatorError with all its mistakes: a duplicate user, a password that is not hashed, a damaged hash. */
export function readPasswordFile(path: string): PasswordFile {
  const { users, remarks } = parsePasswordFile(readAccessFile('password_file', path), path);
  refuseMistakes(remarks);
  return users;
}

/** parsePasswordFile reads the text of a password file. Lines without a colon and lines that begin with # are skipped, as mosquitto does. */
export function parsePasswordFile(
  text: string,
  path: string,
): { readonly users: PasswordFile; readonly remarks: readonly FileDiagnostic[] } {
  const users = new Map<string, StoredPassword>();
  const places = new Map<string, number>();
  const remarks: FileDiagnostic[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const entry = passwordEntry(raw);
    if (entry === null) {
      if (/^\s*[^#\s]/.test(raw)) remarks.push(skipped(path, index + 1));
      continue;
    }
    const { user, password, isLocked } = entry;
    const first = places.get(user);
    const hash = parsePasswordHash(password);
    const [message, hint] = first === undefined ? mistakeIn(user, password, hash, path) : twice(user, first);
    if (message !== null) remarks.push({ severity: 'error', file: path, line: index + 1, column: 1, message, hint });
    if (first === undefined) places.set(user, index + 1);
    if (hash !== null) users.set(user, { hash, isLocked });
  }
  return { users, remarks };
}

/** The text is not shown: it may be a password. */
function skipped(file: string, line: number): FileDiagnostic {
  const hint = `write NAME:HASH, as midge passwd ${file} NAME does`;
  return { severity: 'warning', file, line, column: 1, message: 'This line has no colon and is skipped', hint };
}

/** PasswordEntry is a line of the file; the password is without the sign that locks it. */
export interface PasswordEntry {
  readonly user: string;
  readonly password: string;
  readonly isLocked: boolean;
}

/** passwordEntry takes a line apart, or gives null for one that means nothing. */
export function passwordEntry(raw: string): PasswordEntry | null {
  const line = raw.trim();
  const colon = line.indexOf(':');
  if (line.startsWith('#') || colon === -1) return null;
  const user = line.slice(0, colon).trim();
  const password = line.slice(colon + 1).trim();
  const isLocked = password.startsWith(LOCK) && looksHashed(password.slice(LOCK.length)); // else it is a plain password
  return { user, password: isLocked ? password.slice(LOCK.length) : password, isLocked };
}

/** looksHashed tells a hash, damaged or of another program's making, from a plain password. */
export function looksHashed(password: string): boolean {
  return /^(\$[a-z0-9-]+\$|PBKDF2\$)/i.test(password);
}

function mistakeIn(user: string, password: string, hash: PasswordHash | null, path: string): [message: string | null, hint: string | null] {
  if (user === '') return ['Cannot use password file line: the user name is empty', 'remove it'];
  if (hash !== null) return [null, null];
  const setAgain = `set it again: midge passwd ${path} ${user}`;
  if (password === '') return [`Cannot read password of user "${user}": there is none`, setAgain];
  if (looksHashed(password)) return [`Cannot read password hash of user "${user}": it is not a $6$, $7$ or $argon2id$ hash`, setAgain];
  return [`Cannot read password of user "${user}": it is not hashed`, `hash all plain passwords of the file: midge passwd -U ${path}`];
}

function twice(user: string, line: number): [message: string, hint: string] {
  return [`Cannot add user "${user}": the file has it twice, first in line ${line}`, 'remove one of the lines'];
}

/**
 * writePasswordFile writes a text whole or not at all, readable by the owner only. A file that was there keeps its owner, if we may give
 * it away, and its group's right to read; a link stays one.
 */
export function writePasswordFile(path: string, text: string): void {
  try {
    const old = statSync(path, { throwIfNoEntry: false });
    const target = old === undefined ? path : realpathSync(path);
    replaceFile(target, (temporary) => {
      const fd = openSync(temporary, 'wx', 0o600 | ((old?.mode ?? 0) & 0o040));
      try {
        writeFileSync(fd, text);
        if (old !== undefined && process.geteuid?.() === 0) fchownSync(fd, old.uid, old.gid);
      } finally {
        closeSync(fd);
      }
    });
  } catch (error) {
    throw new OperatorError(`Cannot write password file "${path}": ${reasonOf(error)}`, { cause: error });
  }
}
