// Who was turned away or hears nothing, and why.

import { z } from 'zod';
import { decisionText, explainSubscription, missingRule, type SubscriptionExplained } from '../access/explain.ts';
import type { LoginHold } from '../access/login-throttle.ts';
import { parseSharedFilter } from '../mqtt/topics.ts';
import { ADVICE_CODES } from '../refusals/advice.ts';
import type { LetIn } from '../refusals/last-connections.ts';
import type { RememberedRefusal } from '../refusals/refusal-memory.ts';
import type { OperationNeeds } from './needs.ts';
import { type Answer, operation } from './operation.ts';
import { HOLD } from './throttle.ts';

/** Sessions whose subscriptions are looked at for one answer. */
const MAX_SESSIONS = 1000;

const VALUES = z.record(z.string(), z.union([z.string(), z.number()]));

const REFUSAL = z.object({
  cause: z.string(),
  what: z.string().describe("tells those of one cause apart, such as 'server name' of a TLS handshake; '' = there is only one"),
  address: z.string().describe("remote address; '' for a Unix socket"),
  listenerPort: z.number().describe('0 for a Unix socket'),
  clientId: z.string().describe("'' = it did not say"),
  username: z.string().nullable(),
  topicName: z.string().nullable(),
  reason: z.string().describe('a sentence about the client, without its subject'),
  values: VALUES.describe('what stands in that sentence: with `cause` and `what` a page can say it in another language'),
  advice: z.string().nullable().describe('what to do about it'),
  adviceCode: z.enum(ADVICE_CODES).nullable(),
  adviceValues: VALUES,
  first: z.number().describe('milliseconds since 1970'),
  last: z.number(),
  count: z.number(),
  settled: z
    .number()
    .nullable()
    .describe(
      'when the same client came in after it, or the same account signed in to the page; for a topic, when the rules were seen to allow it; for a locked account, when it was seen to let in again; null = none of these',
    ),
  isBrowser: z.boolean().describe('a browser refused the certificate of the page, as all do that do not know it yet'),
}) satisfies z.ZodType<Omit<RememberedRefusal, 'cause'>>;

const DEAF = z
  .object({
    clientId: z.string(),
    username: z.string().nullable(),
    topicFilter: z.string(),
    reason: z.string(),
    advice: z.string().nullable(),
    missing: z.string().nullable().describe('the filter of the rule that would let it read there; null = no rule of an ACL file would'),
  })
  .describe('a subscription to which nothing may ever arrive: SUBSCRIBE is accepted all the same');

const LET_IN = z.object({
  time: z.number().describe('milliseconds since 1970'),
  clientId: z.string().describe("'' = it came by HTTP"),
  address: z.string().describe("'' for a Unix socket"),
}) satisfies z.ZodType<LetIn>;

const INPUT = z.strictObject({ about: z.string().nullish().describe('only of that address, client id or user') });
const OUTPUT = z.object({
  refusals: z.array(REFUSAL),
  held: z.array(HOLD),
  deaf: z.array(DEAF),
  letIn: LET_IN.nullable().describe(
    'the last time that a client of the user `about` was let in; null = none was since the start of the broker, or no user is asked about',
  ),
});

/** Reasons answer "why". */
export type Reasons = Answer<z.infer<typeof OUTPUT>>;

/** WHY tells it. */
export const WHY = operation({
  name: 'why',
  kind: 'query',
  right: 'viewer',
  summary: 'Clients that were refused or receive nothing, with the reason and what to do about it.',
  input: INPUT,
  output: OUTPUT,
  run: (needs, { about }) => readReasons(needs, about ?? null),
});

function readReasons(needs: OperationNeeds, about: string | null): Reasons {
  const isMeant = ({ address, username }: LoginHold) => about === null || address === about || username === about;
  const held = needs.throttle
    .held()
    .filter(isMeant)
    .map((hold) => ({ ...hold }));
  const letIn = about === null ? null : needs.refusals.lastLetIn(about);
  return { refusals: needs.refusals.list(about), held, deaf: deafSubscriptions(needs, about), letIn };
}

function deafSubscriptions({ broker, listeners, access: { authorizer } }: OperationNeeds, about: string | null): Reasons['deaf'] {
  if (authorizer === null) return [];
  const found: Reasons['deaf'][number][] = [];
  let left = MAX_SESSIONS;
  for (const { clientId, username, listener, connection, subscriptions } of broker.sessions) {
    if (about !== null && ![clientId, username, connection?.origin.address].includes(about)) continue;
    if (!listeners.some(({ name }) => name === listener)) continue; // a bridge carries what its topics say, whatever the rules
    if (left-- === 0) break;
    for (const topicFilter of subscriptions.keys()) {
      const subscription = explainSubscription(authorizer, { username, clientId, listener }, topicFilter);
      if (subscription.arrives) continue;
      const reason = `is subscribed to "${topicFilter}" but gets nothing: ${deafText(subscription)}`;
      const isByFile = subscription.decision.reason === 'always accepted';
      const filter = parseSharedFilter(topicFilter)?.topicFilter ?? topicFilter;
      const advice = isByFile ? missingRule({ username }, 'read', filter) : null;
      found.push({ clientId, username, topicFilter, reason, advice, missing: advice === null ? null : filter });
    }
  }
  return found;
}

/** A subscription may have been accepted by other rules than those of now. */
function deafText({ decision, decisions }: SubscriptionExplained): string {
  if (decision.reason === 'always accepted') return `no rule of ${decision.file} lets it read there`;
  if (!decision.allowed) return decisionText(decision);
  const last = decisions.at(-1);
  return last === undefined ? 'no rule lets it read there' : decisionText(last);
}
