// How a cluster fares, for those who ask.

import type { Figures } from './figures.ts';

/** PeerPhase: 'away' = nothing is heard of it; 'refused' = it speaks another version of the protocol between brokers. */
export type PeerPhase = 'away' | 'connecting' | 'connected' | 'refused';

/** LinkState is another broker as this one sees it. Times are milliseconds since 1970. */
export interface LinkState {
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

/** PeerState is that, and what the broker tells about itself; null = it is not connected, or has not answered yet. */
export interface PeerState extends LinkState {
  /** Milliseconds that a question and its answer take, by NATS. */
  readonly latency: number | null;
  readonly figures: Figures | null;
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
  /** What this broker counts, and the sums of it and the connected ones. */
  readonly figures: Figures;
  readonly totals: Figures;
  /** Wills of clients of other brokers that are here in case those die. */
  readonly wills: number;
  readonly peers: readonly PeerState[];
}
