// Gives up root once the ports are open, as mosquitto does.

import { accessSync, constants, existsSync } from 'node:fs';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { Log } from '../logging/logging.ts';
import type { StateFolder } from '../state/state-folder.ts';
import { idOf } from '../state/system-users.ts';

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
