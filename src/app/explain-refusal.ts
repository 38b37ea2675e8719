// What the house knows about a refusal beyond what engine and listeners could say: is the user known, which ACL line decided, what to do.

import type { Access } from '../access/access.ts';
import { explain } from '../access/acl-explain.ts';
import type { Refusal } from '../broker/ports.ts';
import type { Explanation } from './diagnostics.ts';

/** AccessKnowledge is what is in force now. */
export type AccessKnowledge = Pick<Access, 'knows' | 'aclOf'>;

const UNTRUSTED = /does not trust the|may not trust/;

/** explainRefusal gives the reason as the operator may know it, and advice where there is some. */
export function explainRefusal(refusal: Refusal, house: AccessKnowledge): Explanation {
  const { cause, reason } = refusal;
  switch (cause) {
    case 'tls':
      return { reason, advice: tlsAdvice(reason) };
    case 'wrong protocol':
      return { reason, advice: reason.includes('TLS') ? 'use the port with TLS (8883), or turn TLS off in the client' : null };
    case 'credentials':
      return credentials(refusal, house);
    case 'held':
      return { reason, advice: 'correct the password there and wait until the hold ends, or add the address to login_throttle_exempt' };
    case 'topic':
      return deniedTopic(refusal, house);
    default:
      return { reason, advice: null };
  }
}

function tlsAdvice(reason: string): string | null {
  if (reason.includes('its client certificate')) return clientCertificateAdvice(reason);
  if (UNTRUSTED.test(reason)) {
    return "install this broker's ca.crt on the device (certificates/ca.crt in the state folder), and connect to a name that is in the certificate";
  }
  if (reason.includes('may not find the name'))
    return 'connect to a name or an address that is in the certificate; certificate_names adds some';
  if (reason.includes('not appear to be using TLS')) return 'turn TLS on in the client, or use the port without TLS (1883)';
  if (reason.includes('plain HTTP')) return 'this port wants TLS: use https or wss';
  if (reason.includes('expired')) return 'look at the date of the device, and of this machine';
  if (reason.includes('no client certificate')) return 'give it one: this listener has require_certificate true';
  return null;
}

function clientCertificateAdvice(reason: string): string | null {
  if (reason.includes('is revoked')) return 'if it may come back, give it another one (midge cert client NAME)';
  if (reason.includes('does not trust'))
    return "give it one of the authority that this listener trusts: that of cafile or capath, or this broker's own (midge cert client NAME)";
  if (/expired|valid only|not valid yet/.test(reason)) return 'give it a new one, if the clock of this machine is right';
  return null;
}

function credentials({ username, reason, from }: Refusal, house: AccessKnowledge): Explanation {
  if (username === null || !reason.includes('wrong')) return { reason, advice: null };
  if (house.knows(from.policy.name, username))
    return { reason: `gives a wrong password for user "${username}"`, advice: 'midge passwd sets a new one' };
  return { reason: `gives user "${username}", who has no account here`, advice: 'midge passwd adds one' };
}

function deniedTopic({ username, clientId, topicName, from }: Refusal, house: AccessKnowledge): Explanation {
  const acl = house.aclOf(from.policy.name);
  const topic = topicName ?? '';
  const what = `may not publish to "${topic}"`;
  if (acl === null) return { reason: `${what}: nobody but the broker itself writes there`, advice: null };
  const decision = explain(acl, { username, clientId }, 'publish', topic);
  const { path } = acl.file;
  switch (decision.reason) {
    case 'reserved topic':
      return { reason: `${what}: nobody but the broker itself writes there`, advice: null };
    case 'special name':
      return { reason: `${what}: a user name or client id with + or # gets nothing by the patterns of ${path}`, advice: null };
    case 'no rule':
      return { reason: `${what}: no rule of ${path} allows it`, advice: null };
    case 'rule': {
      const { rule } = decision; // it decided
      return { reason: `${what}: ${path}:${rule?.line}: ${rule?.kind} ${rule?.access} ${rule?.filter}`, advice: null };
    }
  }
}
