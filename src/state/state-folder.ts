// Where the broker keeps what it must not forget - certificates, accounts, its database - and what of it is ours to change.

import { accessSync, closeSync, constants, existsSync, lstatSync, realpathSync, writeSync } from 'node:fs';
import { userInfo } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { makeFolders } from '../base/durable-file.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { isStateName, STATE_NAMES } from '../base/state-names.ts';
import { FolderDescriptor, giveIfRoots, withFolder } from './folder-descriptor.ts';
import { type FolderOwnership, folderOwnership, MADE_HERE, TAKEN_OVER } from './folder-ownership.ts';
import { isOfSwap } from './state-swap.ts';

/** mosquitto's exit status for a configuration that can't be used. */
const BAD_CONFIGURATION = 3;

/** SYSTEM_STATE is the state folder of root, and of an installed service. */
const SYSTEM_STATE = '/var/lib/midge';

export interface StateFolderFacts {
  /** `--state`, or null. */
  readonly asked: string | null;
  /** `persistence_location`, absolute, or null. */
  readonly location: string | null;
  /** `persistence_file`. */
  readonly file: string;
  readonly isRoot: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * findState gives the state folder and the database of a broker, and makes nothing. Only the database is where `persistence_location` says;
 * earlier versions kept all of it there, so an authority that lies there stays in use.
 */
export function findState(facts: StateFolderFacts): StateFolder {
  const location = facts.env['MOSQUITTO_PERSISTENCE_LOCATION'] || facts.location; // mosquitto(8) 2.1: it goes before the file
  const own = ownFolder(facts);
  const inFolder = (path: string) => new StateFolder(path, databaseIn(location ?? path, facts.file));
  const before = inFolder(dirname(databaseIn(location ?? own, facts.file)));
  if (facts.asked !== null || before.path === own) return inFolder(own);
  return before.holdsAuthority() && !inFolder(own).holdsAuthority() ? before : inFolder(own);
}

/** Earlier versions took a relative path without `persistence_location` from the working folder: a database that lies there stays in use. */
function databaseIn(folder: string, file: string): string {
  const [path, before] = [resolve(folder, file), resolve(file)];
  return file.includes('/') && !existsSync(path) && existsSync(before) ? before : path;
}

/** otherAuthorities gives the folders of this machine, other than `path`, where an authority lies that an earlier start may have announced. `systemState` is the folder of an installed service. */
export function otherAuthorities(
  path: string,
  { env, isRoot }: Pick<StateFolderFacts, 'env' | 'isRoot'>,
  systemState = SYSTEM_STATE,
): readonly string[] {
  const places = [
    ownFolder({ asked: null, env, isRoot }),
    ownFolder({ asked: null, env: { HOME: homeOf(env) ?? '' }, isRoot: false }),
    systemState,
    resolve('.midge'),
  ];
  return [...new Set(places)].filter((each) => each !== path && new StateFolder(each, 'midge.db').holdsAuthority());
}

function ownFolder({ asked, isRoot, env }: Pick<StateFolderFacts, 'asked' | 'isRoot' | 'env'>): string {
  if (asked !== null) return resolve(asked);
  const [systemd] = (env['STATE_DIRECTORY'] ?? '').split(':'); // systemd.exec(5): several are separated by colons
  if (systemd) return systemd;
  if (isRoot) return SYSTEM_STATE;
  if (env['XDG_STATE_HOME']) return join(env['XDG_STATE_HOME'], 'midge');
  const here = resolve('.midge'); // earlier versions had it in the working folder where there was no HOME
  if (!env['HOME'] && existsSync(here)) return here;
  const home = homeOf(env);
  return home === null ? here : join(home, '.local/state/midge');
}

/** The home of the user where HOME is not told, as in a service: another working folder must not be another broker. */
function homeOf(env: StateFolderFacts['env']): string | null {
  if (env['HOME']) return env['HOME'];
  try {
    const { homedir } = userInfo();
    accessSync(homedir, constants.W_OK);
    return homedir;
  } catch {
    return null;
  }
}

/** StateFolder is made when something must be kept, and given to the user that the broker becomes. */
export class StateFolder {
  readonly path: string;
  readonly certificates: string;
  readonly passwordFile: string;
  readonly controlSocket: string;
  readonly knownLogins: string;
  readonly apiRoles: string;
  readonly apiTokens: string;
  readonly changes: string;
  readonly internet: string;
  readonly phones: string;
  readonly bridgeInvitations: string;
  readonly updates: string;
  readonly updateRequest: string;
  readonly metricsHistory: string;
  readonly restoreUpload: string;
  /** Absolute; in this folder, or wherever the configuration has it. */
  readonly database: string;
  #isMade = false;

