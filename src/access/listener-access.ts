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

  hasAccount(listener: string, username: string): boolean {
    return this.#listeners.get(listener)?.hasAccount?.(listener, username) ?? false;
  }
}

const EVERYTHING: Authorizer = { mayPublish: () => true, mayReceive: () => true, maySubscribe: () => true };
const NOTHING: Authorizer = { mayPublish: () => false, mayReceive: () => false, maySubscribe: () => false };

/** ListenerAuthorizer asks the authorizer of the listener; null = everything is allowed there. A client whose listener is gone may do nothing until it comes through another. */
export class ListenerAuthorizer implements Authorizer {
  readonly #listeners: ReadonlyMap<string, Authorizer>;

  constructor(listeners: ReadonlyMap<string, Authorizer | null>) {
    this.#listeners = new Map(Array.from(listeners, ([name, authorizer]) => [name, authorizer ?? EVERYTHING]));
  }

  mayPublish(requester: Requester, topicName: string): boolean {
    return this.#rulesFor(requester).mayPublish(requester, topicName);
  }

  mayReceive(requester: Requester, topicName: string): boolean {
    return this.#rulesFor(requester).mayReceive(requester, topicName);
  }

  maySubscribe(requester: Requester, topicFilter: string): boolean {
    return this.#rulesFor(requester).maySubscribe(requester, topicFilter);
  }

  #rulesFor({ listener }: Requester): Authorizer {
    return this.#listeners.get(listener) ?? NOTHING;
  }
}
