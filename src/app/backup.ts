// What a backup holds, and how it is made: the database as it is at one moment, accounts, certificates, configuration.
//
//   backup.json            what this is, and where the files of the configuration belong
//   state/midge.db         a copy that SQLite makes, of a running broker by itself
//   state/passwd, state/certificates/..., and what of the configuration is in the state folder
//   configuration/0 ...    the main file, what it includes, and the password, ACL and certificate files that it names

import { randomBytes } from 'node:crypto';
import { existsSync, globSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { treatLines } from '../config/config.ts';
import { StateFolder } from '../state/state-folder.ts';
import { STORE_DEFAULTS } from '../store/options.ts';
import { openStore } from '../store/store.ts';
import { type ArchiveEntry, packArchive } from './archive.ts';

/** MANIFEST is the first file of a backup. */
export const MANIFEST = 'backup.json';

/** FORMAT is counted up when an older midge could not restore what this one writes. */
export const FORMAT = 1;

/** Words of the configuration that name a file. */
const FILE_WORDS = ['password_file', 'acl_file', 'psk_file', 'cafile', 'certfile', 'keyfile', 'crlfile', 'dhparamfile'];

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

/** BackupSource: `copy` is a finished copy of the database, null = make one of the file in the folder, which no broker may use. */
export interface BackupSource {
  readonly folder: string;
  /** Absolute. */
  readonly database: string;
  readonly copy: string | null;
  /** Main file of the configuration, or null. */
  readonly configuration: string | null;
  /** Where relative paths in settings start: the folder that the broker works in. */
  readonly workingFolder: string;
  /** Name and version of this program. */
  readonly program: string;
}

/** makeBackup writes a new file and gives the names of what is in it. Throws OperatorError; nothing is left of a backup that failed. */
export async function makeBackup(file: string, source: BackupSource): Promise<readonly string[]> {
  if (existsSync(file)) throw new OperatorError(`Cannot write backup "${file}": it is there already - name another file`);
  const own = `${resolve(file)}.${randomBytes(6).toString('hex')}`;
  try {
    const copy = source.copy ?? ((await copyDatabase(source, own)) ? own : null);
    const entries = entriesOf(source, copy);
    await packArchive(file, entries);
    return entries.map(({ name }) => name);
  } catch (error) {
    rmSync(file, { force: true });
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(`Cannot write backup "${file}": ${reasonOf(error)}`, { cause: error });
  } finally {
    rmSync(own, { force: true });
  }
}

async function copyDatabase({ database }: BackupSource, target: string): Promise<boolean> {
  if (!existsSync(database)) return false;
  const store = await openStore(
    { ...STORE_DEFAULTS, folder: dirname(database), file: basename(database) },
    { clock: systemClock, log: silentLogger },
  );
  try {
    await store.backup(target);
  } finally {
    await store.stop();
  }
  return true;
}

function entriesOf(
  { folder, database, configuration, workingFolder, program }: BackupSource,
  copy: string | null,
): readonly ArchiveEntry[] {
  const state = new StateFolder(folder, database);
  const settings = configuration === null ? [] : configurationFiles(configuration, workingFolder);
  const inside = [state.passwordFile, ...filesIn(state.certificates), ...settings.filter((path) => isIn(folder, path))];
  const kept = [...new Set(inside.map((path) => relative(folder, path)))].filter((name) => existsSync(join(folder, name)));
  const isElsewhere = dirname(database) !== resolve(folder);
  const outside = [...settings.filter((path) => !isIn(folder, path)), ...(copy !== null && isElsewhere ? [database] : [])];
  if (copy === null && kept.length === 0 && outside.length === 0) {
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
  return [
    { name: MANIFEST, content: Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`) },
    ...(copy === null || isElsewhere ? [] : [{ name: `state/${basename(database)}`, content: { path: copy } }]),
    ...kept.map((name) => ({ name: `state/${name}`, content: { path: join(folder, name) } })),
    ...outside.map((path, place) => ({ name: `configuration/${place}`, content: { path: path === database ? (copy ?? path) : path } })),
  ];
}

/** The main file first, then those that it includes or names. A backup without one of them would be none. */
function configurationFiles(main: string, workingFolder: string): readonly string[] {
  const lines = treatLines(main);
  const included = lines.map(({ place }) => resolve(place.file));
  const named = lines
    .filter(({ name, outcome }) => FILE_WORDS.includes(name) && outcome === 'taken')
    .map(({ text }) => resolve(workingFolder, text));
  const paths = [...new Set([resolve(main), ...included, ...named])];
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
