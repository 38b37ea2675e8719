// Why NATS is not reached, in words that say what to look at.

import { errors } from '@nats-io/transport-node';
import { reasonOf } from '../base/errors.ts';

/** natsReason puts what the client of NATS throws, or reports, into words. What it does not know it shows as it is. */
export function natsReason(error: unknown): string {
  const code = codeOf(error);
  const text = reasonOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return 'no NATS server listens there';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name has no address';
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'its certificate is from an authority that this broker does not trust (cluster_cafile)';
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `its certificate is for another name: ${text}`;
  }
  if (error instanceof errors.AuthorizationError) return 'it does not take the credentials of this broker (cluster_credentials)';
  if (error instanceof errors.PermissionViolationError)
    return `its account may not ${error.operation === 'publish' ? 'publish to' : 'subscribe to'} ${error.subject} (cluster_credentials)`;
  if (error instanceof errors.TimeoutError) return 'it does not answer';
  if (/does not support 'tls'/.test(text)) return 'it has no TLS, and cluster says tls://';
  return text;
}

/** The system's code may be that of a cause. */
function codeOf(error: unknown): string | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException; // of the system, or absent
    if (typeof code === 'string') return code;
  }
  return null;
}
