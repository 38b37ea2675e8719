// Why a client may or may not, and who may: the words behind the verdicts of acl.ts, for people.

import { isReservedTopic, parseSharedFilter } from '../mqtt/topics.ts';
import { type AclAuthorizer, decidingRule, isGrant, READ, WRITE } from './acl.ts';
import type { AclRule } from './acl-file.ts';

/** AclReason: 'no rule' = none matches, 'special name' = a `+` or `#` in user name or client id, 'reserved topic' = the broker alone writes there. */
export type AclReason = 'rule' | 'no rule' | 'special name' | 'reserved topic';

/** AclDecision is one verdict with its reason. `rule` is null unless a rule decided. */
export interface AclDecision {
  readonly allowed: boolean;
  readonly reason: AclReason;
  readonly rule: AclRule | null;
}

/** AclClient is who is asked about: null for a user name = none given; null for a client id = any, so that patterns with `%c` don't count. */
export interface AclClient {
  readonly username: string | null;
  readonly clientId: string | null;
}

/** explain tells whether a client may publish to a topic name, or receive its messages, and why. */
export function explain(acl: AclAuthorizer, client: AclClient, action: 'publish' | 'receive', topicName: string): AclDecision {
  if (action === 'publish' && isReservedTopic(topicName)) return { allowed: false, reason: 'reserved topic', rule: null };
  const rules = acl.rulesOf(client.username, client.clientId);
  const rule = decidingRule(rules, action === 'publish' ? WRITE : READ, topicName);
  if (rule !== null) return { allowed: isGrant(rule), reason: 'rule', rule };
  return { allowed: false, reason: rules.hasSpecialName ? 'special name' : 'no rule', rule: null };
}

/** whatArrives gives the rules for reading that concern some topic of a subscription, in the order they are asked; the first that matches a message decides about it. */
export function whatArrives(acl: AclAuthorizer, client: AclClient, topicFilter: string): readonly AclRule[] {
  const { own, patterns } = acl.rulesOf(client.username, client.clientId);
  const levels = (parseSharedFilter(topicFilter)?.topicFilter ?? topicFilter).split('/');
  return [...own, ...patterns].filter((match) => (match.access & READ) !== 0 && overlaps(match.levels, levels)).map(({ rule }) => rule);
}

/** overlaps tells whether some topic name is matched by both filters. */
function overlaps(a: readonly string[], b: readonly string[]): boolean {
  if (isHidden(a[0]) !== isHidden(b[0])) return false; // [MQTT-4.7.2-1]
  const length = Math.max(a.length, b.length);
  for (let level = 0; level <= length; level++) {
    const [one, other] = [a[level], b[level]];
    if (one === '#' || other === '#') return true;
    if (one === undefined || other === undefined) return one === other;
    if (one !== other && one !== '+' && other !== '+') return false;
  }
  return true;
}

function isHidden(firstLevel: string | undefined): boolean {
  return firstLevel?.startsWith('$') ?? false;
}

/** AclPerson is one line of who may what on a topic: a user, clients without a user name, or any user that is not named. `clientId` null = with any. */
export interface AclPerson extends AclClient {
  readonly who: 'user' | 'no user name' | 'any other user';
  readonly read: AclDecision;
  readonly write: AclDecision;
}

/** No client can have this user name: U+0000 is not allowed [MQTT-1.5.4-2]. It stands for all that the file does not name. */
const ANY_OTHER = '\u0000';

/**
 * whoMay gives everybody who may read or write a topic name: clients without a user name, users of the file, users and client ids for whom
 * a pattern fits the topic, and `accounts` beside them - or, where it is null because nobody knows who can log in, any other user.
 * A client id is told where it makes a difference.
 */
export function whoMay(acl: AclAuthorizer, topicName: string, accounts: readonly string[] | null): readonly AclPerson[] {
  const found = acl.file.patterns.map((rule) => namesIn(rule.filter, topicName)).filter((names) => names !== null);
  const users = new Set([null, ...acl.file.users.keys(), ...found.flatMap(({ username }) => username ?? []), ...(accounts ?? [ANY_OTHER])]);
  const clientIds = new Set(found.flatMap(({ clientId }) => clientId ?? []));
  return [...users].flatMap((username) => {
    const anyClient = person(acl, topicName, { username, clientId: null });
    const special = Array.from(clientIds, (clientId) => person(acl, topicName, { username, clientId }));
    return [anyClient, ...special.filter((one) => !isSame(one, anyClient))].filter(({ read, write }) => read.allowed || write.allowed);
  });
}

function person(acl: AclAuthorizer, topicName: string, client: AclClient): AclPerson {
  const { username, clientId } = client;
  const isOther = username === ANY_OTHER;
  return {
    who: isOther ? 'any other user' : username === null ? 'no user name' : 'user',
    username: isOther ? null : username,
    clientId,
    read: explain(acl, client, 'receive', topicName),
    write: explain(acl, client, 'publish', topicName),
  };
}

function isSame(one: AclPerson, other: AclPerson): boolean {
  return one.read.allowed === other.read.allowed && one.write.allowed === other.write.allowed;
}

/** namesIn reads a topic name by a pattern backwards: which user name and client id, each within a level, make them match; null when none does. */
function namesIn(filter: string, topicName: string): { readonly username: string | null; readonly clientId: string | null } | null {
  const seen = new Set<string>();
  const source = filter
    .split(/(%[cu]|\/#$|[+#])/)
    .map((part) => {
      if (part === '%c' || part === '%u') {
        const name = part === '%c' ? 'clientId' : 'username';
        const again = seen.has(name);
        seen.add(name);
        return again ? `\\k<${name}>` : `(?<${name}>[^/]+)`;
      }
      if (part === '/#') return '(?:/.*)?';
      if (part === '+') return '[^/]*';
      return part === '#' ? '.*' : part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    })
    .join('');
  const match = new RegExp(`^${source}$`, 's').exec(topicName);
  if (match === null) return null;
  return { username: match.groups?.['username'] ?? null, clientId: match.groups?.['clientId'] ?? null };
}

/** missingRule says what to write into the ACL file. A topic may have blanks, but no line may have another line in it. */
export function missingRule({ username }: Pick<AclClient, 'username'>, access: 'read' | 'write', topic: string): string | null {
  if (/[\r\n\0]/.test(topic + (username ?? ''))) return null;
  const where = username === null ? 'before the first user line' : `below "user ${username}"`;
  return `to allow it, write ${where}: topic ${access} ${topic}`;
}
