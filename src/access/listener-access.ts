// Accounts and rules of each listener (`per_listener_settings true`): who is asked depends on the listener that a client came through.

import type { AuthenticationVerdict, Authenticator, Authorizer, Credentials, Requester } from '../broker/ports.ts';

/** ListenerAuthenticator asks the authenticator of the listener, by `ListenerPolicy.name`. */
export class ListenerAuthenticator implements Authenticator {
  readonly #listeners: ReadonlyMap<string, Authenticator>;

  constructor(listeners: ReadonlyMap<string, Authenticator>) {
    this.#listeners = listeners;
  }

  authenticate(credentials: Credentials): AuthenticationVerdict | Promise<AuthenticationVerdict> {
    return this.#listeners.get(credentials.origin.policy.name)?.authenticate(credentials) ?? 'not authorised';
  }
}

/** ListenerAuthorizer asks the authorizer of the listener; null = everything is allowed there. A client whose listener is gone may do nothing until it comes through another. */
export class ListenerAuthorizer implements Authorizer {
  readonly #listeners: ReadonlyMap<string, Authorizer | null>;

  constructor(listeners: ReadonlyMap<string, Authorizer | null>) {
    this.#listeners = listeners;
  }

  mayPublish(requester: Requester, topicName: string): boolean {
    const authorizer = this.#listeners.get(requester.listener);
    return authorizer === undefined ? false : authorizer === null || authorizer.mayPublish(requester, topicName);
  }

  mayReceive(requester: Requester, topicName: string): boolean {
    const authorizer = this.#listeners.get(requester.listener);
    return authorizer === undefined ? false : authorizer === null || authorizer.mayReceive(requester, topicName);
  }

  maySubscribe(requester: Requester, topicFilter: string): boolean {
    const authorizer = this.#listeners.get(requester.listener);
    return authorizer === undefined ? false : authorizer === null || authorizer.maySubscribe(requester, topicFilter);
  }
}
