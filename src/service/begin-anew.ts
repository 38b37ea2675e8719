// The program in the place of itself: execve(2) keeps process id, standard streams and rights, so that a service manager and a shell both see
// it go on.

import { isSea } from 'node:sea';
/** beginAnew never returns. `more` is added to the environment. */
export function beginAnew(more: Readonly<Record<string, string>>): never {
  const { execPath, execArgv, argv, argv0 } = process;
  const words = isSea() ? [argv0, ...argv.slice(2)] : [execPath, ...execArgv, ...argv.slice(1)];
  process.execve?.(execPath, words, { ...process.env, ...more });
  throw new Error('this system has no execve(2)');
}
