// The cluster: the other brokers as this one sees them.

import { z } from 'zod';
import type { ClusterState } from '../cluster/state.ts';
import { type Answer, operation } from './operation.ts';
import { iso, TIME } from './time.ts';

const PEER = z.object({
  id: z.string(),
  phase: z
    .enum(['away', 'connecting', 'connected', 'refused'])
    .describe("'away' = nothing is heard of it; 'refused' = its version does not go with this one"),
  since: TIME.describe('when this phase began'),
  version: z.string().nullable().describe('of its program; null = it was not heard since the start'),
  filters: z.number().describe('topic filters that its clients want messages of'),
  sent: z.number().describe('messages that went there'),
  queued: z.number().describe('messages that wait for it here'),
  dropped: z.number().describe('messages that it does not get: refused there, too large, or without room here'),
  lastError: z.string().nullable().describe('what ended the latest link, or kept it from being made; it stays when all is well again'),
});

/** CLUSTER_STATE is null for a broker on its own. */
export const CLUSTER_STATE = z
  .object({
    name: z.string(),
    id: z.string().describe('of this broker'),
    phase: z
      .enum(['connecting', 'connected', 'alone', 'stopped'])
      .describe("'alone' = NATS is not reached; 'stopped' = another broker has the same id"),
    since: TIME.describe('when this phase began'),
    server: z.string().nullable().describe('NATS server in use'),
    lastError: z.string().nullable(),
    carried: z.number().describe('NATS messages that carried something to other brokers, without signs of life'),
    peers: z.array(PEER),
  })
  .nullable()
  .describe('null = the configuration has no cluster');

/** CLUSTER tells about all brokers. */
export const CLUSTER = operation({
  name: 'cluster',
  kind: 'query',
  right: 'viewer',
  summary: 'The cluster: how this broker reaches NATS, and how the other brokers are.',
  input: z.strictObject({}),
  output: CLUSTER_STATE,
  run: ({ cluster }) => clusterOf(cluster),
});

/** clusterOf shows it. */
export function clusterOf(state: ClusterState | null): Answer<z.infer<typeof CLUSTER_STATE>> {
  if (state === null) return null;
  return { ...state, since: iso(state.since), peers: state.peers.map((peer) => ({ ...peer, since: iso(peer.since) })) };
}
