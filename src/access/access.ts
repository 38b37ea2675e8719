// Door of access: who may connect, and what they may do.

import { systemClock } from '../base/clock.ts';
import type { Authenticator, Authorizer } from '../broker/ports.ts';
import { AclAuthorizer } from './acl.ts';
import { readAclFile } from './acl-file.ts';
import { type KnownClient, PasswordAuthenticator } from './authenticator.ts';
import { HashingQueue } from './hashing-queue.ts';
import { ListenerAuthenticator, ListenerAuthorizer } from './listener-access.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { AccessFiles, AccessOptions } from './options.ts';
import { readPasswordFile } from './password-file.ts';
import { RefusalPacer } from './refusal-pacer.ts';

/** createAccess reads all files now; throws OperatorError with all the mistakes of one. `throttle` is the one of the whole life of the program, or null for none. */
export function createAccess(options: Omit<AccessOptions, 'loginThrottle'>, throttle: LoginThrottle | null = null): Access {
  const { account, listeners } = options;
  const bounds = { queue: new HashingQueue(), pace: new RefusalPacer(systemClock) }; // one for all: they bound what the machine does
  const passwords = remembering(
    (path) => new PasswordAuthenticator(account, path === null ? null : readPasswordFile(path), throttle, bounds),
  );
  const acls = remembering((path) => (path === null ? null : new AclAuthorizer(readAclFile(path))));
  if (listeners === null) {
    const [authenticator, acl] = [passwords(options.passwordFile), acls(options.aclFile)];
    return new Access({ authenticator, authorizer: acl, aclOf: () => acl, passwordsOf: () => authenticator });
  }
  const each = <Made>(make: (files: AccessFiles) => Made) => new Map(Array.from(listeners, ([name, files]) => [name, make(files)]));
  const byListener = each(({ passwordFile }) => passwords(passwordFile));
  const rules = each(({ aclFile }) => acls(aclFile));
  return new Access({
    authenticator: new ListenerAuthenticator(byListener),
    authorizer: new ListenerAuthorizer(rules),
    aclOf: (listener) => rules.get(listener) ?? null,
    passwordsOf: (listener) => byListener.get(listener) ?? null,
  });
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

  constructor({ authenticator, authorizer, aclOf, passwordsOf }: Parts) {
    this.authenticator = authenticator;
    this.authorizer = authorizer;
    this.aclOf = aclOf;
    this.#passwordsOf = passwordsOf;
  }

  /** knows tells whether a user has an account at a listener: for the operator, never for a client. */
  knows(listener: string, username: string): boolean {
    return this.#passwordsOf(listener)?.knows(username) ?? false;
  }

  /** keeps tells whether a client that `before` let in would still come in. */
  keeps(client: KnownClient, before: Access): boolean {
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
