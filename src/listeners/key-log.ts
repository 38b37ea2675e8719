// The file of --tls-keylog: with it wireshark reads what TLS connections say (NSS key log format).

import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;

/** The format has no permission bits: who can read the file can read the connections. */
const SECRET = 0o600;

/** openKeyLog gives what adds a line to the file. Throws OperatorError for a file that others may read, a link, and what is no file. */
export function openKeyLog(path: string, log: Logger): (line: Buffer) => void {
  const file = openOwnFile(path);
  log.log(
    'warning',
    `Warning: --tls-keylog writes the keys of all TLS connections to "${path}": everyone who can read the file can read every password.`,
  );
  let isBroken = false;
  return (line) => {
    if (isBroken) return;
    try {
      writeSync(file, line);
    } catch (error) {
      isBroken = true;
      log.log('error', `Error: Cannot write "${path}": ${reasonOf(error)}. No more keys are written to it.`);
    }
  };
}

function openOwnFile(path: string): number {
  let file: number;
  try {
    file = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, SECRET);
  } catch (error) {
    throw new OperatorError(`Cannot open --tls-keylog "${path}": ${reasonOf(error)}`, { cause: error });
  }
  const stats = fstatSync(file);
  const problem =
    !stats.isFile() || stats.nlink > 1 ? 'it is no file of its own' : (stats.mode & 0o077) !== 0 ? 'other users may read it' : null;
  if (problem === null) return file;
  closeSync(file);
  throw new OperatorError(`Cannot use --tls-keylog "${path}": ${problem} - name a file that is not there yet`);
}
