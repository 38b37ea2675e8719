// What the configuration says about the other brokers of a cluster.

/** ClusterOptions: the `cluster` words. */
export interface ClusterOptions {
  /** `HOST:PORT` of NATS servers; the client goes to another when one is away. */
  readonly servers: readonly string[];
  /** Brokers with one name are one cluster: a part of all NATS subjects. */
  readonly name: string;
  /** Of this broker; null = the host name of the machine. */
  readonly id: string | null;
  /** A NATS credentials file, or a file with one line `USER:PASSWORD`, a token or the seed of an nkey; null = NATS lets everybody in. */
  readonly credentialsFile: string | null;
  /** Null = without TLS. */
  readonly tls: { readonly cafile: string | null } | null;
}

/** CLUSTER_ID is what a broker and a cluster may be called: a token of a NATS subject, and a part of a client id. */
export const CLUSTER_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** DEFAULT_CLUSTER_NAME stands in subjects: `midge.main.*`. */
export const DEFAULT_CLUSTER_NAME = 'main';

/** idFromHost makes an id of a host name. */
export function idFromHost(hostName: string): string {
  return hostName.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 64) || 'midge';
}

/** sessionTo is the client id of the session in which messages for a peer wait. */
export function sessionTo(peer: string): string {
  return `cluster.to.${peer}`;
}

/** sessionFrom is the client id by which a peer brings its messages. */
export function sessionFrom(peer: string): string {
  return `cluster.from.${peer}`;
}

/** Client ids of these sessions begin so: no client may have one. */
const RESERVED = /^cluster\.(to|from)\./;

/** peerOf gives the broker that a client id of a session between brokers names; null = it is none. */
export function peerOf(clientId: string): string | null {
  return RESERVED.test(clientId) ? clientId.replace(RESERVED, '') : null;
}
