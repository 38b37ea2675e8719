// What a backup holds, and how it is made: the database as it is at one moment, accounts, certificates, configuration.
//
//   backup.json            what this is, and where the files of the configuration belong
//   state/midge.db         a copy that SQLite makes, of a running broker by itself
//   state/passwd, state/certificates/..., who may use the REST interface, the phones, the invitations to bridges, and what of the configuration is in the state folder
//   configuration/0 ...    the main file, what it includes, and the password, ACL and certificate files that it names

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  createWriteStream,
  existsSync,
  fstatSync,
  globSync,
  openSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { systemClock } from '../base/clock.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { type ArchiveEntry, archiveChunks } from './archive.ts';
import { asOwner, asOwnerNow, foreignOwner } from './as-owner.ts';
import { FolderDescriptor, withFolder } from './folder-descriptor.ts';
import type { StateNeeds } from './needs.ts';
import { StateFolder } from './state-folder.ts';

/** MANIFEST is the first file of a backup. */
export const MANIFEST = 'backup.json';

/** FORMAT is counted up when an older midge could not restore what this one writes. */
export const FORMAT = 1;

/** Everything but the database is text that a person or we have written. */
const MAX_SMALL_BYTES = 16 * 1_048_576;

/** BackupManifest says what a backup is of. Paths of the configuration are absolute; files in the state folder are a part of that. */
export interface BackupManifest {
  readonly format: number;
  readonly program: string;
  readonly host: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** Name of the database's file: in the state folder, or as one of `configuration` where the configuration has it elsewhere. */
  readonly database: string;
  readonly configuration: readonly string[];
}

/** BackupSource says what belongs to the broker. */
export interface BackupSource {
  readonly folder: string;
  /** Absolute. */
  readonly database: string;
  /** The name of a finished copy that lies beside the database, and is removed here; null = make one, no broker may use the database. */
  readonly copy: string | null;
  /** Main file of the configuration, or null. */
  readonly configuration: string | null;
  /** Where relative paths in settings start: the folder that the broker works in. */
  readonly workingFolder: string;
  /** A path whose owner reads the configuration and what it names: where that user has named it, or may write it. Null = root trusts it. */
  readonly readAs: string | null;
  /** Name and version of this program. */
  readonly program: string;
}

/** makeBackup writes a new file and gives the names of what is in it. Throws OperatorError; nothing is left of a backup that failed. */
export async function makeBackup(file: string, source: BackupSource, needs: StateNeeds): Promise<readonly string[]> {
  if (existsSync(file)) throw new OperatorError(`Cannot write backup "${file}": it exists already - name another file`);
  try {
    const { names, chunks } = await openBackup(source, needs);
    await pipeline(Readable.from(chunks), createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true }));
    return names;
  } catch (error) {
    rmSync(file, { force: true });
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(`Cannot write backup "${file}": ${reasonOf(error)}`, { cause: error });
  }
}

/** OpenBackup is one that is made while it is read; it is read to its end, or its `return` is called. */
export interface OpenBackup {
  readonly names: readonly string[];
  readonly chunks: AsyncIterableIterator<Buffer>;
}

/** openBackup copies the database where that is not done yet, and looks for all files. Throws OperatorError. */
export async function openBackup(source: BackupSource, needs: StateNeeds): Promise<OpenBackup> {
  const copy = new DatabaseCopy(source, needs);
  try {
    if (source.copy === null) await copy.make();
    const entries = entriesOf(source, copy, needs);
    return { names: entries.map(({ name }) => name), chunks: untilEnd(archiveChunks(entries), () => copy.remove()) };
  } catch (error) {
    copy.remove();
    throw error;
  }
}

