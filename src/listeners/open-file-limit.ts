// How many descriptors this process may have. Node has raised the soft limit to the hard one when it started.

import { readFileSync } from 'node:fs';

/** openFileLimit reads RLIMIT_NOFILE of this process; infinite where the system does not tell. proc_pid_limits(5) */
export function openFileLimit(): number {
  let text: string;
  try {
    text = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return Number.POSITIVE_INFINITY;
  }
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}
