// May a client do something, by which rule; and who may. The verdict is the engine's own, not a second reading of the rules.

import { z } from 'zod';
import type { AclAuthorizer } from '../access/acl.ts';
import { type AclDecision, explain, whatArrives, whoMay } from '../access/acl-explain.ts';
import { usersOf } from '../access/set-accounts.ts';
import { isSharedFilter, isTopicFilter, isTopicName, parseSharedFilter } from '../mqtt/topics.ts';
import { readEdited } from './change-in-force.ts';
import type { OperationNeeds } from './needs.ts';
import { badInput, OperationFailure, operation } from './operation.ts';
import { LISTENER_INPUT, listenerOf } from './users.ts';

const RULE = z.object({ file: z.string(), line: z.number().int(), kind: z.string(), access: z.string(), filter: z.string() });

const INPUT = z.strictObject({
  action: z.enum(['publish', 'receive', 'subscribe']),
  topic: z.string().describe('topic name; for subscribe a topic filter'),
  username: z.string().nullish().describe('none = a client without a user name'),
  client: z.string().nullish().describe('client identifier; none = any, so that rules with %c do not count'),
  ...LISTENER_INPUT,
});

const OUTPUT = z.object({
  allowed: z.boolean(),
  reason: z.enum(['rule', 'no rule', 'special name', 'reserved topic', 'no rules at all', 'decided elsewhere']),
  rules: z.array(RULE).describe('the rule that decides; for subscribe all that concern the filter, in the order in which they are asked'),
});

/** SIMULATE answers for one client. */
export const SIMULATE = operation({
  name: 'simulate',
  kind: 'query',
  right: 'admin',
  summary: 'Whether a client may publish to a topic, receive its messages or gets anything by a subscription, and by which rule.',
  input: INPUT,
  output: OUTPUT,
  run: (needs, input) => (input.action === 'subscribe' ? simulateSubscribe(needs, input) : simulateTopic(needs, input)),
});

function simulateTopic(needs: OperationNeeds, { action, topic: name, username, client, listener: given }: z.infer<typeof INPUT>) {
  if (!isTopicName(name)) throw badInput('topic', `Cannot simulate "${name}": it is no topic name`);
  const { broker } = needs;
  const listener = listenerOf(needs, { listener: given });
  const who = { username: username ?? null, clientId: client ?? null };
  const requester = { username: who.username, clientId: client ?? '', listener };
  const topic = broker.topics.named(name);
  const isPublish = action === 'publish';
  const allowed = isPublish ? !topic.reserved && broker.mayPublish(requester, topic) : broker.mayReceive(requester, name);
  const acl = needs.aclOf(listener);
  if (acl === null)
    return { allowed, reason: needs.access.isDynamic ? ('decided elsewhere' as const) : ('no rules at all' as const), rules: [] };
  const decision = explain(acl, who, isPublish ? 'publish' : 'receive', name);
  if (decision.allowed !== allowed) return { allowed, reason: 'decided elsewhere' as const, rules: [] };
  return { allowed, reason: decision.reason, rules: rulesOf(acl, decision) };
}

/** SUBSCRIBE itself is always accepted by an ACL file: what counts is whether something may arrive. */
function simulateSubscribe(needs: OperationNeeds, { topic: filter, username, client, listener: given }: z.infer<typeof INPUT>) {
  const isFilter = isSharedFilter(filter) ? parseSharedFilter(filter) !== null : isTopicFilter(filter);
  if (!isFilter) throw badInput('topic', `Cannot simulate "${filter}": it is no topic filter`);
  refuseDynamic(needs);
  const acl = needs.aclOf(listenerOf(needs, { listener: given }));
  if (acl === null) return { allowed: true, reason: 'no rules at all' as const, rules: [] };
  const found = whatArrives(acl, { username: username ?? null, clientId: client ?? null }, filter);
  const allowed = found.some(({ access }) => access !== 'deny');
  const rules = found.map((rule) => ({ file: acl.file.path, ...rule }));
  return { allowed, reason: found.length === 0 ? ('no rule' as const) : ('rule' as const), rules };
}

function refuseDynamic({ access }: OperationNeeds): void {
  if (access.isDynamic)
    throw new OperationFailure(
      'not possible',
      'Cannot tell by the ACL file alone: dynamic security decides too - ask it by $CONTROL/dynamic-security/v1',
    );
}

function rulesOf({ file }: AclAuthorizer, { rule }: AclDecision) {
  return rule === null ? [] : [{ file: file.path, ...rule }];
}

/** WHO_CAN answers for a topic. */
export const WHO_CAN = operation({
  name: 'who can',
  kind: 'query',
  right: 'admin',
  summary: 'Who may publish to a topic or receive its messages, by the ACL file.',
  input: z.strictObject({ topic: z.string().describe('topic name'), ...LISTENER_INPUT }),
  output: z.object({
    everybody: z.boolean().describe('there is no ACL file: everybody who may connect'),
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
    if (!isTopicName(topic)) throw badInput('topic', `Cannot tell who can use "${topic}": it is no topic name`);
    refuseDynamic(needs);
    const listener = listenerOf(needs, { listener: given });
    const acl = needs.aclOf(listener);
    if (acl === null) return { everybody: true, people: [] };
    const { account } = needs.access;
    const { passwordFile } = needs.access.filesOf(listener);
    const inFile = passwordFile === null ? [] : usersOf(readEdited(passwordFile));
    const accounts = account === null && passwordFile === null ? null : [...(account === null ? [] : [account]), ...inFile];
    const people = whoMay(acl, topic, accounts).map(({ who, username, clientId, read, write }) => {
      return { who, username, client: clientId, receive: read.allowed, publish: write.allowed };
    });
    return { everybody: false, people };
  },
});
