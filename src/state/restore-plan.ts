// What a backup would put where, found out before anything is written: somebody else may have made the archive.

import { X509Certificate } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  realpathSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { noBackup, unpackArchive } from './archive.ts';
import { asOwnerNow } from './as-owner.ts';
import { type BackupManifest, FORMAT, MANIFEST } from './backup.ts';
import type { StateNeeds } from './needs.ts';
import type { StateFolder } from './state-folder.ts';
import { isOfSwap } from './state-swap.ts';

/** What a backup may hold besides its manifest: no way leads out of these folders. */
const NAMES = /^(?:state\/(?:[^/\0]+\/)*[^/\0]+|configuration\/\d+)$/;

/** Bounds of what is no database: 1,000 client certificates have 1 MB. */
const MAX_FILES = 20_000;
const MAX_TEXT_BYTES = 64 * 1_048_576;

/** Opened is an archive that was read to its end. */
export interface Opened {
  readonly manifest: BackupManifest;
  /** Names of all files in it, the manifest too. */
  readonly names: ReadonlySet<string>;
  /** All but the database, by name in the archive. */
  readonly texts: ReadonlyMap<string, { readonly content: Buffer; readonly mode: number }>;
}

/** Setting is a file outside the state folder. `content` null = the database, which lies there. */
export interface Setting {
  readonly path: string;
  readonly name: string;
  readonly content: Buffer | null;
  readonly mode: number;
}

/** RestorePlan is what a person should see before it is done. */
export interface RestorePlan {
  readonly manifest: BackupManifest;
  /** Paths that are written. */
  readonly writes: readonly string[];
  /** Files that are those of the backup afterwards, also where they are the same today. */
  readonly brings: readonly string[];
  /** What the backup brings back that somebody has taken away since, a sentence each. */
  readonly revivals: readonly string[];
  /** What somebody has made since and goes, a sentence each. */
  readonly losses: readonly string[];
  /** What of the database cannot be taken, a sentence; null = nothing. */
  readonly damage: string | null;
}

/** inspectArchive reads all of an archive, and writes nothing. Throws OperatorError for one that midge has not written, or that finds no room on the disk of `folder`. */
export async function inspectArchive(archive: number, folder: string): Promise<Opened> {
  const names = new Set<string>();
  const texts = new Map<string, { content: Buffer; mode: number }>();
  let manifest: BackupManifest | null = null;
  let [free, left] = [freeBytes(folder), MAX_TEXT_BYTES];
  const keep = (name: string, mode: number) => collect((content) => texts.set(name, { content, mode }));
  await unpackArchive(archive, (name, size, mode) => {
    if (names.size === 0 && name !== MANIFEST) throw noBackup();
    if (names.size === 1) manifest = parseManifest(texts.get(MANIFEST)?.content);
    const isSound = names.size === 0 || (NAMES.test(name) && !name.split('/').some(isForeignPart));
    if (!isSound || names.has(name)) throw new OperatorError(`it holds "${name}", which midge does not write`);
    names.add(name);
    free -= size;
    if (free < 0) throw new OperatorError(`it holds more than the disk of "${folder}" has room for - make room there`);
    if (manifest !== null && isDatabase(manifest, name)) return null;
    left -= size;
    if (left < 0 || names.size > MAX_FILES) throw new OperatorError(`it holds more than a backup can hold: "${name}" is beyond that`);
    return keep(name, mode);
  });
  const known = manifest ?? parseManifest(texts.get(MANIFEST)?.content);
  const missing = known.configuration.findIndex((_, place) => !names.has(`configuration/${place}`));
  if (missing !== -1) throw new OperatorError(`"${known.configuration[missing]}" is missing in it`);
  return { manifest: known, names, texts };
}

/** A way out of the folders, or a restore that the next start would take for one of its own and finish. */
function isForeignPart(part: string): boolean {
  return part === '..' || part === '.' || isOfSwap(part);
}

/** settingsOf gives the files outside the state folder that a restore writes: without the configuration only a database. */
export function settingsOf({ manifest, texts }: Opened, withConfiguration: boolean): readonly Setting[] {
  return manifest.configuration.flatMap((path, place) => {
    const name = `configuration/${place}`;
    const text = texts.get(name) ?? null;
    return withConfiguration || text === null ? [{ path, name, content: text?.content ?? null, mode: text?.mode ?? 0o600 }] : [];
  });
}

