// Accounts and rules of each listener (`per_listener_settings true`): who is asked depends on the listener that a client came through.

import type { AuthenticationVerdict, Authenticator, Credentials, Requester } from '../broker/ports.ts';
import {
  type Action,
  type Arriving,
  type AskedClient,
  type ConcernedNames,
  constantAuthorizer,
  type Decision,
  type ExplainedAuthorizer,
} from './decision.ts';

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

const NOTHING = constantAuthorizer({ allowed: false, reason: 'listener gone' });

/** ListenerAuthorizer asks the authorizer of the listener. A client whose listener is gone may do nothing until it comes through another. */
export class ListenerAuthorizer implements ExplainedAuthorizer {
  readonly #listeners: ReadonlyMap<string, ExplainedAuthorizer>;

  constructor(listeners: ReadonlyMap<string, ExplainedAuthorizer>) {
    this.#listeners = listeners;
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

  explain(client: AskedClient, action: Action, topic: string): Decision {
    return this.#rulesFor(client).explain(client, action, topic);
  }

  arriving(client: AskedClient, topicFilter: string): Arriving {
    return this.#rulesFor(client).arriving(client, topicFilter);
  }

  namesAbout(listener: string, topicName: string): ConcernedNames {
    return this.#rulesFor({ listener }).namesAbout(listener, topicName);
  }

  #rulesFor({ listener }: Pick<Requester, 'listener'>): ExplainedAuthorizer {
    return this.#listeners.get(listener) ?? NOTHING;
  }
}
