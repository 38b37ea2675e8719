// What the engine needs of the rest of the house. An absent port is null, decided when the configuration is read.

import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { RefusalReason } from '../base/refusal-reason.ts';
import type { ReasonCode } from '../mqtt/reason-codes.ts';
import type { ConnectionOrigin } from './options.ts';

/** Credentials are what a CONNECT brings. `password` is bytes, never text, and never logged. */
export interface Credentials {
  readonly clientId: string;
  readonly username: string | null;
  readonly password: Buffer | null;
  readonly origin: ConnectionOrigin;
}

/**
 * AuthenticationVerdict: 'not authorised' is for who may not come at all, 'bad credentials' for a wrong name or password, 'locked' for the right
 * ones of an account that lets nobody in, 'held' for one refused unseen after too many wrong ones. A client cannot tell 'locked' from 'bad credentials'.
 */
export type AuthenticationVerdict = 'accepted' | 'bad credentials' | 'locked' | 'not authorised' | 'held' | 'unavailable';

/** Authenticator decides who may connect. It may take its time: the connection waits. */
export interface Authenticator {
  authenticate(credentials: Credentials): AuthenticationVerdict | Promise<AuthenticationVerdict>;
  /** hasAccount tells whether a user can still sign in at a listener: then nobody else takes over what is its own, and its share of the memory is its own. Absent = that cannot be told. */
  hasAccount?(listener: string, username: string): boolean;
}

/** ClientIdClaim is what a CONNECT that the authenticator has accepted says of its client id. */
export interface ClientIdClaim extends Requester {
  /** The listener has checked the user name. */
  readonly isProven: boolean;
  readonly cleanStart: boolean;
}

/** Claimant is the connection that waits for it, one of several perhaps. `clientReady` is emitted with the one that has got it. */
export interface Claimant {
  /** disconnect ends it: the client has connected again since, here or elsewhere. */
  disconnect(reason: ReasonCode): void;
  /** whenClosed calls back once the connection is gone. */
  whenClosed(listener: () => void): void;
}

/** ClaimVerdict: 'taken' = the client has connected elsewhere since; 'of another' = the client id belongs to another user there; 'no room' = its session there is too large for memory_limit here. */
export type ClaimVerdict = 'granted' | 'taken' | 'of another' | 'no room';

/** ClientIdClaims has several brokers agree to which of them a client id, and its session, belongs. */
export interface ClientIdClaims {
  /** claim brings the client's session here, if it is elsewhere. Null = granted at once. The promise never rejects, and ends after seconds at most. */
  claim(claim: ClientIdClaim, claimant: Claimant): Promise<ClaimVerdict> | null;
}

/** Requester is who asks: the client as the authorizer sees it. */
export interface Requester {
  readonly clientId: string;
  readonly username: string | null;
  /** Name of the listener that the client came through last, `ListenerPolicy.name`; '' = it is not known. */
  readonly listener: string;
}

/** Authorizer decides what a client may do. Synchronous: it is asked on the message path. */
export interface Authorizer {
  mayPublish(requester: Requester, topicName: string): boolean;
  mayReceive(requester: Requester, topicName: string): boolean;
  maySubscribe(requester: Requester, topicFilter: string): boolean;
  /** Absent = everybody may. */
  mayUnsubscribe?(requester: Requester, topicFilter: string): boolean;
}

/** RemoteEnd is where a connection comes from, and the listener that it came to. */
export type RemoteEnd = Pick<ConnectionOrigin, 'address' | 'port' | 'policy'>;

/** Refusal is a client that was turned away, or a message that was not taken. It may hold what is never told to the client. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly from: RemoteEnd;
  /** '' = it did not come so far as to say it. */
  readonly clientId: string;
  readonly username: string | null;
  /** Only for the cause 'topic'. */
  readonly topicName: string | null;
}

/** ConnectedClient is who a client is once it is let in. */
export interface ConnectedClient {
  readonly clientId: string;
  readonly username: string | null;
}

/** LetInClient is one that is let in now; `isProven` = its user name is an account's, and was checked. */
export interface LetInClient extends ConnectedClient {
  readonly isProven: boolean;
}

/** RefusalLog remembers for people what went wrong. It is told of rare things only, never of a message that is taken. Must not throw. */
export interface RefusalLog {
  refused(refusal: Refusal): void;
  /** connected is told of every accepted CONNECT; `takenFrom` is the end whose session it takes over, if that was still connected. */
  connected(client: LetInClient, from: RemoteEnd, takenFrom: RemoteEnd | null): void;
}

/** ControlPort takes what clients publish to `$CONTROL/...` and may publish there. Must not throw. */
export interface ControlPort {
  take(asker: Requester, topicName: string, payload: Buffer): void;
}

/** BrokerPorts are handed over at creation. */
export interface BrokerPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly authenticator: Authenticator | null;
  readonly authorizer: Authorizer | null;
  /** Opens the store at start; null = nothing outlives the process. */
  readonly openStore: (() => Promise<SessionStore>) | null;
  readonly refusals: RefusalLog | null;
  /** Null = requests to the broker are taken, and nobody answers. */
  readonly control?: ControlPort | null;
  /** Wills of clients that a power cut has disconnected wait until somebody says which of them another broker has said. Absent = no. */
  readonly holdsWills?: boolean;
}

