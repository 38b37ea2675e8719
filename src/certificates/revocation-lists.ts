// Which certificates are revoked, by lists that their authorities have signed (RFC 5280 5).

import { X509Certificate } from 'node:crypto';

import { loadLibrary, type RevokedCertificate } from './issue.ts';

const PEM_LIST = /-----BEGIN X509 CRL-----[\s\S]+?-----END X509 CRL-----/g;

/** RevocationList is the list of one authority. */
export interface RevocationList {
  readonly authority: X509Certificate;
  /** By serial number in normal form. */
  readonly revoked: ReadonlyMap<string, RevokedCertificate>;
  /** After this the authority wants a newer list to be used. Milliseconds since 1970, null = never. */
  readonly expires: number | null;
}

/** RevocationStatus: 'no list' = none of the certificate's authority; 'expired' = there is one, but it is too old to tell. */
export type RevocationStatus = 'good' | 'revoked' | 'no list' | 'expired';

/** Revocations answers for all lists together. */
export class Revocations {
  readonly lists: readonly RevocationList[];

  constructor(lists: readonly RevocationList[]) {
    this.lists = lists;
  }

  /**
   * statusOf looks a client's own certificate up, not those of the authorities above it: as mosquitto does, and unlike Node's `crl`, which
   * wants a list of every authority up to the root. A revoked certificate stays so when its list is too old.
   */
  statusOf(certificate: X509Certificate, now: number): RevocationStatus {
    const lists = this.lists.filter(({ authority }) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
    if (lists.length === 0) return 'no list';
    const serial = normalSerial(certificate.serialNumber);
    if (lists.some(({ revoked }) => revoked.has(serial))) return 'revoked';
    return lists.some(({ expires }) => expires === null || expires >= now) ? 'good' : 'expired';
  }
}

/**
 * readRevocations reads the lists of a PEM text. A list counts only when one of `authorities` (PEM) has signed it; others are left out.
 * Throws when the text holds no list or one that is damaged.
 */
export async function readRevocations(text: string, authorities: readonly string[]): Promise<Revocations> {
  const x509 = await loadLibrary();
  const blocks = text.match(PEM_LIST);
  if (blocks === null) throw new Error('it holds no PEM revocation list');
  const lists: RevocationList[] = [];
  for (const block of blocks) {
    const list = new x509.X509Crl(block);
    const issuer = hexOf(list.issuerName.toArrayBuffer());
    for (const pem of authorities) {
      const authority = new x509.X509Certificate(pem);
      if (hexOf(authority.subjectName.toArrayBuffer()) !== issuer) continue;
      if (!(await list.verify({ publicKey: authority }))) continue;
      const revoked = list.entries.map(({ serialNumber, revocationDate }) => {
        return { serial: normalSerial(serialNumber), at: revocationDate.getTime() };
      });
      lists.push({
        authority: new X509Certificate(pem),
        revoked: new Map(revoked.map((entry) => [entry.serial, entry])),
        expires: list.nextUpdate?.getTime() ?? null,
      });
    }
  }
  return new Revocations(lists);
}

/** normalSerial writes a serial number in lower-case hexadecimal without leading zeros. */
export function normalSerial(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, '');
}

function hexOf(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString('hex');
}
