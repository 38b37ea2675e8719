// The `pid_file` that service scripts look for.

import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { OperatorError, reasonOf } from '../base/errors.ts';

/** writePidFile writes the number of this process; throws OperatorError when it can't. */
export function writePidFile(path: string): void {
  try {
    writeFileSync(path, `${process.pid}\n`, { mode: 0o644 });
  } catch (error) {
    throw new OperatorError(`Cannot write pid_file "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

/** removePidFile removes the file if it is still ours. Without root its folder may not allow that: then a stale file stays, as mosquitto leaves it. */
export function removePidFile(path: string): void {
  try {
    if (readFileSync(path, 'utf8').trim() === String(process.pid)) unlinkSync(path);
  } catch {
    // the service manager may have removed it
  }
}
