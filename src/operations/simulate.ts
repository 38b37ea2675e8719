// May a client do something, by which rule; and who may. The verdict is the engine's own, not a second reading of the rules.

import { z } from 'zod';
import type { Decision } from '../access/decision.ts';
import { decisionText, explain, explainSubscription, ruleOf, whoMay } from '../access/explain.ts';
import { usersOf } from '../access/set-accounts.ts';
import { isSharedFilter, isTopicFilter, isTopicName, parseSharedFilter } from '../mqtt/topics.ts';
import { readEdited } from './change-in-force.ts';
import type { OperationNeeds } from './needs.ts';
import { badInput, operation } from './operation.ts';
import { LISTENER_INPUT, listenerOf } from './users.ts';

const RULE = z
  .object({ file: z.string(), line: z.number().int(), kind: z.string(), access: z.string(), filter: z.string() })
  .describe('a line of the ACL file');

const ROLE_ACL = z
  .object({
    file: z.string(),
    role: z.string(),
    group: z.string().nullable().describe('the group by which the client has the role; null = by itself'),
    acltype: z.string(),
    topic: z.string(),
    priority: z.number().int(),
    allow: z.boolean(),
  })
  .describe('an ACL of dynamic security');

const INPUT = z.strictObject({
  action: z.enum(['publish', 'receive', 'subscribe']),
  topic: z.string().describe('topic name; for subscribe a topic filter'),
  username: z.string().nullish().describe('none = a client without a user name'),
  client: z.string().nullish().describe('client identifier; none = any, so that rules with %c do not count'),
  ...LISTENER_INPUT,
});

const REASONS = [
  'rule',
  'no rule',
  'special name',
  'role',
  'no wildcards',
  'default',
  'no default',
  'unknown user',
  'reserved topic',
  'always accepted',
  'no rules at all',
  'listener gone',
] as const satisfies readonly Decision['reason'][];

const OUTPUT = z.object({
  allowed: z.boolean(),
  reason: z.enum(REASONS),
  text: z.string().describe('the reason in words'),
  rules: z
    .array(z.union([RULE, ROLE_ACL]))
    .describe('what decides; for subscribe all that concern the filter, in the order in which they are asked'),
});

/** SIMULATE answers for one client. */
export const SIMULATE = operation({
  name: 'simulate',
  kind: 'query',
  right: 'admin',
  summary: 'Whether a client may publish to a topic, receive its messages or gets anything by a subscription, and by which rule.',
  input: INPUT,
  output: OUTPUT,
  run: (needs, input) => (input.action === 'subscribe' ? simulateSubscribe(needs, input) : simulateTopic(needs, input.action, input)),
});

type Asked = z.infer<typeof INPUT>;

function simulateTopic(needs: OperationNeeds, action: 'publish' | 'receive', input: Asked) {
  const { topic } = input;
  if (!isTopicName(topic))
    throw badInput('topic', `Cannot simulate "${topic}": it is no topic name - leave out + and #, which only filters have`);
  const decision = explain(needs.access.authorizer, askedClient(needs, input), action, topic);
  return { allowed: decision.allowed, reason: decision.reason, text: decisionText(decision), rules: rulesOf([decision]) };
}

/** An ACL file always accepts SUBSCRIBE: what counts is whether something may arrive. */
function simulateSubscribe(needs: OperationNeeds, input: Asked) {
  const { topic: filter } = input;
  const isFilter = isSharedFilter(filter) ? parseSharedFilter(filter) !== null : isTopicFilter(filter);
  if (!isFilter)
    throw badInput(
      'topic',
      `Cannot simulate "${filter}": it is no topic filter - + stands for one whole level, and # for all below, only at the end: home/+/light, home/#`,
    );
  const { decision, arrives, decisions } = explainSubscription(needs.access.authorizer, askedClient(needs, input), filter);
  const isByFile = decision.reason === 'always accepted';
  const reason = isByFile ? (decisions.length === 0 ? ('no rule' as const) : ('rule' as const)) : decision.reason;
  const text = arrives || !decision.allowed ? decisionText(decision) : `${decisionText(decision)}, but nothing may arrive`;
  return { allowed: decision.allowed && arrives, reason, text, rules: rulesOf([decision, ...decisions]) };
}

function askedClient(needs: OperationNeeds, { username, client, listener }: Asked) {
  return { username: username ?? null, clientId: client ?? null, listener: listenerOf(needs, { listener }) };
}

function rulesOf(decisions: readonly Decision[]) {
  return decisions.map(ruleOf).filter((rule) => rule !== null);
}

/** WHO_CAN answers for a topic. */
export const WHO_CAN = operation({
  name: 'who can',
  kind: 'query',
  right: 'admin',
  summary: 'Who may publish to a topic or receive its messages, by the ACL file and dynamic security.',
  input: z.strictObject({ topic: z.string().describe('topic name'), ...LISTENER_INPUT }),
  output: z.object({
    everybody: z.boolean().describe('there are no rules: everybody who may connect'),
    people: z.array(
      z.object({
        who: z.enum(['user', 'no user name', 'any other user']),
        username: z.string().nullable(),
        client: z.string().nullable().describe('client identifier; null = any'),
        receive: z.boolean(),
        publish: z.boolean(),
      }),
    ),
  }),
  run: (needs, { topic, listener: given }) => {
    if (!isTopicName(topic))
      throw badInput('topic', `Cannot tell who can use "${topic}": it is no topic name - leave out + and #, which only filters have`);
    const listener = listenerOf(needs, { listener: given });
    const { account, authorizer, dynamicUsers } = needs.access;
    const { passwordFile } = needs.access.filesOf(listener);
    const inFile = passwordFile === null ? [] : usersOf(readEdited(passwordFile));
    const named = [...(account === null ? [] : [account]), ...inFile, ...dynamicUsers];
    const accounts = account === null && passwordFile === null && dynamicUsers.length === 0 ? null : named;
    const people = whoMay(authorizer, { listener, topicName: topic, accounts });
    if (people === null) return { everybody: true, people: [] };
    const rows = people.map(({ who, username, clientId, read, write }) => {
      return { who, username, client: clientId, receive: read.allowed, publish: write.allowed };
    });
    return { everybody: false, people: rows };
  },
});
