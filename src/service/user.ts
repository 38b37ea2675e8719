// Gives up root once the ports are open, as mosquitto does.

import { accessSync, constants, existsSync } from 'node:fs';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { idOf } from '../base/system-users.ts';

/** Tried in this order when the configuration names no `user`. */
const OWN_USERS = ['midge', 'nobody'];
/** mosquitto's own user, and who takes its place. */
const MOSQUITTOS_USER = 'mosquitto';
const ITS_SUBSTITUTE = 'nobody';

/** Owned is what the new user has to own. */
export interface Owned {
  giveTo(uid: number, gid: number): void;
}

export interface UserChange {
  /** `user` of the configuration, or null. */
  readonly wanted: string | null;
  /** The state folder, by its path. */
  readonly state: Owned & { readonly path: string };
  /** Which users are meant when none is named: mosquitto's; ours; or none where the sources run, because files that are loaded later may be hidden from another user. */
  readonly unnamed: "mosquitto's" | 'ours' | 'none';
  readonly log: Owned & Logger;
}

/** isRoot tells whether there is anything to give up. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** leaveRoot becomes the wanted user for good, if the process is root's; throws OperatorError when that user does not exist. */
export function leaveRoot({ wanted, state, unnamed, log }: UserChange): void {
  if (!isRoot()) return;
  const user = wanted ?? unnamedUser(unnamed, log);
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

function unnamedUser(unnamed: UserChange['unnamed'], log: Logger): string {
  if (unnamed === 'none') return 'root';
  if (unnamed === 'ours') return OWN_USERS.find((name) => idOf(name, '-u') !== null) ?? 'root';
  if (idOf(MOSQUITTOS_USER, '-u') !== null) return MOSQUITTOS_USER;
  log.log(
    'warning',
    `Warning: Unable to drop privileges to '${MOSQUITTOS_USER}' because this user does not exist. Trying '${ITS_SUBSTITUTE}' user instead.`,
  );
  return ITS_SUBSTITUTE;
}

function warnIfOut(path: string, user: string, log: Logger): void {
  if (!existsSync(path)) return;
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch {
    log.log(
      'warning',
      `Warning: User ${user} cannot write to the state folder "${path}": midge cannot save renewed certificates, and renews them again at each start.`,
    );
  }
}