/** refuseForeign throws OperatorError for a setting outside `folders` that was not allowed by name. What is there in the same words is not written. */
export function refuseForeign(settings: readonly Setting[], folders: readonly string[], allowed: readonly string[]): void {
  const roots = folders.map(realPath);
  const isAllowed = (path: string) => allowed.includes(path) || roots.some((root) => realPath(path).startsWith(`${root}/`));
  const foreign = settings.filter(({ path, content }) => !isAllowed(path) && !isThere(path, content)).map(({ path }) => path);
  if (foreign.length === 0) return;
  throw new OperatorError(
    `it would write ${foreign.map((path) => `"${path}"`).join(', ')}, outside ${folders.join(' and ')} - nothing was changed; allow each with --allow PATH, or leave the configuration out with --state-only`,
  );
}

/** refuseUnwritable throws OperatorError for settings that this user may not write: the restore itself would fail, when it is too late to choose otherwise. */
export function refuseUnwritable(settings: readonly Setting[]): void {
  for (const { path } of settings) {
    try {
      asOwnerNow(dirname(path), () => accessSync(existing(dirname(path)), constants.W_OK | constants.X_OK));
    } catch (error) {
      throw new OperatorError(
        `it would write "${path}", and the broker may not: ${reasonOf(error)} - nothing was changed; restore it without the settings, or run midge restore as root`,
        { cause: error },
      );
    }
  }
}

/** isThere tells whether a file has this content already, as far as that can be seen. */
export function isThere(path: string, content: Buffer | null): boolean {
  try {
    return content !== null && readSmall(path)?.equals(content) === true;
  } catch {
    return false;
  }
}

/** revivalsOf says which accounts, keys, revocation lists and authority of today the backup would replace by those of then. */
export function revivalsOf(opened: Opened, state: StateFolder, settings: readonly Setting[], needs: StateNeeds): readonly string[] {
  const authority = join(state.certificates, 'ca.crt');
  return replacedBy(opened, state, settings).flatMap(({ path, now, content }) => {
    if (path === authority) return anotherAuthority(now, content);
    if (path === state.apiRoles) return linesBack(now, content).map((line) => `role "${line}" of the REST interface comes back`);
    if (path === state.apiTokens)
      return linesBack(now, content).map((line) => `token ${tokenNameIn(line)} of the REST interface comes back`);
    if (path === state.phones) return linesBack(phonesIn(now), phonesIn(content)).map((phone) => `phone ${phone} comes back to the list`);
    if (isList(now) || isList(content)) return [`the revocation list "${path}" becomes the one of the backup`];
    if (rulesOf(now) !== rulesOf(content)) return [`the access rules of "${path}" become those of the backup`];
    return revivedAccounts(path, needs.accountsIn(now), needs.accountsIn(content));
  });
}

/** lossesOf says which accounts of today the backup does not have. */
export function lossesOf(opened: Opened, state: StateFolder, settings: readonly Setting[], needs: StateNeeds): readonly string[] {
  return replacedBy(opened, state, settings).flatMap(({ path, now, content }) => {
    const then = needs.accountsIn(content);
    const gone = Array.from(needs.accountsIn(now).keys()).filter((user) => !then.has(user));
    return gone.map((user) => `account ${JSON.stringify(user)} goes: "${path}" of the backup does not have it`);
  });
}

/** The files of today whose content becomes another one. */
function replacedBy({ texts }: Opened, state: StateFolder, settings: readonly Setting[]) {
  const inside = [...texts].flatMap(([name, { content }]) =>
    name.startsWith('state/') ? [{ path: join(state.path, name.slice('state/'.length)), content }] : [],
  );
  return [...inside, ...settings].flatMap(({ path, content }) => {
    const now = content === null ? null : readSmall(path);
    return content === null || now === null || now.equals(content) ? [] : [{ path, now, content }];
  });
}

