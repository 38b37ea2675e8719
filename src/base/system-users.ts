// Names and numbers of this system's users.

import { execFileSync } from 'node:child_process';

/** idOf gives the number of a user or its group, or null; id(1) also knows users that are not in /etc/passwd. */
export function idOf(user: string, what: '-u' | '-g'): number | null {
  try {
    return Number(execFileSync('id', [what, '--', user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return null;
  }
}

/** nameOf gives the name of a user's number, or the number where it has none. */
export function nameOf(uid: number): string {
  try {
    return execFileSync('id', ['-nu', '--', String(uid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return String(uid);
  }
}
