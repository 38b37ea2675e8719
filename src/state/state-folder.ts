// Where the appliance keeps what it must not forget: certificates, accounts.

import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { isStateName, STATE_NAMES } from '../base/state-names.ts';
import { giveIfRoots, OwnFolder, withFolder } from './own-files.ts';
import { isOfSwap } from './state-swap.ts';

export interface StateFolderFacts {
  /** `--state`, or null. */
  readonly asked: string | null;
  /** `persistence_location`, absolute, or null. */
  readonly location: string | null;
  readonly isRoot: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** stateFolderPath gives the absolute path, without touching the disk. Without a home it is in the working folder, where mosquitto keeps its database. */
export function stateFolderPath({ asked, location, isRoot, env }: StateFolderFacts): string {
  if (asked !== null) return resolve(asked);
  const ofMosquitto = env['MOSQUITTO_PERSISTENCE_LOCATION']; // mosquitto(8) 2.1: it goes before the file
  if (ofMosquitto) return resolve(ofMosquitto);
  if (location !== null) return location;
  const [systemd] = (env['STATE_DIRECTORY'] ?? '').split(':'); // systemd.exec(5): several are separated by colons
  if (systemd) return systemd;
  if (isRoot) return '/var/lib/midge';
  if (env['XDG_STATE_HOME']) return join(env['XDG_STATE_HOME'], 'midge');
  if (env['HOME']) return join(env['HOME'], '.local/state/midge');
  return resolve('.midge');
}

/** StateFolder is made when something must be kept, and given to the user that the broker becomes. */
export class StateFolder {
  readonly path: string;
  /** Our own things inside: the folder may hold those of others. */
  readonly certificates: string;
  readonly passwordFile: string;
  readonly controlSocket: string;
  readonly knownLogins: string;
  readonly #database: string;

  /** `database` is the name of the store's file. */
  constructor(path: string, database: string) {
    this.path = path;
    this.#database = database;
    this.certificates = join(path, STATE_NAMES.certificates);
    this.passwordFile = join(path, STATE_NAMES.passwordFile);
    this.controlSocket = join(path, STATE_NAMES.controlSocket);
    this.knownLogins = join(path, STATE_NAMES.knownLogins);
  }

  /** exists tells whether anything was kept. */
  exists(): boolean {
    return existsSync(this.path);
  }

  /** make makes the folder, for its owner only; throws OperatorError when it can't. */
  make(): void {
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new OperatorError(`Cannot make state folder "${this.path}": ${reasonOf(error)} - name another one with --state`, {
        cause: error,
      });
    }
  }

  /** giveTo changes the owner of what root has made here, and of nothing else: the folder itself only while all in it is ours. */
  giveTo(uid: number, gid: number): void {
    if (!existsSync(this.path)) return;
    withFolder(
      () => OwnFolder.open(this.path),
      (folder) => {
        const all = folder.entries();
        const ours = all.filter(({ name }) => this.isOurs(name));
        for (const entry of ours) giveIfRoots(folder, entry, uid, gid);
        if (ours.length === all.length && folder.stats().uid === 0) folder.give(uid, gid);
      },
    );
  }

  /**
   * isOurs tells whether a name in the folder is ours: the database, what SQLite lays beside it, what the store has moved aside or kept
   * from before an upgrade, copies that a backup left, what a restore has put aside.
   */
  isOurs(name: string): boolean {
    const database = this.#database;
    const made = [database, `${database}-wal`, `${database}-journal`];
    const beside = ['corrupt', 'newer', 'version', 'backup'].some((what) => name.startsWith(`${database}.${what}-`));
    return beside || made.includes(name) || isStateName(name) || isOfSwap(name);
  }
}
