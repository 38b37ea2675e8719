// Puts a backup back: unpacked into the state folder, checked, and only then put in its place. What was there is kept aside.

import {
  closeSync,
  constants,
  createWriteStream,
  existsSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  globSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { compactTime, systemClock } from '../base/clock.ts';
import { makeFolders, syncPath } from '../base/durable-file.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { openAuthority } from '../certificates/authority.ts';
import { addRevoked, readRevoked } from '../certificates/revoked.ts';
import { StateFolder } from '../state/state-folder.ts';
import { mendSwap, StateSwap } from '../state/state-swap.ts';
import { putBackCopy } from '../store/earlier-version.ts';
import { faultOf } from '../store/faults.ts';
import { moveAside } from '../store/file-names.ts';
import { STORE_DEFAULTS } from '../store/options.ts';
import { openStore } from '../store/store.ts';
import { unpackArchive } from './archive.ts';
import { asOwner, asOwnerNow } from './as-owner.ts';
import type { BackupManifest } from './backup.ts';
import { isAnswered } from './control.ts';
import {
  freeBytes,
  inspectArchive,
  isThere,
  type Opened,
  type RestorePlan,
  refuseForeign,
  revivalsOf,
  type Setting,
  settingsOf,
  valuesOf,
} from './restore-plan.ts';

/** RestoreRequest: `withConfiguration` puts the files of the configuration back to where they were. */
export interface RestoreRequest {
  readonly folder: string;
  readonly withConfiguration: boolean;
  /** Folders in which files of the configuration, and a database outside `folder`, may be written. */
  readonly configurationFolders: readonly string[];
  /** Other paths that may be written. */
  readonly allowed: readonly string[];
  /** Shows what will be done; false, or what it throws, ends everything. */
  confirm(plan: RestorePlan): Promise<boolean>;
}

/** RestoreReport says what was put where, and where the old things are. */
export interface RestoreReport {
  readonly manifest: BackupManifest;
  readonly restored: readonly string[];
  readonly aside: readonly string[];
  /** How many certificates stay revoked of which the backup did not know it. */
  readonly stillRevoked: number;
}

/** restoreBackup throws OperatorError and changes nothing when a broker uses the folder, or the backup is not sound. Null = not confirmed. */
export async function restoreBackup(file: string, request: RestoreRequest): Promise<RestoreReport | null> {
  const folder = resolve(request.folder);
  const stamp = compactTime(systemClock.now());
  let archive: number | null = null;
  try {
    archive = openSync(file, constants.O_RDONLY);
    if (!fstatSync(archive).isFile()) throw new OperatorError('it is no regular file'); // it is read twice
    const opened = await inspectArchive(archive, folder);
    const state = new StateFolder(folder, opened.manifest.database);
    const settings = settingsOf(opened, request.withConfiguration);
    refuseForeign(settings, request.configurationFolders, request.allowed);
    if (existsSync(folder)) await asOwner(folder, () => prepare(folder, opened.manifest.database));
    const isStateWritten = [...opened.names].some((name) => name.startsWith('state/'));
    const writes = [
      ...(isStateWritten ? [folder] : []),
      ...settings.filter(({ path, content }) => !isThere(path, content)).map(({ path }) => path),
    ];
    const plan = { manifest: opened.manifest, writes, revivals: revivalsOf(opened, state, settings) };
    if (!(await request.confirm(plan))) return null;
    return await carryOut({ archive, opened, state, settings, stamp });
  } catch (error) {
    throw new OperatorError(`Cannot restore "${file}": ${reasonOf(error)}`, { cause: error });
  } finally {
    if (archive !== null) closeSync(archive);
  }
}

interface Undertaking {
  readonly archive: number;
  readonly opened: Opened;
  readonly state: StateFolder;
  readonly settings: readonly Setting[];
  readonly stamp: string;
}

/** The state is unpacked and exchanged as its owner; then each file of the configuration is put back as the owner of its folder, from what was inspected. */
async function carryOut({ archive, opened, state, settings, stamp }: Undertaking): Promise<RestoreReport> {
  const { manifest } = opened;
  const swap = new StateSwap(state.path, stamp);
  const isNew = !existsSync(state.path);
  try {
    const done = await asOwner(state.path, async () => {
      swap.begin();
      await unpack(archive, opened, swap.unpacking);
      await checkDatabase(swap.incoming, manifest.database);
      const stillRevoked = await keepRevoked(swap.incoming, state);
      await refuseInUse(state.path, manifest.database);
      return { stillRevoked, restored: exchange(swap, state) };
    });
    const put = settings.map((setting) => putBack(setting, join(swap.unpacking, setting.name), state.path, stamp));
    makeIncluded(settings);
    return {
      manifest,
      stillRevoked: done.stillRevoked,
      restored: [...done.restored, ...put.map(({ path }) => path)],
      aside: [...(existsSync(swap.before) ? [swap.before] : []), ...put.flatMap(({ aside: old }) => old ?? [])],
    };
  } finally {
    asOwnerNow(state.path, () => swap.end());
    if (isNew && existsSync(state.path) && readdirSync(state.path).length === 0) rmdirSync(state.path);
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

async function prepare(folder: string, database: string): Promise<void> {
  if (!statSync(folder).isDirectory()) throw new OperatorError(`"${folder}" is no folder`);
  await refuseInUse(folder, STORE_DEFAULTS.file);
  mendSwap(new StateFolder(folder, STORE_DEFAULTS.file));
  await refuseInUse(folder, database);
}

function exchange(swap: StateSwap, state: StateFolder): readonly string[] {
  if (readdirSync(swap.incoming).length === 0) return [];
  swap.commit(state);
  return [state.path];
}

/** Small files are written as they were inspected; of the archive only the database is read again. */
async function unpack(archive: number, { manifest, names, texts }: Opened, fresh: string): Promise<void> {
  const place = (name: string) => {
    mkdirSync(dirname(join(fresh, name)), { recursive: true, mode: 0o700 });
    return join(fresh, name);
  };
  let left = freeBytes(fresh);
  await unpackArchive(archive, (name, size) => {
    if (texts.has(name)) return null;
    left -= size;
    if (!names.has(name) || left < 0) throw new OperatorError(`somebody has changed it while it was read`);
    return createWriteStream(place(name), { flags: 'wx', mode: 0o600, flush: true });
  });
  for (const [name, { content }] of texts) {
    if (!name.startsWith('state/')) continue;
    writeFileSync(place(name), content, { flag: 'wx', mode: 0o600, flush: true });
  }
  if (!existsSync(join(fresh, 'state', manifest.database)) && names.has(`state/${manifest.database}`))
    throw new OperatorError('somebody has changed it while it was read');
}

/** What was revoked stays so when the backup is of the same authority: an older backup knows less. */
async function keepRevoked(incoming: string, state: StateFolder): Promise<number> {
  const [now, then] = [state.certificates, join(incoming, basename(state.certificates))];
  const [today, before] = [readIfFile(join(now, 'ca.crt')), readIfFile(join(then, 'ca.crt'))];
  if (today === null || today !== before) return 0;
  const issuer = await openAuthority(then, () => Promise.reject(new OperatorError('its authority is not whole')));
  const { revoked } = await readRevoked(now, today);
  const { revoked: known } = await readRevoked(then, today);
  const unknown = [...revoked.values()].filter(({ serial }) => !known.has(serial));
  if (unknown.length > 0) await addRevoked(then, issuer, unknown);
  return unknown.length;
}

function readIfFile(path: string): string | null {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path, 'utf8') : null;
}

/** An empty folder of `include_dir` is in no backup, and the configuration is none without it. */
function makeIncluded(settings: readonly Setting[]): void {
  for (const { path, content } of settings) {
    for (const value of valuesOf(content?.toString('utf8') ?? '', 'include_dir')) {
      const folder = resolve(dirname(path), value);
      if (!folder.startsWith(`${dirname(path)}/`) || existsSync(folder)) continue;
      asOwnerNow(dirname(path), () => mkdirSync(folder, { recursive: true, mode: 0o755 }));
    }
  }
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

/** A file that says the same stays as it is. The database comes from where it was unpacked, as the user of that folder. */
function putBack(setting: Setting, unpacked: string, folder: string, stamp: string): { path: string; aside: string | null } {
  const { path, content, mode } = setting;
  if (isThere(path, content)) return { path, aside: null };
  const from = content === null ? asOwnerNow(folder, () => openSync(unpacked, constants.O_RDONLY | constants.O_NOFOLLOW)) : content;
  try {
    return asOwnerNow(dirname(path), () => {
      makeFolders(dirname(path), 0o755);
      const old = lstatSync(path, { throwIfNoEntry: false });
      const aside = old === undefined ? null : `${path}.before-${stamp}`;
      const beside = `${path}.restoring-${stamp}`;
      writeDurably(from, beside, old?.isFile() ? old.mode & 0o777 : mode & 0o755);
      if (process.geteuid?.() === 0) {
        const { uid, gid } = old ?? statSync(dirname(path)); // a new one belongs to whom its folder belongs
        lchownSync(beside, uid, gid);
      }
      if (aside !== null) moveAside(path, aside);
      renameSync(beside, path);
      syncPath(dirname(path));
      return { path, aside };
    });
  } finally {
    if (typeof from === 'number') closeSync(from);
  }
}

function writeDurably(from: Buffer | number, to: string, mode: number): void {
  const target = openSync(to, 'wx', 0o600);
  try {
    if (typeof from === 'number') copyAll(from, target);
    else writeFileSync(target, from);
    fchmodSync(target, mode);
    fsyncSync(target);
  } finally {
    closeSync(target);
  }
}

function copyAll(from: number, to: number): void {
  const chunk = Buffer.allocUnsafe(1_048_576);
  for (let length = readSync(from, chunk); length > 0; length = readSync(from, chunk)) writeFileSync(to, chunk.subarray(0, length));
}
