// Door of access: who may connect, and what they may do.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { AuthenticationVerdict, Authenticator, Authorizer, Credentials } from '../broker/ports.ts';
import { AclAuthorizer } from './acl.ts';
import { readAclFile } from './acl-file.ts';
import { HashingQueue } from './hashing-queue.ts';
import type { AccessOptions, Account } from './options.ts';
import { type PasswordFile, readPasswordFile } from './password-file.ts';
import { decoyOf, type PasswordHash, verifyPassword } from './password-hash.ts';

/** createAuthorizer decides by the ACL file, which it reads now (throws OperatorError with all its mistakes); null without one: everything is allowed. */
export function createAuthorizer({ aclFile }: Pick<AccessOptions, 'aclFile'>): Authorizer | null {
  return aclFile === null ? null : new AclAuthorizer(readAclFile(aclFile));
}

const NO_USERS: PasswordFile = new Map();

/**
 * createAuthenticator decides by the configuration's account and by the password file, which it reads now (throws OperatorError with file:line).
 * A client without a user name is welcome where its listener allows anonymous clients; a verified certificate identity needs no password.
 */
export function createAuthenticator(options: Pick<AccessOptions, 'account' | 'passwordFile'>): Authenticator {
  const users = options.passwordFile === null ? NO_USERS : readPasswordFile(options.passwordFile);
  return new PasswordAuthenticator(options.account, users, options.account !== null || options.passwordFile !== null);
}

class PasswordAuthenticator implements Authenticator {
  readonly #account: Account | null;
  readonly #users: PasswordFile;
  readonly #hasAccounts: boolean;
  /** What unknown users are checked against, so that the time taken does not tell who exists. */
  readonly #decoy: PasswordHash | null;
  readonly #queue = new HashingQueue();
  readonly #hmacKey = randomBytes(32);
  /** Keyed digest of the last good password per user: a house that reconnects after a power cut need not hash 200 times. */
  readonly #verified = new Map<string, Buffer>();

  constructor(account: Account | null, users: PasswordFile, hasAccounts: boolean) {
    this.#account = account;
    this.#users = users;
    this.#hasAccounts = hasAccounts;
    const [first] = users.values();
    this.#decoy = first === undefined ? null : decoyOf(first);
  }

  authenticate(credentials: Credentials): AuthenticationVerdict | Promise<AuthenticationVerdict> {
    const { username, password, origin } = credentials;
    if (origin.identity !== null) return 'accepted';
    if (username === null) return origin.policy.allowAnonymous ? 'accepted' : 'not authorised';
    if (!this.#hasAccounts) return origin.policy.allowAnonymous ? 'accepted' : 'not authorised';
    if (password === null) return 'bad credentials';
    return this.#checkPassword(username, password);
  }

  #checkPassword(username: string, password: Buffer): AuthenticationVerdict | Promise<AuthenticationVerdict> {
    const digest = this.#digest(password);
    const isAccount = this.#account?.username === username;
    const expected = isAccount ? this.#digest(this.#account.password) : this.#verified.get(username);
    if (timingSafeEqual(digest, expected ?? this.#hmacKey) && expected !== undefined) return 'accepted';
    const stored = isAccount ? undefined : this.#users.get(username);
    const hash = stored ?? this.#decoy;
    return hash === null ? 'bad credentials' : this.#checkHash(username, password, hash, digest, stored !== undefined);
  }

  async #checkHash(
    username: string,
    password: Buffer,
    hash: PasswordHash,
    digest: Buffer,
    isKnown: boolean,
  ): Promise<AuthenticationVerdict> {
    const fits = await this.#queue.run(() => verifyPassword(hash, password));
    if (fits === null) return 'unavailable';
    if (!fits || !isKnown) return 'bad credentials';
    this.#verified.set(username, digest);
    return 'accepted';
  }

  #digest(password: Buffer | string): Buffer {
    return createHmac('sha256', this.#hmacKey).update(password).digest();
  }
}
