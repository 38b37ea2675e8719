// What the engine can be told. Defaults are mosquitto 2.1's, so that nobody who switches notices.

import type { DirectWriter, Framing } from './transport.ts';

/** BrokerOptions hold for the whole broker. A limit of 0 means "no limit" unless its line says otherwise. */
export interface BrokerOptions {
  /** Seconds; a larger keep alive is lowered (v5) or refused (v3). 0 = any. */
  readonly maxKeepalive: number;
  /** Bytes of a whole packet that a client may send. */
  readonly maxPacketSize: number;
  /** Bytes of payload; over it the message is dropped but its flow completed. */
  readonly messageSizeLimit: number;
  /** Outgoing QoS 1 and 2 messages in flight to one client; also the Receive Maximum we announce. */
  readonly maxInflightMessages: number;
  readonly maxInflightBytes: number;
  /** Messages and bytes queued for one client beyond those in flight. */
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
  /** Bytes of all that is kept for clients; null = no limit. A quarter of it may wait to be read by them besides. */
  readonly memoryLimit: number | null;
  /** Subscriptions of one client; some 350 bytes each, and the filter. */
  readonly maxSubscriptions: number;
  /** Shared subscriptions of one client: each message goes through every group that it matches. */
  readonly maxSharedSubscriptions: number;
  /** Levels of one client's filters from their first `+` on, all together: as many places the walk for one topic name may have to look at. */
  readonly maxWildcardLevels: number;
  readonly queueQos0Messages: boolean;
  readonly upgradeOutgoingQos: boolean;
  readonly allowDuplicateMessages: boolean;
  readonly retainAvailable: boolean;
  readonly checkRetainSource: boolean;
  /** Seconds between sweeps for expired retained messages; 0 = never. */
  readonly retainExpiryInterval: number;
  /** How long retained messages are kept at most; the first that matches counts. */
  readonly retainedLifetimes: readonly RetainedLifetime[];
  /** Seconds a disconnected session is kept at most; null = as long as it asks. */
  readonly persistentClientExpiration: number | null;
  /** Sessions, connected or kept; -1 = no limit. */
  readonly globalMaxClients: number;
  /** Connected clients; -1 = no limit. */
  readonly globalMaxConnections: number;
  readonly clientidPrefixes: string | null;
  readonly connectionMessages: boolean;
  /** Seconds between $SYS updates; 0 = no $SYS. */
  readonly sysInterval: number;
  /** Seconds a connection may stay without a CONNECT. */
  readonly connectTimeout: number;
  /** Bytes waiting for one slow client before its QoS 0 messages are dropped. */
  readonly maxOutgoingBytes: number;
}

/** RetainedLifetime is how long retained messages of a filter are kept. */
export interface RetainedLifetime {
  readonly topicFilter: string;
  readonly seconds: number;
}

/** DEFAULT_BROKER_OPTIONS are mosquitto 2.1's defaults where it has one. */
export const DEFAULT_BROKER_OPTIONS: BrokerOptions = {
  maxKeepalive: 0,
  maxPacketSize: 2_000_000,
  messageSizeLimit: 0,
  maxInflightMessages: 20,
  maxInflightBytes: 0,
  maxQueuedMessages: 1000,
  maxQueuedBytes: 0,
  memoryLimit: null,
  maxSubscriptions: 50_000,
  maxSharedSubscriptions: 100,
  maxWildcardLevels: 10_000,
  queueQos0Messages: false,
  upgradeOutgoingQos: false,
  allowDuplicateMessages: false,
  retainAvailable: true,
  checkRetainSource: true,
  retainExpiryInterval: 0,
  retainedLifetimes: [],
  persistentClientExpiration: null,
  globalMaxClients: -1,
  globalMaxConnections: -1,
  clientidPrefixes: null,
  connectionMessages: true,
  sysInterval: 10,
  connectTimeout: 30,
  maxOutgoingBytes: 1_048_576,
};

/** RECEIVE_MAXIMUM_LIMIT is also the Receive Maximum of who names none (3.1.2.11.3): there are no more packet identifiers. */
export const RECEIVE_MAXIMUM_LIMIT = 65_535;

/** receiveMaximumOf gives the Receive Maximum that the broker announces. */
export function receiveMaximumOf({ maxInflightMessages: own }: BrokerOptions): number {
  return own === 0 ? RECEIVE_MAXIMUM_LIMIT : Math.min(own, RECEIVE_MAXIMUM_LIMIT);
}

/** CLUSTER_LISTENER is the listener of the other brokers of a cluster: a message that came by it does not leave by it. */
export const CLUSTER_LISTENER = 'cluster';

/** ListenerPolicy is what the engine obeys for the connections of one listener. */
export interface ListenerPolicy {
  /** Tells the listener from others, also after a restart: `1883`, `1883 192.168.1.2`, or the path of a Unix socket. */
  readonly name: string;
  /** Port as it is written in log lines; 0 for a Unix socket. */
  readonly port: number;
  readonly allowAnonymous: boolean;
  /** Versions by protocol level: 3 = 3.1, 4 = 3.1.1, 5 = 5. */
  readonly acceptProtocolVersions: readonly (3 | 4 | 5)[];
  /** Clients may come without an id. */
  readonly allowZeroLengthClientid: boolean;
  readonly autoIdPrefix: string;
  readonly maxQos: 0 | 1 | 2;
  /** Topic aliases a client may set (inbound) and we may set (outbound). */
  readonly maxTopicAlias: number;
  readonly maxTopicAliasBroker: number;
  /** Prefix of all topics of its clients; '' = none. */
  readonly mountPoint: string;
  readonly useUsernameAsClientid: boolean;
  /** QoS 1 and 2 messages that a client may send unacknowledged. Absent = as many as `maxInflightMessages`. */
  readonly receiveMaximum?: number;
}

export const DEFAULT_LISTENER_POLICY: ListenerPolicy = {
  name: '1883',
  port: 1883,
  allowAnonymous: false,
  acceptProtocolVersions: [3, 4, 5],
  allowZeroLengthClientid: true,
  autoIdPrefix: 'auto-',
  maxQos: 2,
  maxTopicAlias: 10,
  maxTopicAliasBroker: 10,
  mountPoint: '',
  useUsernameAsClientid: false,
};

/** ConnectionOrigin says where a network connection comes from: a listener hands it over with the stream. */
export interface ConnectionOrigin {
  /** Remote address as text, '' for a Unix socket. */
  readonly address: string;
  readonly port: number;
  readonly policy: ListenerPolicy;
  /** User name taken from a verified client certificate, or null. */
  readonly identity: string | null;
  /** True = the other end is a part of this program: the log is not told that it comes and goes. */
  readonly isOwn?: boolean;
  /** review asks the listener anew: the policy that it has now, or null when this connection would not come in any more. Absent = nobody to ask. */
  readonly review?: () => ListenerPolicy | null;
  /** signedIn is told when its CONNECT is accepted. Absent = nobody waits for it. */
  readonly signedIn?: () => void;
  /** How the transport wraps each packet that is written; absent = not at all. */
  readonly framing?: Framing;
  /** A shorter way for what is written, past the stream; absent = there is none. */
  readonly direct?: DirectWriter | null;
  /** As negotiated, for example { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }; null without TLS. */
  readonly tls: { readonly version: string; readonly cipher: string } | null;
}
