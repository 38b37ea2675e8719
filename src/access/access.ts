// Door of access: who may connect, and what they may do.

import { AclAuthorizer } from './acl.ts';
import { readAclFile } from './acl-file.ts';
import { PasswordAuthenticator } from './authenticator.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { AccessOptions } from './options.ts';
import { readPasswordFile } from './password-file.ts';

/**
 * createAuthenticator decides by the configuration's account and by the password file, which it reads now (throws OperatorError with all
 * its mistakes). A client without a user name is welcome where its listener allows anonymous clients; a verified certificate identity
 * needs no password. `throttle` is the one of the whole life of the program, or null for none.
 */
export function createAuthenticator(
  { account, passwordFile }: Pick<AccessOptions, 'account' | 'passwordFile'>,
  throttle: LoginThrottle | null = null,
): PasswordAuthenticator {
  return new PasswordAuthenticator(account, passwordFile === null ? null : readPasswordFile(passwordFile), throttle);
}

/** createAuthorizer decides by the ACL file, which it reads now (throws OperatorError with all its mistakes); null without one: everything is allowed. */
export function createAuthorizer({ aclFile }: Pick<AccessOptions, 'aclFile'>): AclAuthorizer | null {
  return aclFile === null ? null : new AclAuthorizer(readAclFile(aclFile));
}
