// What `midge status` says about the cluster.

import type { Status } from '../operations/status.ts';
import { isoTime } from './iso-time.ts';

type ClusterStatus = NonNullable<Status['cluster']>;

/** clusterRows gives its lines: NATS first, then one for each other broker. An earlier version of the broker knows none. */
export function clusterRows(cluster: Status['cluster'] | undefined): [string, string | null][] {
  if (cluster == null) return [];
  const { name, id, server, peers, carried } = cluster;
  return [
    ['Cluster', `${name}, this broker is ${id}: ${phaseWords(cluster)}${server === null ? '' : `, NATS at ${server}`}`],
    ['', `${carried} NATS messages carried`],
    ...peers.map((peer): [string, string] => [
      '',
      `${peer.id}: ${peer.phase} since ${time(peer.since)}, ${peer.sent} sent, ${peer.queued} queued, ${peer.dropped} dropped`,
    ]),
  ];
}

/** clusterTroubles gives what a person should look at. */
export function clusterTroubles(cluster: Status['cluster'] | undefined): string[] {
  if (cluster == null) return [];
  const { phase, lastError, peers } = cluster;
  const why = lastError === null ? '' : `: ${lastError}`;
  if (phase === 'alone' || (phase === 'connecting' && lastError !== null)) return [`The cluster is not connected to NATS${why}.`];
  if (phase === 'stopped') return [`This broker has left the cluster${why}.`];
  return peers
    .filter((peer) => peer.phase !== 'connected')
    .map((peer) => `Broker ${peer.id} of the cluster is ${peer.phase}${peer.lastError === null ? '' : `: ${peer.lastError}`}.`);
}

function phaseWords({ phase, since }: ClusterStatus): string {
  switch (phase) {
    case 'connected':
      return `connected since ${time(since)}`;
    case 'connecting':
      return 'connecting to NATS';
    case 'alone':
      return `alone since ${time(since)}: NATS is not reached`;
    case 'stopped':
      return `stopped at ${time(since)}`;
  }
}

function time(iso: string): string {
  return isoTime(Date.parse(iso));
}