/** StoredMessage is an application message as it is kept. `key` names it among all kept messages: deliveries of one message share it. */
export interface StoredMessage {
  readonly key: number;
  readonly topicName: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** MQTT 5 properties as they are forwarded, encoded without their length; empty = none. */
  readonly properties: Buffer;
  /** Milliseconds since 1970, 0 = never. */
  readonly expiresAt: number;
  /** Who published it, for `check_retain_source`; null = the broker itself. */
  readonly source: Requester | null;
}

/** StoredDelivery is one message on its way to one kept session; `order` names it within the session and is its place in the queue. */
export interface StoredDelivery {
  readonly order: number;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly shared: boolean;
  readonly identifiers: readonly number[] | null;
  /** 0 while queued. */
  readonly packetId: number;
  readonly state: DeliveryState;
}

/** DeliveryState: 'released' = QoS 2, the client has it (PUBREC came). */
export type DeliveryState = 'queued' | 'sent' | 'released';

/** StoredWill is a will that waits for its delay or for the end of its session; null payload length 0 is a legal will. */
export interface StoredWill {
  readonly topicName: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** Will properties of CONNECT, encoded without their length; empty = none. */
  readonly properties: Buffer;
}

/** StoredSession is a kept session without its lists. Times are wall-clock, so that they count while the power is off. */
export interface StoredSession {
  readonly clientId: string;
  readonly username: string | null;
  /** As in Requester. */
  readonly listener: string;
  readonly version: 3 | 4 | 5;
  /** Seconds; 0xFFFFFFFF = never. */
  readonly expiryInterval: number;
  /** Milliseconds since 1970; null = connected when this was written. */
  readonly disconnectedAt: number | null;
  readonly will: StoredWill | null;
}

/** StoredSubscription: `topicFilter` as the client sent it, `mountedFilter` without `$share/GROUP/` and with the mount point. */
export interface StoredSubscription {
  readonly topicFilter: string;
  readonly mountedFilter: string;
  readonly group: string | null;
  readonly qos: 0 | 1 | 2;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly identifier: number;
}

/** LoadedSession is what start-up finds of one session. */
export interface LoadedSession {
  readonly session: StoredSession;
  readonly subscriptions: readonly StoredSubscription[];
  /** In order. */
  readonly deliveries: readonly { readonly delivery: StoredDelivery; readonly message: StoredMessage }[];
  /** QoS 2 messages received and not yet released: packet identifier and digest (`digestOf`; 0 = not known). */
  readonly incoming: readonly (readonly [packetId: number, digest: number])[];
  /** Deliveries that stay in the database: their messages have no room. */
  readonly left?: readonly Pick<StoredDelivery, 'order' | 'packetId'>[];
}

/** LoadSink takes what start-up finds, piece by piece: messages shared by several deliveries come as the same object. */
export interface LoadSink {
  /** Bytes of messages that wait for sessions, as many as are given at all; absent = no limit. */
  readonly room?: number;
  retained(message: StoredMessage): void;
  session(loaded: LoadedSession): void;
}

/** RetainedSource is asked for the retained values when more of them changed than a store can note. */
export interface RetainedSource {
  /** All values that are to be kept; they may change while they are told. */
  retained(): Iterable<StoredMessage>;
  /** False only where a topic has no value for certain. */
  hasRetained(topicName: string): boolean;
}

/** Durability is how an asked-for commit ended. 'full' = no space: nothing is lost, but nothing more can be promised now. */
export type Durability = 'durable' | 'full' | 'failed';

/**
 * SessionStore keeps what must survive a power cut. All methods but `load` are synchronous and only note the change; changes are made
 * durable in order, many in one transaction. A delivery that is dropped before it was written is never written, nor is its message.
 */
export interface SessionStore {
  /** The greatest message key ever used. */
  readonly lastMessageKey: number;
  /** The card may hold what `load` could not read. */
  readonly mayHoldMore: boolean;
  /** `source` is asked after the load, whenever that is needed. */
  load(sink: LoadSink, source?: RetainedSource): Promise<void>;
  /** Not `isUrgent`: of a session that ends with its connection, for its will; it may be written behind. */
  saveSession(session: StoredSession, isUrgent?: boolean): void;
  /** Forgets a session and all that hangs on it; after one that was saved and not `isUrgent` it was never saved otherwise. */
  dropSession(clientId: string): void;
  saveSubscription(clientId: string, subscription: StoredSubscription): void;
  dropSubscription(clientId: string, topicFilter: string): void;
  saveDelivery(clientId: string, delivery: StoredDelivery, message: StoredMessage): void;
  updateDelivery(clientId: string, order: number, packetId: number, state: DeliveryState): void;
  dropDelivery(clientId: string, order: number): void;
  saveIncoming(clientId: string, packetId: number, digest: number): void;
  dropIncoming(clientId: string, packetId: number): void;
  /** QoS 0 values may be written behind (`urgent` false): the latest per topic within a second. */
  saveRetained(message: StoredMessage, urgent: boolean): void;
  dropRetained(topicName: string, urgent: boolean): void;
  /**
   * whenDurable calls back once everything noted so far is on the card, or cannot be. Callbacks come in the order of asking. Unless it
   * `isUrgent`, what clients that are online will acknowledge at any moment is waited for a little: then it need not be written.
   */
  whenDurable(callback: (outcome: Durability) => void, isUrgent?: boolean): void;
}
