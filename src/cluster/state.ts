// How a cluster fares, for those who ask.

/** PeerPhase: 'away' = nothing is heard of it; 'refused' = it speaks another version of the protocol between brokers. */
export type PeerPhase = 'away' | 'connecting' | 'connected' | 'refused';

/** PeerState is another broker as this one sees it. Times are milliseconds since 1970. */
export interface PeerState {
  readonly id: string;
  readonly phase: PeerPhase;
  readonly since: number;
  /** Of its program, such as `0.1.0`; null = it was not heard since the start. */
  readonly version: string | null;
  /** Topic filters that it wants messages of. */
  readonly filters: number;
  /** Messages that went there, and that wait for it. */
  readonly sent: number;
  readonly queued: number;
  readonly dropped: number;
  /** What ended the latest link, or kept it from being made. */
  readonly lastError: string | null;
}

/** ClusterState is of one moment. */
export interface ClusterState {
  readonly name: string;
  readonly id: string;
  /** 'alone' = NATS is not reached; 'stopped' = another broker has this id. */
  readonly phase: 'connecting' | 'connected' | 'alone' | 'stopped';
  readonly since: number;
  /** NATS server in use; null = none. */
  readonly server: string | null;
  readonly lastError: string | null;
  /** NATS messages that carried something to other brokers since the start: all but signs of life and answers to newcomers. */
  readonly carried: number;
  readonly peers: readonly PeerState[];
}