/** A generator that nobody has begun to read would not run its `finally`. */
function untilEnd<T>(chunks: AsyncGenerator<T>, end: () => void): AsyncIterableIterator<T> {
  return {
    async next() {
      try {
        const result = await chunks.next();
        if (result.done === true) end();
        return result;
      } catch (error) {
        end();
        throw error;
      }
    },
    async return() {
      try {
        return await chunks.return(undefined);
      } finally {
        end();
      }
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/**
 * DatabaseCopy is a file beside the database, by whomever it was made: only its name is taken from the broker, and it is read and removed
 * as the user of the state folder, in the very folder that is open, where it is a regular file with one name.
 */
class DatabaseCopy {
  readonly #source: BackupSource;
  readonly #needs: StateNeeds;
  readonly #folder: string;
  #name: string | null;

  constructor(source: BackupSource, needs: StateNeeds) {
    const { copy, database, folder } = source;
    const name = basename(database);
    const isCopy =
      copy === null || (copy.startsWith(`${name}.backup-`) && /^[\da-f]{12}$/.test(copy.slice(name.length + '.backup-'.length)));
    if (!isCopy) throw new OperatorError(`Cannot back up "${folder}": the broker that answers there has another version - restart it`);
    this.#source = source;
    this.#needs = needs;
    this.#folder = dirname(database);
    this.#name = copy;
  }

  /** Null where there is no database. */
  get entry(): ArchiveEntry['content'] | null {
    const name = this.#name;
    return name === null ? null : { open: () => this.#use((folder) => folder.open(name, constants.O_RDONLY)) };
  }

  async make(): Promise<void> {
    const { database } = this.#source;
    await asOwner(this.#folder, async () => {
      if (!existsSync(database)) return;
      this.#name = nameOfCopy(database);
      await this.#needs.database.copy(database, join(this.#folder, this.#name));
    });
  }

  remove(): void {
    const name = this.#name;
    if (name !== null) this.#use((folder) => rmSync(folder.at(name), { force: true }));
  }

  #use<T>(action: (folder: FolderDescriptor) => T): T {
    const { copy, folder } = this.#source;
    const isUsers = copy !== null && foreignOwner(folder) !== null;
    return asOwnerNow(isUsers ? folder : this.#folder, () => withFolder(() => FolderDescriptor.open(realpathSync(this.#folder)), action));
  }
}

/** nameOfCopy names a new copy of a database. */
export function nameOfCopy(database: string): string {
  return `${basename(database)}.backup-${randomBytes(6).toString('hex')}`;
}

function entriesOf(source: BackupSource, copy: DatabaseCopy, needs: StateNeeds): readonly ArchiveEntry[] {
  const { folder, database, configuration, program } = source;
  const state = new StateFolder(folder, database);
  const settings = configuration === null ? [] : settingsOf(source, configuration, needs);
  const certificates = asOwnerNow(folder, () => filesIn(state.certificates));
  const lists = [state.passwordFile, state.apiRoles, state.apiTokens, state.phones, state.bridgeInvitations];
  const inside = [...lists, ...certificates, ...settings.filter((path) => isIn(folder, path))];
  const kept = [...new Set(inside.map((path) => relative(folder, path)))].filter((name) => existsSync(join(folder, name)));
  const isElsewhere = dirname(database) !== resolve(folder);
  const content = copy.entry;
  const outside = [...settings.filter((path) => !isIn(folder, path)), ...(content !== null && isElsewhere ? [database] : [])];
  if (content === null && kept.length === 0 && outside.length === 0) {
    throw new OperatorError(`Cannot back up "${folder}": nothing is kept there - name another folder with --state`);
  }
  const manifest: BackupManifest = {
    format: FORMAT,
    program,
    host: hostname(),
    time: new Date(systemClock.now()).toISOString(),
    database: basename(database),
    configuration: outside,
  };
  const small = (path: string) => ({ open: () => asOwnerNow(whoseIs(source, dirname(path)), () => openSmall(path)) });
  return [
    { name: MANIFEST, content: Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`) },
    ...(content === null || isElsewhere ? [] : [{ name: `state/${basename(database)}`, content }]),
    ...kept.map((name) => ({ name: `state/${name}`, content: small(join(folder, name)) })),
    ...outside.map((path, place) => ({
      name: `configuration/${place}`,
      content: path === database && content !== null ? content : small(path),
    })),
  ];
}

/** A path whose owner reads. The user of the broker must not have root read for him what he may not read. */
function whoseIs({ readAs }: BackupSource, path: string): string {
  return readAs !== null && foreignOwner(readAs) !== null ? readAs : path;
}

/** A FIFO would block, and a file without end would fill the disk that the backup goes to. */
function openSmall(path: string): number {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const stats = fstatSync(fd);
  if (stats.isFile() && stats.size <= MAX_SMALL_BYTES) return fd;
  closeSync(fd);
  const what = stats.isFile() ? `too large: ${stats.size} bytes, ${MAX_SMALL_BYTES} at most` : 'no regular file';
  throw new OperatorError(`Cannot back up "${path}": it is ${what}`);
}

/** The files of the configuration that a user names are looked for as that user. */
function settingsOf(source: BackupSource, main: string, { namedFiles }: StateNeeds): readonly string[] {
  const { workingFolder, readAs } = source;
  if (readAs === null) return present(main, namedFiles(main, workingFolder));
  return asOwnerNow(readAs, () => {
    const paths = present(main, namedFiles(main, workingFolder));
    const hidden = paths.find((path) => !isReadable(path));
    if (hidden === undefined) return paths;
    throw new OperatorError(
      `Cannot back up "${hidden}": "${main}" names it, but the user of the broker may not read it - give that user the right to, or take it out`,
    );
  });
}

function isReadable(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)); // access(2) would ask for the real user
    return true;
  } catch {
    return false;
  }
}

/** A backup without one of them would be none. */
function present(main: string, paths: readonly string[]): readonly string[] {
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) {
    throw new OperatorError(
      `Cannot back up configuration "${main}": "${missing}", which it names, is not there - relative paths start at the folder that the broker works in: run this there`,
    );
  }
  return paths.filter((path) => statSync(path).isFile());
}

function filesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return globSync('**', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function isIn(folder: string, path: string): boolean {
  return !relative(resolve(folder), path).startsWith('..');
}
