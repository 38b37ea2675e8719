// The cluster: the other brokers as this one sees them.

import { z } from 'zod';
import type { ClusterState } from '../cluster/state.ts';
import { type Answer, OperationFailure, operation } from './operation.ts';
import { iso, TIME } from './time.ts';
import { whenDurable } from './when-durable.ts';

const FIGURES = z.record(z.string(), z.number());

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
  latency: z
    .number()
    .nullable()
    .describe('milliseconds that a question to it and the answer take, measured every ten seconds; null = not measured yet, or away'),
  figures: FIGURES.nullable().describe('what it counts, as in its $SYS/broker/; null = it has not told, or is away'),
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
    figures: FIGURES.describe('what this broker counts, as in $SYS/broker/'),
    totals: FIGURES.describe('sums of this broker and those that are connected; a message that goes from one to another counts at both'),
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

/** FORGET_BROKER is for one that is broken, or has another name now. */
export const FORGET_BROKER = operation({
  name: 'forget broker',
  kind: 'command',
  right: 'admin',
  summary: 'Forget a broker of the cluster that never comes back, with all that waits for it, here and at the connected brokers.',
  input: z.strictObject({ id: z.string().describe('of the broker: its cluster_id') }),
  output: z.object({ id: z.string() }),
  run: async (needs, { id }) => {
    switch (needs.forgetBroker(id)) {
      case 'forgotten':
        await whenDurable(needs, `Cannot forget broker "${id}" for good: the database cannot be written`);
        return { id };
      case 'connected':
        throw new OperationFailure(
          'not possible',
          `Cannot forget broker "${id}": it is connected - stop it, or take cluster out of its configuration`,
        );
      case 'unknown':
        throw new OperationFailure('not found', `Cannot forget broker "${id}": the cluster has none of this name`);
      case null:
        throw new OperationFailure('not found', `Cannot forget broker "${id}": the configuration has no cluster`);
    }
  },
});

/** clusterOf shows it. */
export function clusterOf(state: ClusterState | null): Answer<z.infer<typeof CLUSTER_STATE>> {
  if (state === null) return null;
  return { ...state, since: iso(state.since), peers: state.peers.map((peer) => ({ ...peer, since: iso(peer.since) })) };
}
