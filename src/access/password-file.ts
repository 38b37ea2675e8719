// Reads and extends a mosquitto password file: `user:hash` per line.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { type PasswordHash, parsePasswordHash } from './password-hash.ts';

/** PasswordFile holds the hash of each user. */
export type PasswordFile = ReadonlyMap<string, PasswordHash>;

/** readPasswordFile reads a file; throws OperatorError with file:line on a duplicate user or a hash that is none. */
export function readPasswordFile(path: string): PasswordFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new OperatorError(`Cannot read password_file "${path}": ${reasonOf(error)}`, { cause: error });
  }
  return parsePasswordFile(text, path);
}

/** parsePasswordFile reads the text of a password file. Lines without a colon and lines that begin with # are skipped, as mosquitto does. */
export function parsePasswordFile(text: string, path: string): PasswordFile {
  const users = new Map<string, PasswordHash>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    const colon = line.indexOf(':');
    if (line.startsWith('#') || colon === -1) continue;
    const user = line.slice(0, colon).trim();
    const place = `${path}:${index + 1}`;
    if (user === '') throw new OperatorError(`${place}: Cannot use password file line: the user name is empty`);
    if (users.has(user)) throw new OperatorError(`${place}: Cannot add user "${user}": the file has it twice - remove one of the lines`);
    const hash = parsePasswordHash(line.slice(colon + 1).trim());
    if (hash === null)
      throw new OperatorError(
        `${place}: Cannot read password hash of user "${user}": it is no $6$, $7$ or $argon2id$ hash - set it again with mosquitto_passwd`,
      );
    users.set(user, hash);
  }
  return users;
}

/** writePasswordFile writes lines `user:hash`, readable by the owner only, whole or not at all. */
export function writePasswordFile(path: string, entries: readonly (readonly [user: string, hash: string])[]): void {
  const temporary = `${path}.new`;
  const text = entries.map(([user, hash]) => `${user}:${hash}\n`).join('');
  try {
    rmSync(temporary, { force: true });
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    flushFolder(dirname(path));
  } catch (error) {
    throw new OperatorError(`Cannot write password file "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

/** fsync(2): a new name in a folder survives a power cut only when the folder is written too. */
function flushFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
