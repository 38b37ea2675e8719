// Lets the broker's test of itself in, whatever passwords and ACL say: one client id with a secret of this process, and one topic for it alone.

import { randomBytes, timingSafeEqual } from 'node:crypto';
import { overruling } from '../broker/authorizers.ts';
import type { Authenticator, Authorizer } from '../broker/ports.ts';

/** A name that begins with $ is in nobody's `#`. */
const TOPIC = '$midge/self-test';

/** SelfTestLogin is made once per process, before the rooms that it opens. */
export class SelfTestLogin {
  readonly clientId = `midge-self-test-${randomBytes(4).toString('hex')}`;
  readonly password = randomBytes(32);
  readonly topicName = TOPIC;
  /** Messages of the test: to the broker, and back. */
  published = 0;
  received = 0;

  /** authenticator lets the pass in and asks the other for everybody else. */
  authenticator(other: Authenticator): Authenticator {
    return {
      authenticate: (credentials) => (this.#isOurs(credentials.password) ? 'accepted' : other.authenticate(credentials)),
      hasAccount: (listener, username) => other.hasAccount?.(listener, username) ?? false,
    };
  }

  /** authorizer gives the topic to the pass alone; null stays null: then everybody may do everything. */
  authorizer(other: Authorizer | null): Authorizer | null {
    if (other === null) return null;
    const may = (clientId: string) => clientId === this.clientId;
    return overruling(other, {
      mayPublish: (requester, name) => (name.endsWith(TOPIC) ? may(requester.clientId) : other.mayPublish(requester, name)),
      mayReceive: (requester, name) => (name.endsWith(TOPIC) ? may(requester.clientId) : other.mayReceive(requester, name)),
      maySubscribe: (requester, filter) => filter === TOPIC || other.maySubscribe(requester, filter),
    });
  }

  #isOurs(password: Buffer | null): boolean {
    return password !== null && password.length === this.password.length && timingSafeEqual(password, this.password);
  }
}
