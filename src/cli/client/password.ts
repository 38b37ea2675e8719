// Passwords of pub and sub: from a file, and out of sight of `ps`.

import { readFileSync } from 'node:fs';
import { reasonOf } from '../../base/errors.ts';
import { ClientMistake } from './mistake.ts';

/** readPasswordFile gives the first line of a file. Throws ClientMistake when it cannot be read or is empty. */
export function readPasswordFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ClientMistake(`Error: Unable to read password file "${path}": ${reasonOf(error)}.`, { hint: false });
  }
  const password = text.split(/\r?\n/, 1)[0] ?? '';
  if (password === '') throw new ClientMistake(`Error: Password file "${path}" is empty.`, { hint: false });
  return password;
}

/**
 * hideArguments overwrites the command line that other users see in /proc/PID/cmdline and `ps` by the program's name: setting process.title
 * writes over the memory of the arguments. Between start and this call a password stands there for some 50 ms, and it stays in the shell's
 * history: --password-file is better.
 */
export function hideArguments(program: string): void {
  process.title = program;
}
