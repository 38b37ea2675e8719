// Whether a client's certificate lets it in, asked after the handshake and again when lists of revoked certificates change.
//
// OpenSSL has verified the chain in a full handshake. What it does not do here: revocation (Node's `crl` wants a list of every authority up to
// the root, mosquitto of the client's own only), anything in a resumed session, and chains whose dates shall not count.

import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { reasonOf } from '../base/errors.ts';
import type { TlsProblem } from '../base/refusal-reason.ts';

/** Authorities above a client's certificate, at most. */
const MAX_CHAIN = 8;

/** ub-common-name, RFC 5280 appendix A: what is longer was not meant to be read. */
const MAX_NAME_LENGTH = 64;

/** id-kp-clientAuth, RFC 5280 4.2.1.12. */
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** Revocations looks certificates up in the lists of their authorities. */
export interface Revocations {
  statusOf(certificate: X509Certificate, now: number): 'good' | 'revoked' | 'no list' | 'expired';
}

/** ClientRules are what a listener asks of client certificates. */
export interface ClientRules {
  readonly authorities: readonly X509Certificate[];
  /** Null = there are no lists. */
  readonly revocations: Revocations | null;
  readonly checksDates: boolean;
}

/** chainProblem says why the certificate of a fresh connection is not accepted, or null. Never throws, whatever is in the chain. */
export function chainProblem(socket: TLSSocket, rules: ClientRules): TlsProblem | null {
  return orUnreadable(() => findChainProblem(socket, rules));
}

/** certificateProblem says why a certificate whose chain is good is not accepted at this moment, or null. Never throws. */
export function certificateProblem(certificate: X509Certificate, rules: ClientRules): TlsProblem | null {
  return orUnreadable(() => findCertificateProblem(certificate, rules));
}

/** Node throws for what OpenSSL can't decode, such as the key of an authority that a client has sent. */
function orUnreadable(find: () => TlsProblem | null): TlsProblem | null {
  try {
    return find();
  } catch (error) {
    return { what: 'unreadable client certificate', detail: reasonOf(error) };
  }
}

function findChainProblem(socket: TLSSocket, rules: ClientRules): TlsProblem | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return 'no client certificate';
  if (!socket.authorized && (rules.checksDates || !isTrusted(certificate, rules.authorities))) return untrusted(certificate);
  return findCertificateProblem(certificate, rules);
}

/** laterProblem says why the certificate of a fresh connection, which other rules have accepted, is not accepted by these, or null. Never throws. */
export function laterProblem(socket: TLSSocket, rules: ClientRules): TlsProblem | null {
  return orUnreadable(() => {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return 'no client certificate';
    return isTrusted(certificate, rules.authorities) ? findCertificateProblem(certificate, rules) : untrusted(certificate);
  });
}

function findCertificateProblem(certificate: X509Certificate, { revocations, checksDates }: ClientRules): TlsProblem | null {
  const now = Date.now();
  const outOfDate = checksDates ? dateProblem(certificate, now) : null;
  if (outOfDate !== null) return outOfDate;
  switch (revocations?.statusOf(certificate, now)) {
    case 'revoked':
      return { what: 'revoked', name: nameOf(certificate) };
    case 'no list':
      return 'no revocation list';
    case 'expired':
      return 'old revocation list';
    default:
      return null;
  }
}

/** unverifiedProblem says why OpenSSL did not verify a chain, by its code such as 'CERT_HAS_EXPIRED'. `certificate` is the client's own, if it is known. */
export function unverifiedProblem(code: string, certificate: X509Certificate | undefined): TlsProblem {
  if (/ISSUER|SELF_SIGNED|UNABLE_TO_VERIFY|UNTRUSTED|SIGNATURE_FAILURE|INVALID_CA|PATH_LENGTH/.test(code)) return untrusted(certificate);
  const outOfDate = certificate === undefined ? null : dateProblem(certificate, Date.now());
  if (outOfDate !== null) return outOfDate;
  const name = nameOf(certificate);
  if (code === 'CERT_HAS_EXPIRED') return { what: 'chain expired', name };
  if (code === 'CERT_NOT_YET_VALID') return { what: 'chain not valid yet', name };
  if (code === 'INVALID_PURPOSE') return { what: 'not for clients', name };
  return { what: 'not accepted', name, detail: code.toLowerCase().replaceAll('_', ' ') };
}

function dateProblem(certificate: X509Certificate, now: number): TlsProblem | null {
  const { validToDate, validFromDate } = certificate;
  const name = nameOf(certificate);
  if (validToDate.getTime() < now) return { what: 'expired', name, date: validToDate };
  return validFromDate.getTime() > now ? { what: 'not valid yet', name, date: validFromDate } : null;
}

function untrusted(certificate: X509Certificate | undefined): TlsProblem {
  const issuer = certificate === undefined ? null : commonName(certificate.issuer);
  return { what: 'client untrusted', name: nameOf(certificate), issuer };
}

function nameOf(certificate: X509Certificate | undefined): string | null {
  return certificate === undefined ? null : commonName(certificate.subject);
}

/** From `CN=lamp`, one of the lines that Node gives. */
function commonName(lines: string | undefined): string | null {
  const line = lines?.split('\n').find((each) => each.startsWith('CN='));
  return line === undefined ? null : line.slice('CN='.length, 'CN='.length + MAX_NAME_LENGTH);
}

/** Without dates: signatures up to an authority that is trusted, and the use for clients. RFC 5280 6.1, as far as it concerns chains without constraints. */
function isTrusted(leaf: X509Certificate, authorities: readonly X509Certificate[]): boolean {
  if (leaf.keyUsage !== undefined && !leaf.keyUsage.includes(CLIENT_AUTH)) return false;
  let certificate: X509Certificate | undefined = leaf;
  for (let depth = 0; certificate !== undefined && depth < MAX_CHAIN; depth++) {
    const below: X509Certificate = certificate;
    if (authorities.some((authority) => isIssuedBy(below, authority))) return true;
    const above: X509Certificate | undefined = below.issuerCertificate;
    if (above === undefined || !isIssuedBy(below, above)) return false;
    certificate = above;
  }
  return false;
}

function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}
