// Checks user names and passwords: quickly where it can, and the same for users that there are and users that there are not.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { laneOf } from '../base/networks.ts';
import type { ListenerPolicy } from '../broker/options.ts';
import type { AuthenticationVerdict, Authenticator, Credentials } from '../broker/ports.ts';
import type { HashingQueue } from './hashing-queue.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { Account } from './options.ts';
import type { PasswordFile } from './password-file.ts';
import { decoyOf, type PasswordHash, verifyPassword } from './password-hash.ts';
import type { RefusalPacer } from './refusal-pacer.ts';

/** KnownClient is one that is connected; `policy` is that of its listener now. */
export interface KnownClient {
  readonly username: string | null;
  readonly identity: string | null;
  readonly policy: ListenerPolicy;
}

/** Bounds are what all share who ask. */
export interface Bounds {
  readonly queue: HashingQueue;
  readonly pace: RefusalPacer;
}

/** PasswordAuthenticator decides by one account of the configuration, the users of a password file, and the listener. */
export class PasswordAuthenticator implements Authenticator {
  readonly #account: Account | null;
  readonly #users: PasswordFile;
  readonly #hasAccounts: boolean;
  readonly #throttle: LoginThrottle | null;
  /** What unknown users are checked against comes from these. */
  readonly #hashes: readonly PasswordHash[];
  readonly #queue: HashingQueue;
  readonly #pace: RefusalPacer;
  readonly #hmacKey = randomBytes(32);
  /** Keyed digest of the last good password per user: a house that reconnects after a power cut need not hash 200 times. */
  readonly #verified = new Map<string, Buffer>();

  /** `users` null = there is no password file. */
  constructor(account: Account | null, users: PasswordFile | null, throttle: LoginThrottle | null, bounds: Bounds) {
    this.#queue = bounds.queue;
    this.#pace = bounds.pace;
    this.#account = account;
    this.#users = users ?? new Map();
    this.#hasAccounts = account !== null || users !== null;
    this.#throttle = throttle;
    this.#hashes = Array.from(this.#users.values(), ({ hash }) => hash);
  }

  /** knows tells whether a user has an account: for the operator, never for a client. */
  knows(username: string): boolean {
    return this.#account?.username === username || this.#users.has(username);
  }

  /** isLocked tells whether an account is there and lets nobody in: for the operator, never for a client. */
  isLocked(username: string): boolean {
    return this.#account?.username !== username && this.#users.get(username)?.isLocked === true;
  }

  /** hasAccount is the engine's word for `knows`; which listener it is was decided before. */
  hasAccount(_listener: string, username: string): boolean {
    return this.knows(username);
  }

  /** keeps tells whether a client that `before` let in would still come in: nobody keeps its password, so that must be as it was. Null = its listener is new. */
  keeps(client: KnownClient, before: PasswordAuthenticator | null): boolean {
    const { username, identity, policy } = client;
    if (identity !== null) return !this.isLocked(identity);
    if (username === null || !this.#hasAccounts) return policy.allowAnonymous;
    const secret = this.secretOf(username);
    return secret !== null && before !== null && secret === before.secretOf(username);
  }

  /** secretOf is another text when a user has another password; null = there is no such user, or it is locked. Never shown. */
  secretOf(username: string): string | null {
    if (this.#account?.username === username) return this.#account.password;
    const stored = this.#users.get(username);
    return stored === undefined || stored.isLocked ? null : JSON.stringify(stored.hash);
  }

  authenticate(credentials: Credentials): AuthenticationVerdict | Promise<AuthenticationVerdict> {
    const { username, password, origin } = credentials;
    if (origin.identity !== null) return this.isLocked(origin.identity) ? 'locked' : 'accepted';
    if (username === null) return origin.policy.allowAnonymous ? 'accepted' : 'not authorised';
    if (!this.#hasAccounts) return origin.policy.allowAnonymous ? 'accepted' : 'not authorised';
    if (password === null || password.length === 0) return 'bad credentials'; // an empty one opens nothing, as in mosquitto
    const quick = this.#checkQuickly(origin.address, username, password);
    if (quick === 'held') return this.#inTurn(quick);
    return quick ?? this.#waitAndCheck(origin.address, username, password);
  }

  /** Gives the verdict where no hash is needed for it, or null. */
  #checkQuickly(address: string, username: string, password: Buffer): AuthenticationVerdict | null {
    if (this.#throttle?.isHeld(address, username)) return 'held';
    const expected = this.#account?.username === username ? this.#digest(this.#account.password) : this.#verified.get(username);
    const fits = timingSafeEqual(this.#digest(password), expected ?? this.#hmacKey) && expected !== undefined;
    if (fits) this.#throttle?.succeeded(address, username);
    if (fits) return 'accepted';
    if (this.#hashes.length > 0) return null;
    this.#throttle?.failed(address, username);
    return 'bad credentials';
  }

  /** While a login waits, others may have been wrong, or right with the same password: so it is looked at anew. */
  async #waitAndCheck(address: string, username: string, password: Buffer): Promise<AuthenticationVerdict> {
    const place = { lane: laneOf(address), isKnown: this.#throttle?.knows(address, username) ?? false };
    const verdict = await this.#queue.run(place, async () => {
      return this.#checkQuickly(address, username, password) ?? this.#checkHash(address, username, password);
    });
    return verdict === 'held' ? this.#inTurn(verdict) : (verdict ?? 'unavailable');
  }

  async #inTurn(verdict: AuthenticationVerdict): Promise<AuthenticationVerdict> {
    await this.#pace.turn();
    return verdict;
  }

  async #checkHash(address: string, username: string, password: Buffer): Promise<AuthenticationVerdict> {
    const stored = this.#account?.username === username ? undefined : this.#users.get(username);
    const fits = await verifyPassword(stored?.hash ?? this.#decoyFor(username), password);
    if (!fits || stored === undefined) {
      this.#throttle?.failed(address, username);
      return 'bad credentials';
    }
    if (stored.isLocked) return 'locked'; // and no guess: it is not to be held when it is unlocked
    this.#verified.set(username, this.#digest(password));
    this.#throttle?.succeeded(address, username);
    return 'accepted';
  }

  /** An unknown user is checked as slowly as some known one, and always as that one: the time taken does not tell who exists. */
  #decoyFor(username: string): PasswordHash {
    const pick = this.#digest(username).readUInt32BE() % this.#hashes.length;
    return decoyOf(this.#hashes[pick]!); // pick < length, and there is one where we come to hashing
  }

  #digest(secret: Buffer | string): Buffer {
    return createHmac('sha256', this.#hmacKey).update(secret).digest();
  }
}
