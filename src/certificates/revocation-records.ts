// Which client certificates the authority has revoked. Its folder says it twice, and what either says holds, so that it can only grow:
//
//   clients/<serial>.revoked   when it was revoked; each is made once and never changed, so two revocations at once make two files
//   ca.crl                     all of them, signed by the authority, for other programs; written anew when it is gone or lacks one
//
// Without both nothing is revoked.

import { X509Certificate } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { OperatorError, reasonOf } from '../base/errors.ts';
import { createFile, PUBLIC, readIfThere, replaceFile } from './files.ts';
import { type Issuer, issueRevocationList, type RevokedCertificate } from './issue.ts';
import { normalSerial, readRevocations } from './revocation-lists.ts';

/** REVOCATION_LIST is the name of the signed list in the authority's folder. */
export const REVOCATION_LIST = 'ca.crl';

/** CLIENTS is the folder of what was issued, in the authority's folder. */
export const CLIENTS = 'clients';

/** Each try that fails is one of another process that wrote in between, or a serial number that no list can carry: its file is enough. */
const LIST_TRIES = 50;

const MARK = /^([0-9a-f]{1,40})\.revoked$/;

/** RevokedSerials is by serial number in normal form. */
export type RevokedSerials = ReadonlyMap<string, RevokedCertificate>;

/** RevokedRecord is what a folder says. */
export interface RevokedRecord {
  /** What either place says. */
  readonly revoked: RevokedSerials;
  /** How many of them the list lacks; a list that is not there lacks all. */
  readonly unlisted: number;
  /** How many of them have no file of their own. */
  readonly unmarked: number;
}

/** readRevoked reads what was revoked by an authority (PEM); throws OperatorError when the list is damaged or of another authority. */
export async function readRevoked(folder: string, authority: string): Promise<RevokedRecord> {
  const marked = await readMarks(folder);
  const listed = await readList(folder, authority);
  const revoked = new Map([...listed, ...marked]);
  return { revoked, unlisted: revoked.size - listed.size, unmarked: revoked.size - marked.size };
}

/**
 * addRevoked adds to what a folder says is revoked, and brings both places up to date. Several processes may do it at once: who writes the list
 * looks afterwards whether it lacks one of another's.
 */
export async function addRevoked(folder: string, issuer: Issuer, added: Iterable<RevokedCertificate>): Promise<void> {
  await mkdir(join(folder, CLIENTS), { recursive: true, mode: 0o700 });
  const before = await readRevoked(folder, issuer.cert);
  for (const { serial, at } of [...before.revoked.values(), ...added]) {
    await createFile(join(folder, CLIENTS, `${normalSerial(serial)}.revoked`), `${new Date(at).toISOString()}\n`, PUBLIC);
  }
  for (let tries = 0; tries < LIST_TRIES; tries++) {
    const { revoked, unlisted } = await readRevoked(folder, issuer.cert);
    if (unlisted === 0) return;
    await replaceFile(join(folder, REVOCATION_LIST), await signRevocationList(issuer, revoked), PUBLIC);
  }
}

/** signRevocationList gives the list in PEM. It only grows, so its length numbers it. It is good as long as the authority: nobody is there to renew it. */
export async function signRevocationList(issuer: Issuer, revoked: RevokedSerials, now = Date.now()): Promise<string> {
  const { validToDate } = new X509Certificate(issuer.cert);
  const validity = { notBefore: now, notAfter: validToDate.getTime() };
  return issueRevocationList({ issuer, revoked: [...revoked.values()], number: revoked.size, validity });
}

async function readMarks(folder: string): Promise<RevokedSerials> {
  const names = await readdir(join(folder, CLIENTS)).catch(() => []);
  const serials = names.flatMap((name) => MARK.exec(name)?.[1] ?? []).map(normalSerial);
  const marks = await Promise.all(serials.map((serial) => readMark(folder, serial)));
  return new Map(marks.map((mark) => [mark.serial, mark]));
}

/** A file that cannot be read counts all the same: only its time is not known. */
async function readMark(folder: string, serial: string): Promise<RevokedCertificate> {
  const text = await readIfThere(join(folder, CLIENTS, `${serial}.revoked`)).catch(() => null);
  const at = Date.parse((text ?? '').trim());
  return { serial, at: Number.isNaN(at) ? 0 : at };
}

async function readList(folder: string, authority: string): Promise<RevokedSerials> {
  const path = join(folder, REVOCATION_LIST);
  try {
    const text = await readIfThere(path);
    if (text === null) return new Map();
    const [list] = (await readRevocations(text, [authority])).lists;
    if (list === undefined) throw new Error('it is signed by another authority');
    return list.revoked;
  } catch (error) {
    throw new OperatorError(`Cannot read revoked certificates "${path}": ${reasonOf(error)} - put it back from a backup`, { cause: error });
  }
}
