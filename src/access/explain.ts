// Why a client may or may not, and who may, for people: by the decisions of the authorizer that the engine asks.

import { isReservedTopic, parseSharedFilter } from '../mqtt/topics.ts';
import type { AclRule } from './acl-file.ts';
import { type Action, type Arriving, type AskedClient, type Decision, EVERYTHING, type ExplainedAuthorizer } from './decision.ts';
import type { AclType } from './dynamic-security/model.ts';

/** explain tells whether a client may do something, and why. `authorizer` null = there are no rules. */
export function explain(authorizer: ExplainedAuthorizer | null, client: AskedClient, action: Action, topic: string): Decision {
  if (action === 'publish' && isReservedTopic(topic)) return { allowed: false, reason: 'reserved topic' };
  return (authorizer ?? EVERYTHING).explain(client, action, unshared(action, topic));
}

/** SubscriptionExplained: whether SUBSCRIBE is accepted, and what may arrive. */
export interface SubscriptionExplained extends Arriving {
  readonly decision: Decision;
}

/** explainSubscription tells what comes of a subscription. */
export function explainSubscription(
  authorizer: ExplainedAuthorizer | null,
  client: AskedClient,
  topicFilter: string,
): SubscriptionExplained {
  const rules = authorizer ?? EVERYTHING;
  const decision = explain(rules, client, 'subscribe', topicFilter);
  if (!decision.allowed) return { decision, arrives: false, decisions: [] };
  return { decision, ...rules.arriving(client, unshared('subscribe', topicFilter)) };
}

function unshared(action: Action, topic: string): string {
  return action === 'subscribe' ? (parseSharedFilter(topic)?.topicFilter ?? topic) : topic;
}

/** Person is one line of who may what on a topic: a user, clients without a user name, or any user that is not named. `clientId` null = with any. */
export interface Person {
  readonly who: 'user' | 'no user name' | 'any other user';
  readonly username: string | null;
  readonly clientId: string | null;
  readonly read: Decision;
  readonly write: Decision;
}

/** No client can have this user name: U+0000 is not allowed [MQTT-1.5.4-2]. It stands for all that the rules do not name. */
const ANY_OTHER = '\u0000';

/** Question of whoMay: clients of `listener`; `accounts` can sign in beside the users that the rules name, null = nobody knows who. */
export interface WhoQuestion {
  readonly listener: string;
  readonly topicName: string;
  readonly accounts: readonly string[] | null;
}

/**
 * whoMay gives everybody who may read or write a topic name: clients without a user name, users that the rules name, users and client ids for
 * whom a pattern fits the topic, and the accounts - or, where nobody knows who can log in, any other user. A client id is told where it makes
 * a difference. Null = there are no rules: everybody.
 */
export function whoMay(authorizer: ExplainedAuthorizer | null, { listener, topicName, accounts }: WhoQuestion): readonly Person[] | null {
  const nobody = { username: null, clientId: null, listener };
  if (authorizer === null || authorizer.explain(nobody, 'receive', topicName).reason === 'no rules at all') return null;
  const { usernames, clientIds, literalFilters } = authorizer.namesAbout(listener, topicName);
  const ask = (client: AskedClient) => personOf(authorizer, client, topicName, literalFilters);
  return [...new Set([null, ...usernames, ...(accounts ?? [ANY_OTHER])])].flatMap((username) => {
    const anyClient = ask({ username, clientId: null, listener });
    const special = Array.from(new Set(clientIds), (clientId) => ask({ username, clientId, listener }));
    return [anyClient, ...special.filter((one) => !isSame(one, anyClient))].filter(({ read, write }) => read.allowed || write.allowed);
  });
}

function personOf(authorizer: ExplainedAuthorizer, client: AskedClient, topicName: string, literalFilters: readonly string[]): Person {
  const { username, clientId } = client;
  const isOther = username === ANY_OTHER;
  return {
    who: isOther ? 'any other user' : username === null ? 'no user name' : 'user',
    username: isOther ? null : username,
    clientId,
    read: explainReading(authorizer, client, topicName, literalFilters),
    write: explain(authorizer, client, 'publish', topicName),
  };
}

