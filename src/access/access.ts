// Door of access: who may connect, and what they may do.

import { systemClock } from '../base/clock.ts';
import type { Authenticator, Authorizer } from '../broker/ports.ts';
import { AclAuthorizer } from './acl.ts';
import { readAclFile } from './acl-file.ts';
import { type Bounds, type KnownClient, PasswordAuthenticator } from './authenticator.ts';
import type { DynamicSecurity } from './dynamic-security/dynamic-security.ts';
import { HashingQueue } from './hashing-queue.ts';
import { ListenerAuthenticator, ListenerAuthorizer } from './listener-access.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { AccessFiles, AccessOptions } from './options.ts';
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
  const made = createFileAccess(options, throttle, bounds);
  if (dynamic === null) return new Access(made, null);
  const hasOthers = account !== null || [options, ...(listeners?.values() ?? [])].some(({ passwordFile }) => passwordFile !== null);
  const authenticator = dynamic.authenticator(made.authenticator, hasOthers);
  return new Access({ ...made, authenticator, authorizer: dynamic.authorizer(made.authorizer) }, dynamic);
}

function createFileAccess(options: FileOptions, throttle: LoginThrottle | null, bounds: Bounds): Parts {
  const { account, listeners } = options;
  const passwords = remembering(
    (path) => new PasswordAuthenticator(account, path === null ? null : readPasswordFile(path), throttle, bounds),
  );
  const acls = remembering((path) => (path === null ? null : new AclAuthorizer(readAclFile(path))));
  if (listeners === null) {
    const [authenticator, acl] = [passwords(options.passwordFile), acls(options.aclFile)];
    return { authenticator, authorizer: acl, aclOf: () => acl, passwordsOf: () => authenticator };
  }
  const each = <Made>(make: (files: AccessFiles) => Made) => new Map(Array.from(listeners, ([name, files]) => [name, make(files)]));
  const byListener = each(({ passwordFile }) => passwords(passwordFile));
  const rules = each(({ aclFile }) => acls(aclFile));
  return {
    authenticator: new ListenerAuthenticator(byListener),
    authorizer: new ListenerAuthorizer(rules),
    aclOf: (listener) => rules.get(listener) ?? null,
    passwordsOf: (listener) => byListener.get(listener) ?? null,
  };
}

/** What an Access is made of. */
interface Parts {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer | null;
  readonly aclOf: (listener: string) => AclAuthorizer | null;
  readonly passwordsOf: (listener: string) => PasswordAuthenticator | null;
}

/** Access is what is in force: it answers the engine, and the operator's questions about it. Never changed: a reload makes another. */
export class Access {
  readonly authenticator: Authenticator;
  /** Null = everybody may read and write every topic. */
  readonly authorizer: Authorizer | null;
  /** aclOf gives the rules of a listener; null = there are none. */
  readonly aclOf: Parts['aclOf'];
  readonly #passwordsOf: Parts['passwordsOf'];
  readonly #dynamic: DynamicSecurity | null;

  constructor({ authenticator, authorizer, aclOf, passwordsOf }: Parts, dynamic: DynamicSecurity | null) {
    this.authenticator = authenticator;
    this.authorizer = authorizer;
    this.aclOf = aclOf;
    this.#passwordsOf = passwordsOf;
    this.#dynamic = dynamic;
  }

  /** knows tells whether a user has an account at a listener: for the operator, never for a client. */
  knows(listener: string, username: string): boolean {
    return this.#dynamic?.knows(username) === true || (this.#passwordsOf(listener)?.knows(username) ?? false);
  }

  /** secretOf is another text when a user of a listener has another password, and null when it can't sign in. Never shown. */
  secretOf(listener: string, username: string): string | null {
    if (this.#dynamic?.knows(username)) return this.#dynamic.secretOf(username);
    return this.#passwordsOf(listener)?.secretOf(username) ?? null;
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
