// Puts a backup back: unpacked into the state folder, checked, and only then put in its place. What was there is kept aside.

import {
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { compactTime, systemClock } from '../base/clock.ts';
import { syncPath } from '../base/durable-file.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { StateFolder } from '../state/state-folder.ts';
import { mendSwap, StateSwap } from '../state/state-swap.ts';
import { putBackCopy } from '../store/earlier-version.ts';
import { faultOf } from '../store/faults.ts';
import { moveAside } from '../store/file-names.ts';
import { STORE_DEFAULTS } from '../store/options.ts';
import { openStore } from '../store/store.ts';
import { unpackArchive } from './archive.ts';
import { type BackupManifest, FORMAT, MANIFEST } from './backup.ts';
import { isAnswered } from './control.ts';

/** What a backup may hold besides its manifest: no way leads out of these folders. */
const NAMES = /^(?:state\/(?:[^/\0]+\/)*[^/\0]+|configuration\/\d+)$/;

/** RestoreRequest: `withConfiguration` puts the files of the configuration back to where they were. */
export interface RestoreRequest {
  readonly folder: string;
  readonly withConfiguration: boolean;
}

/** RestoreReport says what was put where, and where the old things are. */
export interface RestoreReport {
  readonly manifest: BackupManifest;
  readonly restored: readonly string[];
  readonly aside: readonly string[];
}

/** restoreBackup throws OperatorError and changes nothing when a broker uses the folder, or the backup is not sound. */
export async function restoreBackup(file: string, { folder: given, withConfiguration }: RestoreRequest): Promise<RestoreReport> {
  const folder = resolve(given);
  const isNew = !existsSync(folder);
  const stamp = compactTime(systemClock.now());
  const swap = new StateSwap(folder, stamp);
  try {
    if (!isNew) await prepare(folder);
    swap.begin();
    const manifest = await unpack(file, swap.unpacking);
    await checkDatabase(swap.incoming, manifest.database);
    await refuseInUse(folder, manifest.database);
    const restored = exchange(swap, new StateFolder(folder, manifest.database));
    const settings = manifest.configuration.flatMap((path, place) =>
      withConfiguration || basename(path) === manifest.database
        ? [putBack(path, join(swap.unpacking, `configuration/${place}`), stamp)]
        : [],
    );
    return {
      manifest,
      restored: [...restored, ...settings.map(({ path }) => path)],
      aside: [...(existsSync(swap.before) ? [swap.before] : []), ...settings.flatMap(({ aside: old }) => old ?? [])],
    };
  } catch (error) {
    throw new OperatorError(`Cannot restore "${file}": ${reasonOf(error)}`, { cause: error });
  } finally {
    swap.end();
    if (isNew && existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
  }
}

/** putBackBeforeUpgrade puts back the copy that a newer midge has made of the database before it changed it. null = it has changed nothing. Throws OperatorError. */
export function putBackBeforeUpgrade(path: string): { readonly path: string; readonly aside: string } | null {
  try {
    const done = putBackCopy(path, systemClock.now());
    return done === null ? null : { path, aside: done.aside };
  } catch (error) {
    const isLocked = faultOf(error).kind === 'locked';
    const reason = isLocked ? 'a broker uses it - stop it' : reasonOf(error);
    throw new OperatorError(`Cannot put back "${path}" as it was before an upgrade: ${reason}`, { cause: error });
  }
}

async function prepare(folder: string): Promise<void> {
  if (!statSync(folder).isDirectory()) throw new OperatorError(`"${folder}" is no folder`);
  await refuseInUse(folder, STORE_DEFAULTS.file);
  mendSwap(new StateFolder(folder, STORE_DEFAULTS.file));
}

function exchange(swap: StateSwap, state: StateFolder): readonly string[] {
  if (readdirSync(swap.incoming).length === 0) return [];
  giveAll(swap.incoming, state.path);
  swap.commit(state);
  return [state.path];
}

async function unpack(file: string, fresh: string): Promise<BackupManifest> {
  const names = new Set<string>();
  await unpackArchive(file, async (name) => {
    if (name === MANIFEST && names.size === 0) {
      names.add(name);
      return join(fresh, MANIFEST);
    }
    if (names.size === 0) throw new OperatorError('it is no backup of midge');
    if (names.size === 1) readManifest(fresh); // before anything else is written
    if (!NAMES.test(name) || name.split('/').includes('..') || names.has(name))
      throw new OperatorError(`it holds "${name}", which midge does not write`);
    names.add(name);
    makeFolder(dirname(join(fresh, name)));
    return join(fresh, name);
  });
  const manifest = readManifest(fresh);
  const missing = manifest.configuration.findIndex((_, place) => !names.has(`configuration/${place}`));
  if (missing !== -1) throw new OperatorError(`"${manifest.configuration[missing]}" is missing in it`);
  return manifest;
}

function readManifest(fresh: string): BackupManifest {
  if (!existsSync(join(fresh, MANIFEST))) throw new OperatorError('it is no backup of midge');
  const manifest = JSON.parse(readFileSync(join(fresh, MANIFEST), 'utf8')) as Partial<BackupManifest>; // checked below
  const { format, database, configuration } = manifest;
  if (typeof format !== 'number' || format > FORMAT) throw new OperatorError('a newer midge wrote it - install that one');
  const isSound = typeof database === 'string' && /^[\w.-]+$/.test(database) && Array.isArray(configuration);
  if (!isSound || !configuration.every((path) => typeof path === 'string' && resolve(path) === path)) {
    throw new OperatorError(`its ${MANIFEST} makes no sense`);
  }
  return manifest as BackupManifest;
}

/** Opens it as the broker will: every page is read, and an older version brought up to date. */
async function checkDatabase(folder: string, database: string): Promise<void> {
  if (!existsSync(join(folder, database))) return;
  const store = await openStore({ ...STORE_DEFAULTS, folder, file: database }, { clock: systemClock, log: silentLogger }).catch(
    (error: unknown) => {
      throw new OperatorError(`its database is not sound: ${faultOf(error instanceof Error ? error.cause : error).reason}`, {
        cause: error,
      });
    },
  );
  const { state, text } = store.health();
  await store.stop();
  const moved = globSync(`${database}.corrupt-*`, { cwd: folder });
  if (state !== 'ok' || moved.length > 0) throw new OperatorError(`its database is not sound: ${text}`);
}

/** A broker holds the lock of its database as long as it lives. */
async function refuseInUse(folder: string, database: string): Promise<void> {
  const isRunning = await isAnswered(new StateFolder(folder, database).controlSocket); // one that keeps nothing has no lock
  if (isRunning) throw new OperatorError(`a broker runs with its state in "${folder}" - stop it`);
  if (!existsSync(join(folder, database))) return;
  try {
    const store = await openStore({ ...STORE_DEFAULTS, folder, file: database }, { clock: systemClock, log: silentLogger });
    await store.stop();
  } catch (error) {
    const cause = error instanceof Error ? error.cause : null;
    if (faultOf(cause).kind === 'locked') throw new OperatorError(`a broker runs with its state in "${folder}" - stop it`, { cause });
    if (faultOf(cause).kind === 'forbidden') throw error;
  }
}

/** A file that says the same stays as it is. */
function putBack(path: string, from: string, stamp: string): { path: string; aside: string | null } {
  const old = lstatSync(path, { throwIfNoEntry: false });
  if (old?.isFile() && readFileSync(path).equals(readFileSync(from))) return { path, aside: null };
  const aside = old === undefined ? null : `${path}.before-${stamp}`;
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.restoring-${stamp}`;
  copyDurably(from, beside, old);
  if (aside !== null) moveAside(path, aside);
  renameSync(beside, path);
  syncPath(dirname(path));
  return { path, aside };
}

/** With owner and mode of the file that it replaces. */
function copyDurably(from: string, to: string, old: Stats | undefined): void {
  copyFileSync(from, to, constants.COPYFILE_EXCL);
  chmodSync(to, old?.isFile() ? old.mode & 0o777 : 0o600);
  const { uid, gid } = old ?? statSync(dirname(to)); // a new one belongs to whom its folder belongs
  if (process.getuid?.() === 0) chownSync(to, uid, gid);
  syncPath(to);
}

/** To whom the state folder belongs. */
function giveAll(incoming: string, folder: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = lstatSync(folder);
  for (const path of [incoming, ...globSync('**', { cwd: incoming }).map((name) => join(incoming, name))]) chownSync(path, uid, gid);
}

function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}