/** Who reads a topic must receive its messages, and must have been allowed some subscription that brings them. */
function explainReading(
  authorizer: ExplainedAuthorizer,
  client: AskedClient,
  topicName: string,
  literalFilters: readonly string[],
): Decision {
  const receives = authorizer.explain(client, 'receive', topicName);
  const subscribes = authorizer.explain(client, 'subscribe', topicName);
  if (!receives.allowed || subscribes.allowed) return receives;
  return literalFilters.some((filter) => authorizer.explain(client, 'subscribe', filter).allowed) ? receives : subscribes;
}

function isSame(one: Person, other: Person): boolean {
  return one.read.allowed === other.read.allowed && one.write.allowed === other.write.allowed;
}

/** decisionText says it in words, without the verdict. */
export function decisionText(decision: Decision): string {
  switch (decision.reason) {
    case 'rule': {
      const { line, kind, access, filter } = decision.rule;
      return `${decision.file}:${line}: ${kind} ${access} ${filter}`;
    }
    case 'no rule':
      return `no rule of ${decision.file} matches`;
    case 'special name':
      return `a user name or client id with + or # gets nothing by the patterns of ${decision.file}`;
    case 'role': {
      const { type, allow, topicFilter, priority } = decision.acl;
      return `${roleText(decision)} of ${decision.file}: ${type} ${allow ? 'allow' : 'deny'} ${topicFilter} (priority ${priority})`;
    }
    case 'no wildcards':
      return `${roleText(decision)} of ${decision.file} forbids filters with + and # (allowwildcardsubs)`;
    case 'default':
      return `no ACL of its roles matches, and the default of ${decision.file} for ${decision.type} is ${decision.allowed ? 'allow' : 'deny'}`;
    case 'no default':
      return `no ACL of its roles matches, and $CONTROL has no default (${decision.file})`;
    case 'unknown user':
      return 'dynamic security does not know this user, and there is no acl_file: it may do nothing';
    case 'reserved topic':
      return 'nobody but the broker itself writes there';
    case 'always accepted':
      return 'SUBSCRIBE is always accepted';
    case 'no rules at all':
      return 'there is no acl_file, so every client may read and write every topic';
    case 'listener gone':
      return 'the listener of this client is not there any more';
  }
}

/** ShownRule is a rule as programs get it: a line of an ACL file, or an ACL of a role. */
export type ShownRule =
  | (AclRule & { readonly file: string })
  | {
      readonly file: string;
      readonly role: string;
      readonly group: string | null;
      readonly acltype: AclType;
      readonly topic: string;
      readonly priority: number;
      readonly allow: boolean;
    };

/** ruleOf gives the rule that has decided, or null where it was none. */
export function ruleOf(decision: Decision): ShownRule | null {
  if (decision.reason === 'rule') return { file: decision.file, ...decision.rule };
  if (decision.reason !== 'role') return null;
  const { file, role, group, acl } = decision;
  return { file, role, group, acltype: acl.type, topic: acl.topicFilter, priority: acl.priority, allow: acl.allow };
}

function roleText({ role, group }: { readonly role: string; readonly group: string | null }): string {
  return `role "${role}"${group === null ? '' : ` (by group "${group}")`}`;
}

/** missingRule says what to write into the ACL file. A topic may have blanks, but no line may have another line in it. */
export function missingRule({ username }: Pick<AskedClient, 'username'>, access: 'read' | 'write', topic: string): string | null {
  if (/[\r\n\0]/.test(topic + (username ?? ''))) return null;
  const where = username === null ? 'before the first user line' : `below "user ${username}"`;
  return `to allow it, write ${where}: topic ${access} ${topic}`;
}