  /** `database` is relative to the folder, or absolute. */
  constructor(path: string, database: string) {
    this.path = path;
    this.database = resolve(path, database);
    this.certificates = join(path, STATE_NAMES.certificates);
    this.passwordFile = join(path, STATE_NAMES.passwordFile);
    this.controlSocket = join(path, STATE_NAMES.controlSocket);
    this.knownLogins = join(path, STATE_NAMES.knownLogins);
    this.apiRoles = join(path, STATE_NAMES.apiRoles);
    this.apiTokens = join(path, STATE_NAMES.apiTokens);
    this.changes = join(path, STATE_NAMES.changes);
    this.internet = join(path, STATE_NAMES.internet);
    this.phones = join(path, STATE_NAMES.phones);
    this.bridgeInvitations = join(path, STATE_NAMES.bridgeInvitations);
    this.updates = join(path, STATE_NAMES.updates);
    this.updateRequest = join(path, STATE_NAMES.updateRequest);
    this.metricsHistory = join(path, STATE_NAMES.metricsHistory);
    this.restoreUpload = join(path, STATE_NAMES.restoreUpload);
  }

  /** exists tells whether there is a folder that is ours. */
  exists(): boolean {
    return this.#isMade || this.judge().kind === 'ours';
  }

  /** judge tells whose the folder is. */
  judge(): FolderOwnership {
    return folderOwnership(this.path, (name) => this.isOurs(name));
  }

  /** holdsAuthority tells whether our certificate authority lies here. */
  holdsAuthority(): boolean {
    return this.judge().kind === 'ours' && lstatSync(join(this.certificates, 'ca.key'), { throwIfNoEntry: false })?.isFile() === true;
  }

  /** isDatabaseOurs tells whether nobody else keeps files in the folder of the database. */
  isDatabaseFolderOurs(): boolean {
    const folder = dirname(this.database);
    const judgement = folder === this.path ? this.judge() : folderOwnership(folder, (name) => isOfDatabase(name, basename(this.database)));
    return judgement.kind !== 'foreign';
  }

  /** make makes the folder, for its owner only, and marks it as ours; throws OperatorError when it can't, or when it is somebody else's. */
  make(): void {
    if (this.#isMade) return;
    const judgement = this.judge();
    if (judgement.kind === 'foreign') {
      throw new OperatorError(`Cannot use "${this.path}" as state folder: ${judgement.reason} - name a folder of its own with --state`, {
        exitCode: BAD_CONFIGURATION,
      });
    }
    try {
      const isNew = judgement.kind === 'absent';
      if (isNew) makeFolders(this.path, 0o700);
      if (isNew || !judgement.isMarked) mark(this.path, isNew || judgement.looksMade ? MADE_HERE : TAKEN_OVER);
    } catch (error) {
      throw new OperatorError(`Cannot make state folder "${this.path}": ${reasonOf(error)} - name another one with --state`, {
        cause: error,
        exitCode: BAD_CONFIGURATION,
      });
    }
    this.#isMade = true;
  }

  /** giveTo changes the owner of what root has made, and of nothing else: the folder itself only if midge made it and all in it is ours. */
  giveTo(uid: number, gid: number): void {
    const judgement = this.judge();
    if (judgement.kind === 'ours') {
      withFolder(
        () => FolderDescriptor.open(realpathSync(this.path)),
        (folder) => {
          const all = folder.entries();
          const ours = all.filter(({ name }) => this.isOurs(name));
          for (const entry of ours) giveIfRoots(folder, entry, uid, gid);
          if (judgement.looksMade && ours.length === all.length && folder.stats().uid === 0) folder.give(uid, gid);
        },
      );
    }
    const folder = dirname(this.database);
    if (folder === this.path || !existsSync(folder)) return;
    withFolder(
      () => FolderDescriptor.open(realpathSync(folder)),
      (opened) => {
        const entries = opened.entries();
        const ours = entries.filter((entry) => entry.isFile() && isOfDatabase(entry.name, basename(this.database)));
        for (const entry of ours) giveIfRoots(opened, entry, uid, gid);
        const { uid: owner, mode } = opened.stats();
        if (owner === 0 && (mode & 0o777) === 0o700 && ours.length === entries.length) opened.give(uid, gid); // as the store makes it
      },
    );
  }

  /** isOurs tells whether a name in the folder is ours: the database and what belongs to it, what STATE_NAMES has, what a restore has put aside. */
  isOurs(name: string): boolean {
    const isBeside = dirname(this.database) === this.path && isOfDatabase(name, basename(this.database));
    return isBeside || isStateName(name) || isOfSwap(name);
  }
}

/** The database, what SQLite lays beside it, what the store has moved aside or kept from before an upgrade, copies that a backup left. */
function isOfDatabase(name: string, database: string): boolean {
  const beside = ['corrupt', 'newer', 'replaced', 'version', 'backup'].some((what) => name.startsWith(`${database}.${what}-`));
  return beside || ['', '-wal', '-journal', '-shm'].some((end) => name === database + end);
}

function mark(path: string, text: string): void {
  withFolder(
    () => FolderDescriptor.open(realpathSync(path)),
    (folder) => {
      if (folder.entries().some(({ name }) => name === STATE_NAMES.marker)) return; // somebody else's: it does not count, and stays
      const fd = folder.open(STATE_NAMES.marker, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
      try {
        writeSync(fd, text);
      } finally {
        closeSync(fd);
      }
    },
  );
}
