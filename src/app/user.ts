// Gives up root once the ports are open, as mosquitto does.

import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { Log } from '../logging/logging.ts';
import type { StateFolder } from '../state/state-folder.ts';

/** Tried in this order when the configuration names no `user`. */
const DEFAULT_USERS = ['midge', 'nobody'];

export interface UserChange {
  /** `user` of the configuration, or null. */
  readonly wanted: string | null;
  readonly state: StateFolder;
  /** False where the sources run: files that are loaded later may be hidden from another user, so one must be named. */
  readonly mayChoose: boolean;
  readonly log: Log;
}

/** isRoot tells whether there is anything to give up. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** leaveRoot becomes the wanted user for good, if the process is root's; throws OperatorError when that user does not exist. */
export function leaveRoot({ wanted, state, mayChoose, log }: UserChange): void {
  if (!isRoot()) return;
  const user = wanted ?? (mayChoose ? DEFAULT_USERS.find((name) => idOf(name, '-u') !== null) : undefined) ?? 'root';
  if (user === 'root') {
    log.log('warning', 'Warning: The broker runs as root. Name another user with "user NAME" in the configuration.');
    return;
  }
  const [uid, gid] = [idOf(user, '-u'), idOf(user, '-g')];
  if (uid === null || gid === null)
    throw new OperatorError(`Cannot become user "${user}": there is no such user - add it or change "user" in the configuration`);
  const posix = process as NodeJS.Process & { initgroups(user: string, extraGroup: number): void }; // missing in the types of Node 24
  try {
    log.giveTo(uid, gid);
    state.giveTo(uid, gid);
    posix.initgroups(user, gid);
    process.setgid?.(gid);
    process.setuid?.(uid);
  } catch (error) {
    throw new OperatorError(`Cannot become user "${user}": ${reasonOf(error)}`, { cause: error });
  }
  log.log('information', `Running as user ${user}.`);
  warnIfOut(state.path, user, log);
}

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

function warnIfOut(path: string, user: string, log: Log): void {
  if (!existsSync(path)) return;
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch {
    log.log(
      'warning',
      `Warning: User ${user} cannot write to the state folder "${path}": renewed certificates are made again at each start.`,
    );
  }
}
