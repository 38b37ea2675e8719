// The certificate authority in its folder: ca.crt and ca.key, both or none. What is there is never overwritten.
//
// First start, also when two processes do it at once or the power goes:
//
//   ca.new.<random>/   both files written and synced
//     -> ca.new/       by one rename: from here on this authority is the one
//     -> ca.key, ca.crt   by hard links, which cannot replace a file; any process may finish this
//   ca.new/ is removed

import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { OperatorError, reasonOf } from '../base/errors.ts';
import { codeOf, linkNew, PUBLIC, randomSuffix, readIfThere, SECRET, syncFolder, writeSynced } from './files.ts';
import { type Issuer, readKey } from './issue.ts';

/** Authority is checked: the key belongs to the certificate, and the certificate is a self-signed authority. */
export interface Authority extends Issuer {
  readonly certificate: X509Certificate;
  /** True when this call made it. */
  readonly created: boolean;
}

/** AuthorityFiles are the two PEM texts. */
export interface AuthorityFiles {
  readonly cert: string;
  readonly key: string;
}

const BEGIN_ANEW =
  'put it back from a backup; or, to begin anew, move ca.crt, ca.key, server.crt and server.key away: every device must then trust the new ca.crt';

/**
 * openAuthority reads the authority of a folder; when the folder has none, `make` is asked for one, which is then kept.
 * Throws OperatorError when a part is missing, unreadable, damaged or does not belong to the other.
 */
export async function openAuthority(folder: string, make: () => Promise<AuthorityFiles>): Promise<Authority> {
  const orphan = await orphanedServerFile(folder); // before the authority is read: it is always made first
  let found = await readWhole(folder);
  const none = found.cert === null && found.key === null;
  if (none && orphan !== null) throw missing(join(folder, 'ca.crt'), `the authority of ${orphan} is gone`);
  let created = false;
  if (none) {
    const files = await make();
    await create(folder, files);
    found = await readFiles(folder);
    created = found.cert === files.cert;
  }
  if (found.cert === null) throw missing(join(folder, 'ca.crt'), 'it is missing while ca.key is there');
  if (found.key === null) throw missing(join(folder, 'ca.key'), 'it is missing while ca.crt is there');
  return { ...checkFiles(folder, { cert: found.cert, key: found.key }), created };
}

/** protectKey takes a private key away from other users. Gives the mode it had when that was too open, else null. */
export async function protectKey(path: string): Promise<number | null> {
  const mode = (await stat(path)).mode & 0o777;
  if ((mode & 0o077) === 0) return null;
  await chmod(path, SECRET);
  return mode;
}

/** One part without the other may be another process at work: once that has ended, or its work was finished here, both are there. */
async function readWhole(folder: string): Promise<{ cert: string | null; key: string | null }> {
  await tryFinish(folder);
  const found = await readFiles(folder);
  if ((found.cert === null) === (found.key === null)) return found;
  await tryFinish(folder);
  return readFiles(folder);
}

async function readFiles(folder: string): Promise<{ cert: string | null; key: string | null }> {
  return { cert: await readPart(join(folder, 'ca.crt')), key: await readPart(join(folder, 'ca.key')) };
}

async function readPart(path: string): Promise<string | null> {
  try {
    return await readIfThere(path);
  } catch (error) {
    throw new OperatorError(
      `Cannot read certificate authority "${path}": ${reasonOf(error)} - make the file readable for the user that runs the broker`,
      { cause: error },
    );
  }
}

async function tryFinish(folder: string): Promise<void> {
  try {
    await finishCreation(folder);
  } catch (error) {
    throw cannotMake(folder, error);
  }
}

async function orphanedServerFile(folder: string): Promise<string | null> {
  for (const name of ['server.crt', 'server.key']) {
    if ((await stat(join(folder, name)).catch(() => null)) !== null) return name;
  }
  return null;
}

async function create(folder: string, files: AuthorityFiles): Promise<void> {
  const aside = join(folder, `ca.new.${randomSuffix()}`);
  try {
    await mkdir(aside, { mode: 0o700 });
    await writeSynced(join(aside, 'ca.crt'), files.cert, PUBLIC);
    await writeSynced(join(aside, 'ca.key'), files.key, SECRET);
    await syncFolder(aside);
    await rename(aside, join(folder, 'ca.new')).catch(ignore('ENOTEMPTY', 'EEXIST')); // another process was first
    await syncFolder(folder);
    await finishCreation(folder);
  } catch (error) {
    throw new OperatorError(
      `Cannot make certificate authority "${join(folder, 'ca.crt')}": ${reasonOf(error)} - make the folder writable`,
      {
        cause: error,
      },
    );
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** Safe to run in several processes at once: a file that is already in place stays, one that is gone was put in place by another. */
async function finishCreation(folder: string): Promise<void> {
  const pending = join(folder, 'ca.new');
  if ((await stat(pending).catch(ignore('ENOENT'))) === undefined) return;
  const names = ['ca.key', 'ca.crt'];
  if (await fitsWhatIsThere(folder, names)) {
    for (const name of names) await linkNew(join(pending, name), join(folder, name)).catch(ignore('ENOENT'));
    await syncFolder(folder);
  }
  for (const name of names) await rm(join(pending, name), { force: true });
  await rmdir(pending).catch(ignore('ENOENT', 'ENOTEMPTY', 'EEXIST'));
}

async function fitsWhatIsThere(folder: string, names: readonly string[]): Promise<boolean> {
  for (const name of names) {
    const present = await readIfThere(join(folder, name));
    if (present !== null && present !== (await readIfThere(join(folder, 'ca.new', name)))) return false;
  }
  return true;
}

function checkFiles(folder: string, files: AuthorityFiles): Omit<Authority, 'created'> {
  const certPath = join(folder, 'ca.crt');
  const keyPath = join(folder, 'ca.key');
  const certificate = parsePart(certPath, () => new X509Certificate(files.cert));
  const key = parsePart(keyPath, () => readKey(files.key));
  if (!certificate.ca) throw unusable(certPath, 'it is not the certificate of an authority');
  if (!certificate.checkPrivateKey(key)) throw unusable(keyPath, 'the key does not belong to ca.crt');
  if (!certificate.verify(certificate.publicKey)) throw unusable(certPath, 'it is signed by another authority');
  return { cert: `${certificate.toString().trim()}\n`, key, certificate };
}

function parsePart<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw unusable(path, `it is damaged or of another kind (${reasonOf(error)})`);
  }
}

function cannotMake(folder: string, cause: unknown): OperatorError {
  const path = join(folder, 'ca.crt');
  return new OperatorError(`Cannot make certificate authority "${path}": ${reasonOf(cause)} - make the folder writable`, { cause });
}

function missing(path: string, reason: string): OperatorError {
  return new OperatorError(`Cannot find certificate authority "${path}": ${reason} - ${BEGIN_ANEW}`);
}

function unusable(path: string, reason: string): OperatorError {
  return new OperatorError(`Cannot use certificate authority "${path}": ${reason} - ${BEGIN_ANEW}`);
}

function ignore(...codes: string[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.includes(codeOf(error) ?? '')) throw error;
  };
}
