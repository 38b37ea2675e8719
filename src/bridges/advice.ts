// What a person can do about a bridge that is not connected.

import { isLocalName } from '../base/network-label.ts';
import type { LinkError } from '../broker/client/link-error.ts';
import { REASON } from '../mqtt/reason-codes.ts';
import type { BridgeOptions } from './options.ts';

/** adviceFor gives what to do first, without a full stop; null = that depends on more than the error tells. `host` is where the bridge wanted to go; null = it has not tried yet. */
export function adviceFor(
  { fault, reasonCode }: LinkError,
  { remoteUsername, remotePassword }: Pick<BridgeOptions, 'remoteUsername' | 'remotePassword'>,
  host: string | null,
): string | null {
  if (fault === 'name' && host !== null) return nameAdvice(host);
  if (fault === 'credentials') return signInAdvice(remoteUsername, remotePassword);
  if (reasonCode === REASON.CONNECTION_RATE_EXCEEDED)
    return 'after wrong logins a broker lets nobody in for a while: check the user name and the password, then wait a few minutes';
  return null;
}

function nameAdvice(host: string): string {
  return isLocalName(host)
    ? 'this name is found at home only: in the same house write the address of the other broker in its place, such as 192.168.1.20, and from elsewhere ask for a name that works there ("Edit" on the page changes the bridge)'
    : 'check how the name is written, and whether this machine has the Internet';
}

/** Many brokers say "not authorized" to a wrong password, and none says which of the two is wrong. */
function signInAdvice(username: string | null, password: string | null): string {
  if (username === null) return 'check first whether the other broker asks for a user name and a password: the bridge has none';
  return password === null
    ? `check first whether the other broker asks for a password: the bridge signs in as "${username}" without one`
    : `check the user name and the password first: the bridge signs in as "${username}"`;
}
