// Door of access: who may connect, and what they may do.

import { systemClock } from '../base/clock.ts';
import type { Authenticator } from '../broker/ports.ts';
import { type Bounds, type KnownClient, PasswordAuthenticator } from './authenticator.ts';
import { EVERYTHING, type ExplainedAuthorizer } from './decision.ts';
import type { ClientState, DynamicSecurity } from './dynamic-security/dynamic-security.ts';
import { UNKNOWN_USERS } from './dynamic-security/rules.ts';
import { type FileRules, readFileRules } from './file-rules.ts';
import { HashingQueue } from './hashing-queue.ts';
import { ListenerAuthenticator } from './listener-access.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { AccessOptions } from './options.ts';
import { readPasswordFile } from './password-file.ts';
import { RefusalPacer } from './refusal-pacer.ts';

/** FileOptions are those that createAccess reads. */
type FileOptions = Omit<AccessOptions, 'loginThrottle' | 'dynamicSecurity'>;

/** createBounds makes what all share who check passwords: they bound what the machine does. */
export function createBounds(): Bounds {
  return { queue: new HashingQueue(), pace: new RefusalPacer(systemClock) };
}

/** createAccess reads all files now; throws OperatorError with all the mistakes of one. `throttle` is the one of the whole life of the program, or null for none. */
export function createAccess(
  options: FileOptions,
  throttle: LoginThrottle | null = null,
  dynamic: DynamicSecurity | null = null,
  bounds = createBounds(),
): Access {
  const { account, listeners } = options;
  const passwords = createPasswords(options, throttle, bounds);
  const rules = readFileRules(options, dynamic === null ? EVERYTHING : UNKNOWN_USERS);
  if (dynamic === null) return new Access({ ...passwords, ...rules }, null);
  const hasOthers = account !== null || [options, ...(listeners?.values() ?? [])].some(({ passwordFile }) => passwordFile !== null);
  const authenticator = dynamic.authenticator(passwords.authenticator, hasOthers);
  const authorizer = dynamic.authorizer(rules.authorizer);
  return new Access({ ...passwords, ...rules, authenticator, authorizer }, dynamic);
}

function createPasswords(
  options: FileOptions,
  throttle: LoginThrottle | null,
  bounds: Bounds,
): Pick<Parts, 'authenticator' | 'passwords' | 'passwordsOf'> {
  const { account, listeners } = options;
  const passwords = remembering(
    (path) => new PasswordAuthenticator(account, path === null ? null : readPasswordFile(path), throttle, bounds),
  );
  if (listeners === null) {
    const authenticator = passwords(options.passwordFile);
    return { authenticator, passwords: [authenticator], passwordsOf: () => authenticator };
  }
  const byListener = new Map(Array.from(listeners, ([name, { passwordFile }]) => [name, passwords(passwordFile)]));
  return {
    authenticator: new ListenerAuthenticator(byListener),
    passwords: [...byListener.values()],
    passwordsOf: (listener) => byListener.get(listener) ?? null,
  };
}

/** What an Access is made of. */
interface Parts extends FileRules {
  readonly authenticator: Authenticator;
  /** Those of all listeners. */
  readonly passwords: readonly PasswordAuthenticator[];
  readonly passwordsOf: (listener: string) => PasswordAuthenticator | null;
}

/** Access is what is in force: it answers the engine, and the operator's questions about it. Never changed: a reload makes another. */
export class Access {
  readonly authenticator: Authenticator;
  /** Null = everybody may read and write every topic. */
  readonly authorizer: ExplainedAuthorizer | null;
  /** aclOf gives the ACL file of a listener, or null. */
  readonly aclOf: Parts['aclOf'];
  readonly #passwords: Parts['passwords'];
  readonly #passwordsOf: Parts['passwordsOf'];
  readonly #dynamic: DynamicSecurity | null;

  constructor({ authenticator, authorizer, aclOf, passwords, passwordsOf }: Parts, dynamic: DynamicSecurity | null) {
    this.authenticator = authenticator;
    this.authorizer = authorizer;
    this.aclOf = aclOf;
    this.#passwords = passwords;
    this.#passwordsOf = passwordsOf;
    this.#dynamic = dynamic;
  }

  /** dynamicUsers are the clients of dynamic security that can sign in. */
  get dynamicUsers(): readonly string[] {
    return this.#dynamic?.users ?? [];
  }

  /** dynamicStateOf tells what dynamic security knows of a user; null = it is not turned on. */
  dynamicStateOf(username: string): ClientState | null {
    return this.#dynamic?.stateOf(username) ?? null;
  }

  /** knows tells whether a user has an account at a listener: for the operator, never for a client. */
  knows(listener: string, username: string): boolean {
    return this.#dynamic?.knows(username) === true || (this.#passwordsOf(listener)?.knows(username) ?? false);
  }

  /** isLocked tells whether an account of a password file is locked at a listener: for the operator, never for a client. */
  isLocked(listener: string, username: string): boolean {
    return this.#dynamic?.knows(username) !== true && (this.#passwordsOf(listener)?.isLocked(username) ?? false);
  }

  /** secretOf is another text when a user of a listener has another password, and null when it can't sign in. Never shown. */
  secretOf(listener: string, username: string): string | null {
    if (this.#dynamic?.knows(username)) return this.#dynamic.secretOf(username);
    return this.#passwordsOf(listener)?.secretOf(username) ?? null;
  }

  /** hasOtherPassword tells whether a user of the files has another one than `before`, at any listener. Dynamic security tells of its own. */
  hasOtherPassword(username: string, before: Access): boolean {
    const secrets = (of: Access) => [...new Set(of.#passwords.map((each) => each.secretOf(username)))].sort().join('\n');
    return secrets(this) !== secrets(before);
  }

  /** keeps tells whether a client that `before` let in would still come in. Dynamic security disconnects its own clients itself. */
  keeps(client: KnownClient, before: Access): boolean {
    if (client.username !== null && this.#dynamic?.knows(client.username)) return true;
    const { name } = client.policy;
    return this.#passwordsOf(name)?.keeps(client, before.#passwordsOf(name)) ?? false;
  }
}

/** A file that several listeners have is read once. */
function remembering<Made>(make: (path: string | null) => Made): (path: string | null) => Made {
  const made = new Map<string | null, Made>();
  return (path) => {
    const known = made.get(path);
    if (known !== undefined) return known;
    const fresh = make(path);
    made.set(path, fresh);
    return fresh;
  };
}
