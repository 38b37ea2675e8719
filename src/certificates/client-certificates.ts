// The client certificates that the appliance's authority has issued, in the authority's folder:
//
//   clients/<serial>.crt                 each that was issued; their keys are handed out and not kept
//   clients/<serial>.revoked, ca.crl     the revoked ones (revoked.ts)

import { type KeyObject, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { OperatorError, reasonOf } from '../base/errors.ts';
import { type Authority, openAuthority } from './authority.ts';
import { PUBLIC, readIfThere, replaceFile } from './files.ts';
import { issueClient, makeKey } from './issue.ts';
import { normalSerial } from './revocation-lists.ts';
import { addRevoked, CLIENTS, REVOCATION_LIST, type RevokedSerials, readRevoked, signRevocationList } from './revocation-records.ts';
import { clientValidity, day } from './validity.ts';

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
    return this.#issue(name, moment);
  }

  /** issueForPhone makes one that has the account of a phone, PERSON/DEVICE, for its name; those that it has are revoked. Throws OperatorError. */
  async issueForPhone(
    account: string,
    moment: { readonly now: number; readonly buildDate: number },
  ): Promise<{ certificate: ClientCertificate; key: KeyObject }> {
    checkName(account.replace('/', '-')); // of the same length
    await this.revokeOf([account], moment.now);
    return this.#issue(account, moment);
  }

  /** revokeOf takes the certificates of some names out of use, and gives how many that were. */
  async revokeOf(names: readonly string[], now: number): Promise<number> {
    const active = (await this.list()).filter(({ name, revokedAt }) => revokedAt === null && names.includes(name));
    const revoked = active.map(({ serial }) => ({ serial, at: now }));
    if (revoked.length > 0) await this.#write(REVOCATION_LIST, () => addRevoked(this.#folder, this.authority, revoked));
    return revoked.length;
  }

  async #issue(
    name: string,
    moment: { readonly now: number; readonly buildDate: number },
  ): Promise<{ certificate: ClientCertificate; key: KeyObject }> {
    const same = (await this.list()).find((each) => each.name === name && each.revokedAt === null && each.notAfter > moment.now);
    if (same !== undefined) {
      throw new OperatorError(
        `Cannot issue a certificate for "${name}": it has one, valid to ${day(same.notAfter)} - revoke that first, or choose another name`,
      );
    }
    const key = makeKey();
    const limit = this.authority.certificate.validToDate.getTime();
    const cert = await issueClient({
      issuer: this.authority,
      key,
      commonName: name,
      validity: clientValidity(moment.now, moment.buildDate, limit),
    });
    const certificate = describe(cert, new Map());
    await this.#write(join(CLIENTS, `${certificate.serial}.crt`), (path) => replaceFile(path, cert, PUBLIC));
    return { certificate, key };
  }

  /** list gives all that were issued, by name and age. */
  async list(): Promise<readonly ClientCertificate[]> {
    const { revoked } = await readRevoked(this.#folder, this.authority.cert);
    const folder = join(this.#folder, CLIENTS);
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
    const revoked = active.map(({ serial }) => ({ serial, at: now }));
    await this.#write(REVOCATION_LIST, () => addRevoked(this.#folder, this.authority, revoked));
    return active.map((each) => ({ ...each, revokedAt: now }));
  }

  /** revocationList gives the list of revoked certificates in PEM, for other programs. */
  async revocationList(now: number): Promise<string> {
    const { revoked } = await readRevoked(this.#folder, this.authority.cert);
    return signRevocationList(this.authority, revoked, now);
  }

  async #write(name: string, write: (path: string) => Promise<void>): Promise<void> {
    const path = join(this.#folder, name);
    try {
      await mkdir(join(this.#folder, CLIENTS), { recursive: true, mode: 0o700 });
      await write(path);
    } catch (error) {
      throw new OperatorError(`Cannot write "${path}": ${reasonOf(error)} - run this as root or as the user of the broker`, {
        cause: error,
      });
    }
  }
}

function describe(cert: string, revoked: RevokedSerials): ClientCertificate {
  const certificate = new X509Certificate(cert);
  const serial = normalSerial(certificate.serialNumber);
  return {
    name: certificate.subject.replace(/^CN=/, ''),
    serial,
    cert,
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
    revokedAt: revoked.get(serial)?.at ?? null,
  };
}

/** The name becomes a user name and the name of files. `+` and `#` would take the patterns of an ACL file away from it. */
/** hasIssued tells whether the authority of a folder has ever issued a client certificate. */
export function hasIssued(folder: string): boolean {
  return existsSync(join(folder, CLIENTS));
}

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
