// Access of a test's own files and account, the same at all listeners.

import { createAccess } from '../../src/access/access.ts';
import type { LoginThrottle } from '../../src/access/login-throttle.ts';
import type { AccessOptions } from '../../src/access/options.ts';
import type { Authenticator } from '../../src/broker/ports.ts';

/** NO_ACCESS has no account and no files. */
export const NO_ACCESS = { account: null, passwordFile: null, aclFile: null, listeners: null } as const;

/** authenticatorOf makes what answers the engine. */
export function authenticatorOf(options: Partial<AccessOptions>, throttle: LoginThrottle | null = null): Authenticator {
  return createAccess({ ...NO_ACCESS, ...options }, throttle).authenticator;
}
