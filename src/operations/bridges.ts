// The bridges: how each is doing, and a trial of one, step by step.

import { z } from 'zod';
import type { BridgeState } from '../bridges/state.ts';
import { localFilter, remoteFilter } from '../bridges/topics.ts';
import { type Answer, OperationFailure, operation } from './operation.ts';
import { iso, TIME } from './time.ts';

/** BRIDGE is one of them. */
export const BRIDGE = z
  .object({
    name: z.string(),
    topics: z
      .array(
        z.object({
          filter: z.string().describe('of the topics here'),
          remote: z.string().describe('of the same topics at the other broker'),
          direction: z.enum(['in', 'out', 'both']).describe('in = from there to here'),
          qos: z.number().int(),
        }),
      )
      .describe('what it carries'),
    phase: z
      .enum(['connecting', 'connected', 'waiting', 'idle', 'stopped'])
      .describe("'waiting' = it tries again later; 'idle' = it waits for messages; 'stopped' = it does not try again"),
    since: TIME.describe('when this phase began'),
    nextAttempt: TIME.nullable(),
    address: z.string().describe('in use, or tried last, or the first where none was'),
    lastError: z
      .object({
        fault: z.string().describe("such as 'name', 'network', 'tls', 'credentials'"),
        words: z.string(),
        advice: z.string().nullable().describe('what to do about it'),
        at: TIME,
      })
      .nullable()
      .describe('what ended the latest connection, or kept it from being made; it stays when all is well again'),
    refusedFilters: z.array(z.string()).describe('topic filters that the other broker does not let it subscribe to'),
    received: z.number().describe('messages that came from the other broker'),
    sent: z.number().describe('messages that went there'),
    queued: z.number().describe('messages that wait for it'),
    oldestQueued: TIME.nullable().describe(
      'when the first of them came, and after a restart when the bridge was connected last; null = none',
    ),
    dropped: z.number().describe('messages that did not go over: refused, too large, expired, without room, or stopped as an echo'),
  })
  .describe('a connection block of the configuration');

/** BRIDGES lists them. */
export const BRIDGES = operation({
  name: 'bridges',
  kind: 'query',
  right: 'viewer',
  summary: 'The bridges to other brokers, in the order of the configuration.',
  input: z.strictObject({}),
  output: z.array(BRIDGE),
  run: ({ bridges }) => bridges.map(bridgeOf),
});

/** bridgeOf shows one. */
export function bridgeOf({ topics, since, nextAttempt, lastError, oldestQueued, ...rest }: BridgeState): Answer<z.infer<typeof BRIDGE>> {
  return {
    ...rest,
    topics: topics.map((topic) => ({
      filter: localFilter(topic),
      remote: remoteFilter(topic),
      direction: topic.direction,
      qos: topic.qos,
    })),
    since: iso(since),
    nextAttempt: nextAttempt === null ? null : iso(nextAttempt),
    lastError: lastError === null ? null : { ...lastError, at: iso(lastError.at) },
    oldestQueued: oldestQueued === null ? null : iso(oldestQueued),
  };
}

const STEP = z.object({
  step: z.enum(['address', 'name', 'connection', 'mqtt', 'subscription', 'publish', 'advice']),
  ok: z.boolean(),
  text: z.string(),
});

/** TEST_BRIDGE tries one. */
export const TEST_BRIDGE = operation({
  name: 'test bridge',
  kind: 'command',
  right: 'operator',
  summary: 'Connect to the other broker of a bridge once, beside the running bridge, and tell what happens.',
  input: z.strictObject({ name: z.string().describe('of the connection block') }),
  output: z.object({ name: z.string(), ok: z.boolean().describe('each address answers and refuses nothing'), steps: z.array(STEP) }),
  progress: STEP,
  run: async ({ tryBridge }, { name }, _, report) => {
    const steps: z.infer<typeof STEP>[] = [];
    const say = (step: z.infer<typeof STEP>): void => {
      steps.push(step);
      report(step);
    };
    const ok = await tryBridge(name, say);
    if (ok === null)
      throw new OperationFailure('not found', `Cannot find bridge "${name}": the configuration has no such connection block`);
    return { name, ok, steps };
  },
});
