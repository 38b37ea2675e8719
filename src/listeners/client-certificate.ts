// Whether a client's certificate lets it in, asked after the handshake and again when lists of revoked certificates change.
//
// OpenSSL has verified the chain in a full handshake. What it does not do here: revocation (Node's `crl` wants a list of every authority up to
// the root, mosquitto of the client's own only), anything in a resumed session, and chains whose dates shall not count.

import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** Authorities above a client's certificate, at most. */
const MAX_CHAIN = 8;

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

/** chainProblem says why the certificate of a fresh connection is not accepted, or null. */
export function chainProblem(socket: TLSSocket, rules: ClientRules): string | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return 'it sent no client certificate';
  if (!socket.authorized && (rules.checksDates || !isTrusted(certificate, rules.authorities)))
    return 'its client certificate is of no authority that is trusted here';
  return certificateProblem(certificate, rules);
}

/** certificateProblem says why a certificate whose chain is good is not accepted at this moment, or null. */
export function certificateProblem(certificate: X509Certificate, { revocations, checksDates }: ClientRules): string | null {
  const now = Date.now();
  if (checksDates && certificate.validToDate.getTime() < now) return 'its client certificate has expired';
  if (checksDates && certificate.validFromDate.getTime() > now) return 'its client certificate is not valid yet';
  switch (revocations?.statusOf(certificate, now)) {
    case 'revoked':
      return 'its client certificate is revoked';
    case 'no list':
      return 'crlfile has no list of the authority of its client certificate';
    case 'expired':
      return 'the list of revoked certificates in crlfile is too old';
    default:
      return null;
  }
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
