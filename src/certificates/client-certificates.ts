// The client certificates that the appliance's authority has issued, and its list of revoked ones, in the authority's folder:
//
//   clients/<serial>.crt   each that was issued; their keys are handed out and not kept
//   ca.crl                 the revoked ones, signed by the authority: absent = none

import { type KeyObject, X509Certificate } from 'node:crypto';
import { chown, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { OperatorError, reasonOf } from '../base/errors.ts';
import { type Authority, openAuthority } from './authority.ts';
import { PUBLIC, readIfThere, replaceFile } from './files.ts';
import { makeKey, mintClient, mintRevocationList, type RevokedCertificate } from './mint.ts';
import { normalSerial, type Revocations, readRevocations } from './revocation.ts';
import { clientValidity, day } from './validity.ts';

/** REVOCATION_LIST is the name of the file in the authority's folder. */
export const REVOCATION_LIST = 'ca.crl';

/** ub-common-name, RFC 5280 appendix A. */
const MAX_NAME_LENGTH = 64;

/** ClientCertificate is one that was issued. Times in milliseconds since 1970. */
export interface ClientCertificate {
  readonly name: string;
  /** Hexadecimal, lower case. */
  readonly serial: string;
  /** PEM. */
  readonly cert: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Null = not revoked. */
  readonly revokedAt: number | null;
}

/** ClientRegister issues, lists and revokes. A running broker sees by the file that something was revoked. */
export class ClientRegister {
  readonly authority: Authority;
  readonly #folder: string;

  private constructor(folder: string, authority: Authority) {
    this.#folder = folder;
    this.authority = authority;
  }

  /** open finds the authority of a folder; throws OperatorError when there is none: it is the broker that makes it. */
  static async open(folder: string): Promise<ClientRegister> {
    const authority = await openAuthority(folder, () => {
      throw new OperatorError(
        `Cannot find certificate authority "${join(folder, 'ca.crt')}": there is none - start the broker with a listener that has "secure true", or name its folder with --state`,
      );
    });
    return new ClientRegister(folder, authority);
  }

  /** issue makes a certificate with a new key. Throws OperatorError for a name that can't be used, or that has a valid certificate. */
  async issue(
    name: string,
    moment: { readonly now: number; readonly buildDate: number },
  ): Promise<{ certificate: ClientCertificate; key: KeyObject }> {
    checkName(name);
    const same = (await this.list()).find((each) => each.name === name && each.revokedAt === null && each.notAfter > moment.now);
    if (same !== undefined) {
      throw new OperatorError(
        `Cannot issue a certificate for "${name}": it has one, valid to ${day(same.notAfter)} - revoke that first, or choose another name`,
      );
    }
    const key = makeKey();
    const limit = this.authority.certificate.validToDate.getTime();
    const cert = await mintClient({
      issuer: this.authority,
      key,
      commonName: name,
      validity: clientValidity(moment.now, moment.buildDate, limit),
    });
    const certificate = describe(cert, null);
    await this.#write(join('clients', `${certificate.serial}.crt`), cert);
    return { certificate, key };
  }

  /** list gives all that were issued, by name and age. */
  async list(): Promise<readonly ClientCertificate[]> {
    const revocations = await readOwnRevocations(this.#folder, this.authority.cert);
    const revoked = revocations?.lists[0]?.revoked;
    const folder = join(this.#folder, 'clients');
    const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.crt'));
    const texts = await Promise.all(names.map((name) => readIfThere(join(folder, name))));
    const certificates = texts.filter((text) => text !== null).map((text) => describe(text, revoked));
    return certificates.toSorted((a, b) => a.name.localeCompare(b.name) || a.notBefore - b.notBefore);
  }

  /** revoke takes the certificates of a name, or the one of a serial number, out of use. Gives them; throws OperatorError when there is none in use. */
  async revoke(nameOrSerial: string, now: number): Promise<readonly ClientCertificate[]> {
    const all = await this.list();
    const meant = all.filter(({ name, serial }) => name === nameOrSerial || serial === normalSerial(nameOrSerial));
    const active = meant.filter(({ revokedAt }) => revokedAt === null);
    if (active.length === 0) {
      const reason = meant.length === 0 ? 'no certificate was issued for it' : 'it is revoked already';
      throw new OperatorError(`Cannot revoke "${nameOrSerial}": ${reason} - see: midge cert list`);
    }
    const before = (await readOwnRevocations(this.#folder, this.authority.cert))?.lists[0]?.revoked;
    const revoked = [...(before?.values() ?? []), ...active.map(({ serial }) => ({ serial, at: now }))];
    await this.#write(REVOCATION_LIST, await this.#signed(revoked, now));
    return active.map((each) => ({ ...each, revokedAt: now }));
  }

  /** revocationList gives the list of revoked certificates in PEM, for other programs. */
  async revocationList(now: number): Promise<string> {
    return (await readIfThere(join(this.#folder, REVOCATION_LIST))) ?? this.#signed([], now);
  }

  /** It only grows, so its length numbers it. It is good as long as the authority: nobody is there to renew it. */
  #signed(revoked: readonly RevokedCertificate[], now: number): Promise<string> {
    const notAfter = this.authority.certificate.validToDate.getTime();
    return mintRevocationList({ issuer: this.authority, revoked, number: revoked.length, validity: { notBefore: now, notAfter } });
  }

  /** What root writes here stays readable for the broker, whose folder it is. */
  async #write(name: string, text: string): Promise<void> {
    const path = join(this.#folder, name);
    try {
      await mkdir(join(this.#folder, 'clients'), { recursive: true, mode: 0o700 });
      await replaceFile(path, text, PUBLIC);
      if (process.geteuid?.() !== 0) return;
      const { uid, gid } = await stat(this.#folder);
      await chown(path, uid, gid);
      await chown(join(this.#folder, 'clients'), uid, gid);
    } catch (error) {
      throw new OperatorError(`Cannot write "${path}": ${reasonOf(error)} - run this as root or as the user of the broker`, {
        cause: error,
      });
    }
  }
}

/** readOwnRevocations reads the authority's own list, or gives null when nothing was ever revoked; throws OperatorError when it is damaged. */
export async function readOwnRevocations(folder: string, authority: string): Promise<Revocations | null> {
  const path = join(folder, REVOCATION_LIST);
  try {
    const text = await readIfThere(path);
    if (text === null) return null;
    const revocations = await readRevocations(text, [authority]);
    if (revocations.lists.length === 0) throw new Error('it is signed by another authority');
    return revocations;
  } catch (error) {
    throw new OperatorError(`Cannot read revoked certificates "${path}": ${reasonOf(error)} - put it back from a backup`, { cause: error });
  }
}

function describe(cert: string, revoked: ReadonlyMap<string, RevokedCertificate> | null | undefined): ClientCertificate {
  const certificate = new X509Certificate(cert);
  const serial = normalSerial(certificate.serialNumber);
  return {
    name: certificate.subject.replace(/^CN=/, ''),
    serial,
    cert,
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
    revokedAt: revoked?.get(serial)?.at ?? null,
  };
}

/** The name becomes a user name and the name of files. `+` and `#` would take the patterns of an ACL file away from it. */
function checkName(name: string): void {
  const reason =
    name === ''
      ? 'it is empty'
      : [...name].length > MAX_NAME_LENGTH
        ? `it is longer than ${MAX_NAME_LENGTH} letters`
        : /[\p{Cc}\\/+#,"]|^[-.\s]|\s$/u.test(name)
          ? 'it holds one of / \\ + # , " or a control character, or begins with - or .'
          : null;
  if (reason !== null) throw new OperatorError(`Cannot issue a certificate for "${name}": ${reason} - choose another name`);
}
