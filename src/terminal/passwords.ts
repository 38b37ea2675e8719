// Passwords on the command line: from a file, and out of sight of `ps`.

import { readFileSync } from 'node:fs';
import { OperatorError, reasonOf } from '../base/errors.ts';

/** readPasswordFile gives the first line of a file. Throws OperatorError when it cannot be read or is empty. */
export function readPasswordFile(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new OperatorError(`Error: Unable to read password file "${path}": ${reasonOf(error)}.`);
  }
  const password = text.split(/\r?\n/, 1)[0] ?? '';
  if (password === '') throw new OperatorError(`Error: Password file "${path}" is empty.`);
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
