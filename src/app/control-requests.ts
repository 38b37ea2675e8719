// The requests of the control socket, by name. The functions behind them know nothing of sockets.

import { realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { whatArrives } from '../access/acl-explain.ts';
import type { LoginHold } from '../access/login-throttle.ts';
import { nameOfCopy } from '../state/backup.ts';
import type { Appliance } from './app.ts';
import type { RequestHandler } from './control.ts';
import type { RememberedRefusal } from './diagnostics.ts';
import { missingRule } from './explain-refusal.ts';
import { readStatus, type StatusSetup } from './status.ts';

/** Sessions whose subscriptions are looked at for one answer. */
const MAX_SESSIONS = 1000;

/** DeafSubscription is one to which nothing may ever arrive: SUBSCRIBE is accepted all the same. */
export interface DeafSubscription {
  readonly clientId: string;
  readonly username: string | null;
  readonly topicFilter: string;
  readonly reason: string;
  /** What to do about it, or null. */
  readonly advice: string | null;
}

/** Reasons answer "why". */
export interface Reasons {
  readonly refusals: readonly RememberedRefusal[];
  readonly held: readonly LoginHold[];
  readonly deaf: readonly DeafSubscription[];
}

/** controlRequests is the table. */
export function controlRequests(setup: StatusSetup): Readonly<Record<string, RequestHandler>> {
  const { appliance } = setup;
  return {
    status: () => readStatus(setup),
    why: ({ about }) => readReasons(appliance, typeof about === 'string' ? about : null),
    backup: () => copyForBackup(appliance),
    throttle: () => appliance.throttle.held(),
    reload: ({ file }) => reloadFor(setup, typeof file === 'string' ? file : null),
  };
}

/** Reloaded answers "reload": with a file that this broker does not read, nothing was done. */
export interface Reloaded {
  readonly reads: boolean;
  /** Why nothing was changed; null = what was read is in force. */
  readonly error: string | null;
  readonly mistakes: readonly string[];
}

async function reloadFor({ appliance, reloads }: StatusSetup, file: string | null): Promise<Reloaded> {
  if (file !== null && !filesOf(appliance).some((each) => isSameFile(each, file))) return { reads: false, error: null, mistakes: [] };
  const { error, mistakes } = await reloads.reload('command');
  return { reads: true, error, mistakes };
}

/** The account that `--lan` has made is in no configuration file. */
function filesOf({ configuration: { filesRead, access } }: Appliance): readonly string[] {
  return [...filesRead, access.passwordFile].filter((file) => file !== null);
}

/** Whoever asks may have come to the file through a link. */
function isSameFile(ours: string, theirs: string): boolean {
  try {
    return resolve(ours) === theirs || realpathSync(ours) === realpathSync(theirs);
  } catch {
    return false; // it went away, or this user may not look there
  }
}

/** BackupCopy is what a running broker gives to a backup: the caller removes `copy`, a file beside the database, when it has it. Null = nothing outlives the process. */
export interface BackupCopy {
  readonly copy: string | null;
  /** Absolute. */
  readonly database: string;
  readonly folder: string;
  readonly configuration: string | null;
  readonly workingFolder: string;
}

async function copyForBackup({ store, state, configuration }: Appliance): Promise<BackupCopy> {
  const { file } = configuration;
  const copy = store === null ? null : join(dirname(state.database), nameOfCopy(state.database));
  if (copy !== null) await store?.backup(copy);
  const main = file === null ? null : resolve(file);
  return { copy, database: state.database, folder: state.path, configuration: main, workingFolder: process.cwd() };
}

/** readReasons tells who was turned away or hears nothing, and why; with `about` only of that address, client id or user. */
export function readReasons(appliance: Appliance, about: string | null): Reasons {
  const held = appliance.throttle.held().filter(({ address, username }) => about === null || address === about || username === about);
  return { refusals: appliance.refusals.list(about), held, deaf: deafSubscriptions(appliance, about) };
}

function deafSubscriptions({ broker, access }: Appliance, about: string | null): DeafSubscription[] {
  if (access.authorizer === null) return [];
  const found: DeafSubscription[] = [];
  let left = MAX_SESSIONS;
  for (const { clientId, username, listener, connection, subscriptions } of broker.sessions) {
    if (about !== null && ![clientId, username, connection?.origin.address].includes(about)) continue;
    const acl = access.aclOf(listener);
    if (acl === null) continue;
    if (left-- === 0) break;
    for (const topicFilter of subscriptions.keys()) {
      if (whatArrives(acl, { username, clientId }, topicFilter).some(({ access }) => access !== 'deny')) continue;
      const reason = `is subscribed to "${topicFilter}" but gets nothing: no rule of ${acl.file.path} lets it read there`;
      found.push({ clientId, username, topicFilter, reason, advice: missingRule({ username }, 'read', topicFilter) });
    }
  }
  return found;
}
