// Puts a backup back: unpacked into the state folder, checked, and only then put in its place. What was there is kept aside.

import {
  closeSync,
  constants,
  createWriteStream,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { compactTime, systemClock } from '../base/clock.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { unpackArchive } from './archive.ts';
import { asOwner, asOwnerNow } from './as-owner.ts';
import type { BackupManifest } from './backup.ts';
import { mendRestore } from './mend-restore.ts';
import type { StateNeeds } from './needs.ts';
import { type NewFile, type Placed, PlacedFiles, writeList } from './placed-files.ts';
import {
  freeBytes,
  inspectArchive,
  isThere,
  lossesOf,
  type Opened,
  type RestorePlan,
  refuseForeign,
  refuseUnwritable,
  revivalsOf,
  type Setting,
  settingsOf,
  valuesOf,
} from './restore-plan.ts';
import { StateFolder } from './state-folder.ts';
import { StateSwap } from './state-swap.ts';

/** RestoreRequest: `withConfiguration` puts the files of the configuration back to where they were. */
export interface RestoreRequest {
  readonly folder: string;
  readonly withConfiguration: boolean;
  /** Folders in which files of the configuration, and a database outside `folder`, may be written. */
  readonly configurationFolders: readonly string[];
  /** Other paths that may be written. */
  readonly allowed: readonly string[];
  /** It is only looked at, and `confirm` says no: a broker may use the folder. */
  readonly isLook?: boolean;
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

/** restoreBackup throws OperatorError and changes nothing when a broker uses the folder, the backup is not sound, or a file cannot be put in place. Null = not confirmed. */
export async function restoreBackup(file: string, request: RestoreRequest, needs: StateNeeds): Promise<RestoreReport | null> {
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
    if (existsSync(folder) && request.isLook !== true) await prepare(state, needs);
    const undertaking = new Undertaking({ archive, opened, state, settings, stamp }, needs);
    return await undertaking.run(request);
  } catch (error) {
    throw new OperatorError(`Cannot restore "${file}": ${reasonOf(error)}`, { cause: error });
  } finally {
    if (archive !== null) closeSync(archive);
  }
}

interface Means {
  readonly archive: number;
  readonly opened: Opened;
  readonly state: StateFolder;
  readonly settings: readonly Setting[];
  readonly stamp: string;
}

/** Undertaking is one restore: unpacked, checked and confirmed; then the state is exchanged as its owner, and each file of the configuration put in place as the owner of its folder. */
class Undertaking {
  readonly #means: Means;
  readonly #needs: StateNeeds;
  readonly #swap: StateSwap;
  readonly #files: PlacedFiles;

  constructor(means: Means, needs: StateNeeds) {
    this.#means = means;
    this.#needs = needs;
    this.#swap = new StateSwap(means.state.path, means.stamp);
    this.#files = new PlacedFiles(means.stamp, needs.database.moveAside);
  }

  async run({ confirm, isLook = false }: RestoreRequest): Promise<RestoreReport | null> {
    const { opened, state, settings } = this.#means;
    const isNew = !existsSync(state.path);
    const changed = settings.filter(({ path, content }) => !isThere(path, content));
    if (isLook) refuseUnwritable(changed);
    try {
      const { damage, stillRevoked } = await asOwner(state.path, () => this.#unpack(changed));
      const inState = [...opened.names].filter((name) => name.startsWith('state/'));
      const writes = [...(inState.length > 0 ? [state.path] : []), ...changed.map(({ path }) => path)];
      const brings = [...inState.map((name) => join(state.path, name.slice('state/'.length))), ...settings.map(({ path }) => path)];
      const revivals = revivalsOf(opened, state, settings, this.#needs);
      const losses = lossesOf(opened, state, settings, this.#needs);
      if (!(await confirm({ manifest: opened.manifest, writes, brings, revivals, losses, damage }))) return null;
      this.#prepareFiles(changed);
      if (existsSync(state.path)) await asOwner(state.path, () => refuseInUse(state, opened.manifest.database, this.#needs));
      const { restored, placed } = this.#exchange();
      makeIncluded(settings);
      return {
        manifest: opened.manifest,
        stillRevoked,
        restored: [...restored, ...settings.map(({ path }) => path)],
        aside: [...(existsSync(this.#swap.before) ? [this.#swap.before] : []), ...placed.flatMap(({ aside }) => aside ?? [])],
      };
    } finally {
      this.#files.forget();
      asOwnerNow(state.path, () => this.#swap.end());
      if (isNew && existsSync(state.path) && readdirSync(state.path).length === 0) rmdirSync(state.path);
    }
  }

  async #unpack(changed: readonly Setting[]) {
    const { archive, opened, state } = this.#means;
    const { database } = opened.manifest;
    const swap = this.#swap;
    swap.begin();
    await unpack(archive, opened, swap.unpacking);
    const databases = [
      join(swap.incoming, database),
      ...changed.flatMap(({ name, content }) => (content === null ? [join(swap.unpacking, name)] : [])),
    ].filter((path) => existsSync(path));
    const damages: string[] = [];
    for (const path of databases) {
      const damage = await this.#needs.database.check(path);
      if (damage !== null) damages.push(damage);
    }
    const damage = damages.length === 0 ? null : damages.join(' ');
    const stillRevoked = await this.#needs.keepRevoked(join(swap.incoming, basename(state.certificates)), state.certificates);
    return { damage, stillRevoked };
  }

  /** A database that stands outside the state folder comes from where it was unpacked, as the user of that folder; all else as it was inspected. */
  #prepareFiles(changed: readonly Setting[]): void {
    const { state } = this.#means;
    asOwnerNow(state.path, () =>
      writeList(
        this.#swap.list,
        changed.map(({ path }) => path),
      ),
    );
    const open = (name: string) =>
      asOwnerNow(state.path, () => openSync(join(this.#swap.unpacking, name), constants.O_RDONLY | constants.O_NOFOLLOW));
    const files: NewFile[] = [];
    try {
      for (const { path, name, content, mode } of changed) files.push({ path, mode, content: content ?? open(name) });
      this.#files.prepare(files);
    } finally {
      for (const { content } of files) if (typeof content === 'number') closeSync(content);
    }
  }

  /** From here on a power cut is mended forward; what fails otherwise is taken back. */
  #exchange(): { readonly restored: readonly string[]; readonly placed: readonly Placed[] } {
    const { state } = this.#means;
    const swap = this.#swap;
    const restored = asOwnerNow(state.path, () => {
      if (readdirSync(swap.incoming).length === 0) return [];
      swap.commit(state);
      return [state.path];
    });
    try {
      return { restored, placed: this.#files.place() };
    } catch (error) {
      if (restored.length > 0) asOwnerNow(state.path, () => swap.undo(state));
      throw error;
    }
  }
}

async function prepare(state: StateFolder, needs: StateNeeds): Promise<void> {
  const folder = state.path;
  if (!statSync(folder).isDirectory()) throw new OperatorError(`"${folder}" is not a folder`);
  await asOwner(folder, () => refuseInUse(state, needs.database.usualName, needs));
  mendRestore(state, needs.database.moveAside);
  await asOwner(folder, () => refuseInUse(state, basename(state.database), needs));
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
    if (!names.has(name) || left < 0) throw new OperatorError(`it changed while midge read it`);
    return createWriteStream(place(name), { flags: 'wx', mode: 0o600, flush: true });
  });
  for (const [name, { content }] of texts) {
    if (!name.startsWith('state/')) continue;
    writeFileSync(place(name), content, { flag: 'wx', mode: 0o600, flush: true });
  }
  if (!existsSync(join(fresh, 'state', manifest.database)) && names.has(`state/${manifest.database}`))
    throw new OperatorError('it changed while midge read it');
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

/** A broker holds the lock of its database as long as it lives; one that keeps nothing answers at its socket. */
async function refuseInUse({ path, controlSocket }: StateFolder, database: string, needs: StateNeeds): Promise<void> {
  const file = join(path, database);
  const isUsed = (await needs.isBrokerThere(controlSocket)) || (existsSync(file) && (await needs.database.isUsed(file)));
  if (isUsed) throw new OperatorError(`a broker runs with its state in "${path}" - stop it`);
}
