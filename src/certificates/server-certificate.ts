// The server certificate in its folder: server.crt (leaf, then authority) and server.key. Whatever is wrong with it, it is simply issued anew.
//
// The key stays the same over re-issues: then one file changes, in one step, and devices that pin the public key keep working.

import { type KeyObject, X509Certificate } from 'node:crypto';
import { join } from 'node:path';

import { reasonOf } from '../base/errors.ts';
import type { Authority } from './authority.ts';
import { createFile, PUBLIC, readIfThere, replaceFile, SECRET } from './files.ts';
import { issueServer, keyToPem, makeKey, readKey } from './issue.ts';
import { machineLabel, nameProblem, namesOf, type ServerNames } from './names.ts';
import { serverDateProblem, serverValidity, type Validity } from './validity.ts';

/** Leaf is a whole server certificate with its key. */
export interface Leaf {
  /** PEM: the server certificate, then its authority. */
  readonly chain: string;
  readonly key: KeyObject;
  readonly names: ServerNames;
  readonly validity: Validity;
}

/** Moment is what a server certificate is measured against. */
export interface Moment {
  /** As the system says it. */
  readonly hostName: string;
  readonly names: ServerNames;
  readonly now: number;
  readonly buildDate: number;
}

/** StoredLeaf is what a folder holds: a leaf, or the reason why there is none. */
export type StoredLeaf = { readonly leaf: Leaf } | { readonly leaf: null; readonly problem: string };

/** readLeaf reads the server certificate of a folder and checks that it is whole and of this authority. Never throws. */
export async function readLeaf(folder: string, authority: Authority): Promise<StoredLeaf> {
  try {
    const keyText = await readIfThere(join(folder, 'server.key'));
    const certText = await readIfThere(join(folder, 'server.crt'));
    if (keyText === null && certText === null) return { leaf: null, problem: 'there is none yet' };
    if (keyText === null) return { leaf: null, problem: 'server.key is missing' };
    if (certText === null) return { leaf: null, problem: 'server.crt is missing' };
    const key = readKey(keyText);
    const certificate = new X509Certificate(certText);
    if (!certificate.checkPrivateKey(key)) return { leaf: null, problem: 'server.key does not belong to server.crt' };
    if (!isIssuedBy(certificate, authority)) return { leaf: null, problem: 'server.crt is of another authority' };
    return { leaf: toLeaf(certificate, key, authority) };
  } catch (error) {
    return { leaf: null, problem: `it cannot be read (${reasonOf(error)})` };
  }
}

/** leafProblem says why a leaf must be issued anew, or null. */
export function leafProblem(leaf: Leaf, moment: Moment): string | null {
  return nameProblem(leaf.names, moment.names, moment.hostName) ?? serverDateProblem(leaf.validity, moment.now, moment.buildDate);
}

/** issueLeaf makes a leaf in memory. */
export async function issueLeaf(options: { authority: Authority; key: KeyObject; moment: Moment }): Promise<Leaf> {
  const { authority, key, moment } = options;
  const cert = await issueServer({
    issuer: authority,
    key,
    commonName: machineLabel(moment.hostName),
    names: moment.names,
    validity: serverValidity(moment.now, moment.buildDate),
  });
  return toLeaf(new X509Certificate(cert), key, authority);
}

/** openKey gives the server key of a folder. A missing one is made, by one process only; one that cannot be used is replaced. */
export async function openKey(folder: string): Promise<KeyObject> {
  const path = join(folder, 'server.key');
  const made = makeKey();
  if (await createFile(path, keyToPem(made), SECRET)) return made;
  try {
    return readKey((await readIfThere(path)) ?? '');
  } catch {
    await replaceFile(path, keyToPem(made), SECRET);
    return made;
  }
}

/** saveLeaf keeps the certificate of a leaf; its key is kept already. */
export async function saveLeaf(folder: string, leaf: Leaf): Promise<void> {
  await replaceFile(join(folder, 'server.crt'), leaf.chain, PUBLIC);
}

function toLeaf(certificate: X509Certificate, key: KeyObject, authority: Authority): Leaf {
  return {
    chain: `${certificate.toString().trim()}\n${authority.cert}`,
    key,
    names: namesOf(certificate.subjectAltName),
    validity: { notBefore: certificate.validFromDate.getTime(), notAfter: certificate.validToDate.getTime() },
  };
}

function isIssuedBy(certificate: X509Certificate, authority: Authority): boolean {
  return certificate.checkIssued(authority.certificate) && certificate.verify(authority.certificate.publicKey);
}
