// What clients may do by their roles, in mosquitto's order: the client's own roles by priority, then those of its groups by theirs; in a
// role the ACLs by priority. The first that matches decides, else the default. `$CONTROL/...` has no default.
//
//   subscribe, per role: no wildcard where the role forbids them -> literal ACLs -> patterns, which must cover the whole filter

import type { Authorizer, Requester } from '../../broker/ports.ts';
import { filterMatches } from '../../mqtt/topics.ts';
import { type AclType, aclsInOrder, type DefaultType, linksInOrder, type Role, type RoleAcl, type SecurityModel } from './model.ts';

/** RoleAuthorizer answers for the clients of one state of the model; a change makes another. */
export class RoleAuthorizer implements Authorizer {
  readonly #model: SecurityModel;
  /** For users whom the model does not know. */
  readonly #others: Authorizer;
  /** Roles in the order of their say, by user name; null = clients without one. */
  readonly #ranked = new Map<string | null, readonly RankedRole[]>();

  constructor(model: SecurityModel, others: Authorizer) {
    this.#model = model;
    this.#others = others;
  }

  mayPublish(requester: Requester, topicName: string): boolean {
    return this.#decide(requester, 'publishClientSend', topicName) ?? this.#others.mayPublish(requester, topicName);
  }

  mayReceive(requester: Requester, topicName: string): boolean {
    return this.#decide(requester, 'publishClientReceive', topicName) ?? this.#others.mayReceive(requester, topicName);
  }

  maySubscribe(requester: Requester, topicFilter: string): boolean {
    return this.#decide(requester, 'subscribe', topicFilter) ?? this.#others.maySubscribe(requester, topicFilter);
  }

  mayUnsubscribe(requester: Requester, topicFilter: string): boolean {
    return this.#decide(requester, 'unsubscribe', topicFilter) ?? this.#others.mayUnsubscribe?.(requester, topicFilter) ?? true;
  }

  /** Null = the model does not know the user. */
  #decide(requester: Requester, type: DefaultType, topic: string): boolean | null {
    const roles = this.#rolesOf(requester.username);
    if (roles === null) return null;
    for (const role of roles) {
      const verdict = role.decide(type, topic, requester);
      if (verdict !== null) return verdict;
    }
    return topic.startsWith('$CONTROL') ? false : this.#model.defaults[type];
  }

  #rolesOf(username: string | null): readonly RankedRole[] | null {
    const known = this.#ranked.get(username);
    if (known !== undefined) return known;
    const names = this.#rank(username);
    if (names === null) return null; // anybody may invent a name: nothing is kept for it
    const roles = names.map((name) => new RankedRole(this.#model.roles.get(name)!)); // links lead to what is there
    this.#ranked.set(username, roles);
    return roles;
  }

  #rank(username: string | null): string[] | null {
    const { clients, groups, anonymousGroup } = this.#model;
    const rolesOfGroup = (name: string): string[] => linksInOrder(groups.get(name)!.roles).map(([role]) => role); // as above
    if (username === null) return anonymousGroup === null ? [] : rolesOfGroup(anonymousGroup);
    const client = clients.get(username);
    if (client === undefined) return null;
    return [...linksInOrder(client.roles).map(([role]) => role), ...linksInOrder(client.groups).flatMap(([group]) => rolesOfGroup(group))];
  }
}

/** A role with its ACLs in order. */
class RankedRole {
  readonly #role: Role;
  readonly #acls: Readonly<Record<AclType, readonly RoleAcl[]>>;

  constructor(role: Role) {
    this.#role = role;
    const ordered = (type: AclType): readonly RoleAcl[] => aclsInOrder(role, type);
    this.#acls = {
      publishClientSend: ordered('publishClientSend'),
      publishClientReceive: ordered('publishClientReceive'),
      subscribeLiteral: ordered('subscribeLiteral'),
      subscribePattern: ordered('subscribePattern'),
      unsubscribeLiteral: ordered('unsubscribeLiteral'),
      unsubscribePattern: ordered('unsubscribePattern'),
    };
  }

  /** decide gives the verdict of the first ACL that matches, or null. */
  decide(type: DefaultType, topic: string, requester: Requester): boolean | null {
    if (type === 'publishClientSend' || type === 'publishClientReceive') {
      return firstOf(this.#acls[type], (acl) => matches(acl, topic, requester, filterMatches));
    }
    if (type === 'subscribe' && !this.#role.allowWildcardSubs && /[+#]/.test(topic)) return false;
    const literal = firstOf(this.#acls[`${type}Literal`], (acl) => matches(acl, topic, requester, isSame));
    return literal ?? firstOf(this.#acls[`${type}Pattern`], (acl) => matches(acl, topic, requester, filterCovers));
  }
}

function firstOf(acls: readonly RoleAcl[], isMeant: (acl: RoleAcl) => boolean): boolean | null {
  for (const acl of acls) if (isMeant(acl)) return acl.allow;
  return null;
}

/** `%c` and `%u` stand for client id and user name; one that is no single plain level matches nothing. */
function matches(
  { topicFilter }: RoleAcl,
  topic: string,
  { clientId, username }: Requester,
  fits: (filter: string, topic: string) => boolean,
): boolean {
  if (!topicFilter.includes('%')) return fits(topicFilter, topic);
  if (topicFilter.includes('%c') && !isPlainLevel(clientId)) return false;
  if (topicFilter.includes('%u') && !isPlainLevel(username)) return false;
  const filled = topicFilter.replaceAll(/%[cu]/g, (mark) => (mark === '%c' ? clientId : username) ?? '');
  return filled.startsWith('$') === topicFilter.startsWith('$') && fits(filled, topic);
}

function isPlainLevel(name: string | null): boolean {
  return name !== null && /^[^/+#]+$/.test(name);
}

function isSame(a: string, b: string): boolean {
  return a === b;
}

/** filterCovers tells whether everything that a filter asks for is within another. */
export function filterCovers(wide: string, narrow: string): boolean {
  if (wide.startsWith('$') !== narrow.startsWith('$')) return false;
  const [outer, inner] = [wide.split('/'), narrow.split('/')];
  for (const [level, wanted] of outer.entries()) {
    if (wanted === '#') return true;
    const asked = inner[level];
    if (asked === undefined || asked === '#') return false;
    if (wanted !== '+' && wanted !== asked) return false;
  }
  return outer.length === inner.length;
}