/** Their names, a line each, of the lines of JSON that the list of phones is made of. What is no such line names none. */
function phonesIn(content: Buffer): Buffer {
  const names = content.toString('utf8').matchAll(/^\{"person":"([^"]*)","device":"([^"]*)"/gm);
  return Buffer.from(Array.from(names, ([, person, device]) => `${person}/${device}\n`).join(''));
}

/** Of the state folder's own list is seen to where the certificates are: what is revoked today stays so. */
function isList(content: Buffer): boolean {
  return content.includes('-----BEGIN X509 CRL-----');
}

/** What an ACL file says, without comments and blanks; null = it is no such file: each of its lines is one of three words. */
function rulesOf(content: Buffer): string | null {
  const lines = content
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '));
  const rules = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return rules.length > 0 && rules.every((line) => /^(user|topic|pattern) /.test(line)) ? rules.join('\n') : null;
}

function anotherAuthority(now: Buffer, then: Buffer): readonly string[] {
  const [today, before] = [fingerprintOf(now), fingerprintOf(then)];
  if (today === before) return [];
  const devices =
    'every phone and device that trusts the one of today must be given the other, and client certificates of today are refused';
  return [`the certificate authority becomes the one of the backup (SHA-256 ${before}, today ${today}): ${devices}`];
}

function fingerprintOf(pem: Buffer): string {
  try {
    return new X509Certificate(pem).fingerprint256;
  } catch {
    return 'unreadable';
  }
}

/** What is in a file of then, and is not in that of today. */
function linesBack(now: Buffer, then: Buffer): readonly string[] {
  const today = new Set(now.toString('utf8').split('\n'));
  return then
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#') && !today.has(line));
}

function tokenNameIn(line: string): string {
  return /"name":("(?:[^"\\]|\\.)*")/.exec(line)?.[1] ?? 'without a name';
}

/** valuesOf gives what a word of the configuration is set to. */
export function valuesOf(text: string, word: string): readonly string[] {
  return text.split('\n').flatMap((line) => new RegExp(`^\\s*${word}\\s+(.+?)\\s*$`).exec(line)?.[1] ?? []);
}

type Accounts = ReturnType<StateNeeds['accountsIn']>;

function revivedAccounts(path: string, today: Accounts, then: Accounts): readonly string[] {
  return [...then].flatMap(([user, password]) => {
    if (password === null) return [];
    const current = today.get(user);
    if (current === null) return [`account ${JSON.stringify(user)} can sign in again: today it cannot`];
    if (current === undefined) return [`account ${JSON.stringify(user)} comes back: "${path}" does not have it any more`];
    return current === password ? [] : [`account ${JSON.stringify(user)} gets the password or key of the backup`];
  });
}

function readSmall(path: string): Buffer | null {
  return asOwnerNow(dirname(path), () => {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return null; // to open a device may do something: /dev/watchdog
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(fd);
      return stats.isFile() && stats.size <= MAX_TEXT_BYTES ? readFileSync(fd) : null;
    } finally {
      closeSync(fd);
    }
  });
}

function isDatabase({ database, configuration }: BackupManifest, name: string): boolean {
  const place = name.startsWith('configuration/') ? configuration[Number(name.slice('configuration/'.length))] : undefined;
  return name === `state/${database}` || (place !== undefined && basename(place) === database);
}

function parseManifest(text: Buffer | undefined): BackupManifest {
  let value: unknown = null;
  try {
    value = JSON.parse(text?.toString('utf8') ?? '');
  } catch {
    // said below
  }
  const manifest = (typeof value === 'object' && value !== null ? value : {}) as Partial<BackupManifest>; // checked below
  const { format, database, configuration } = manifest;
  if (typeof format !== 'number') throw noBackup();
  if (format > FORMAT) throw new OperatorError('a newer midge wrote it - install that one');
  const isSound = typeof database === 'string' && /^[\w-][\w.-]*$/.test(database) && Array.isArray(configuration);
  const isPath = (path: unknown) => typeof path === 'string' && resolve(path) === path && !path.includes('\0');
  const said = [manifest.host, manifest.time, manifest.program].every(
    (each) => typeof each === 'string' && /^[\x20-\x7e]{1,200}$/.test(each),
  );
  if (!isSound || !said || !configuration.every(isPath)) throw new OperatorError(`its ${MANIFEST} is invalid`);
  return manifest as BackupManifest;
}

function collect(done: (content: Buffer) => void): Writable {
  const chunks: Buffer[] = [];
  return new Writable({
    write: (chunk, _encoding, next) => {
      chunks.push(chunk);
      next();
    },
    final: (next) => {
      done(Buffer.concat(chunks));
      next();
    },
  });
}

/** Links on the way are followed as far as there is something. */
function realPath(path: string): string {
  if (path === '/') return path;
  return existsSync(path) ? realpathSync(path) : join(realPath(dirname(path)), basename(path));
}

/** freeBytes is the room on the disk of a folder, which need not be there yet. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(existing(folder));
  return bavail * bsize;
}

function existing(path: string): string {
  return existsSync(path) ? path : existing(dirname(path));
}
