// What the engine needs of the rest of the house. An absent port is null, decided when the configuration is read.

import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { ConnectionOrigin } from './options.ts';

/** Credentials are what a CONNECT brings. `password` is bytes, never text, and never logged. */
export interface Credentials {
  readonly clientId: string;
  readonly username: string | null;
  readonly password: Buffer | null;
  readonly origin: ConnectionOrigin;
}

/** AuthenticationVerdict: 'not authorised' is for who may not come at all, 'bad credentials' for a wrong name or password. */
export type AuthenticationVerdict = 'accepted' | 'bad credentials' | 'not authorised' | 'unavailable';

/** Authenticator decides who may connect. It may take its time: the connection waits. */
export interface Authenticator {
  authenticate(credentials: Credentials): AuthenticationVerdict | Promise<AuthenticationVerdict>;
}

/** Requester is who asks: the client as the authorizer sees it. */
export interface Requester {
  readonly clientId: string;
  readonly username: string | null;
}

/** Authorizer decides what a client may do. Synchronous: it is asked on the message path. */
export interface Authorizer {
  mayPublish(requester: Requester, topicName: string): boolean;
  mayReceive(requester: Requester, topicName: string): boolean;
  maySubscribe(requester: Requester, topicFilter: string): boolean;
}

/** BrokerPorts are handed over at creation. */
export interface BrokerPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly authenticator: Authenticator | null;
  readonly authorizer: Authorizer | null;
}
