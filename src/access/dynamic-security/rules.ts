// What clients may do by their roles, in mosquitto's order: the client's own roles by priority, then those of its groups by theirs; in a
// role the ACLs by priority. The first that matches decides, else the default. `$CONTROL/...` has no default.
//
//   subscribe, per role: no wildcard where the role forbids them -> literal ACLs -> patterns, which must cover the whole filter

import type { Requester } from '../../broker/ports.ts';
import { filterMatches } from '../../mqtt/topics.ts';
import {
  type Action,
  type Arriving,
  type AskedClient,
  type ConcernedNames,
  constantAuthorizer,
  type Decision,
  type ExplainedAuthorizer,
} from '../decision.ts';
import { namesIn, overlaps } from '../filter-names.ts';
import { type AclType, aclsInOrder, type DefaultType, linksInOrder, type Role, type RoleAcl, type SecurityModel } from './model.ts';

/** What an action is called where its default is. */
const TYPES: Readonly<Record<Action, DefaultType>> = {
  publish: 'publishClientSend',
  receive: 'publishClientReceive',
  subscribe: 'subscribe',
};

/** UNKNOWN_USERS may do nothing where there is no ACL file beside dynamic security, as in mosquitto. */
export const UNKNOWN_USERS: ExplainedAuthorizer = constantAuthorizer({ allowed: false, reason: 'unknown user' });

/** RoleAuthorizer answers for the clients of one state of the model; a change makes another. */
export class RoleAuthorizer implements ExplainedAuthorizer {
  readonly #model: SecurityModel;
  /** The file of the model, for explanations. */
  readonly #file: string;
  /** For users whom the model does not know. */
  readonly #others: ExplainedAuthorizer;
  /** Roles in the order of their say, by user name; null = clients without one. */
  readonly #ranked = new Map<string | null, readonly RankedRole[]>();
  /** Roles by the group through which they are had, and by name: clients share them. */
  readonly #roles = new Map<string | null, Map<string, RankedRole>>();
  readonly #defaults: Readonly<Record<DefaultType, Decision>>;
  readonly #noDefault: Decision;

  constructor(model: SecurityModel, file: string, others: ExplainedAuthorizer | null) {
    this.#model = model;
    this.#file = file;
    this.#others = others ?? UNKNOWN_USERS;
    const byDefault = (type: DefaultType): Decision => ({ allowed: model.defaults[type], reason: 'default', file, type });
    this.#defaults = {
      publishClientSend: byDefault('publishClientSend'),
      publishClientReceive: byDefault('publishClientReceive'),
      subscribe: byDefault('subscribe'),
      unsubscribe: byDefault('unsubscribe'),
    };
    this.#noDefault = { allowed: false, reason: 'no default', file };
  }

  mayPublish(requester: Requester, topicName: string): boolean {
    return this.#decide(requester, 'publishClientSend', topicName)?.allowed ?? this.#others.mayPublish(requester, topicName);
  }

  mayReceive(requester: Requester, topicName: string): boolean {
    return this.#decide(requester, 'publishClientReceive', topicName)?.allowed ?? this.#others.mayReceive(requester, topicName);
  }

  maySubscribe(requester: Requester, topicFilter: string): boolean {
    return this.#decide(requester, 'subscribe', topicFilter)?.allowed ?? this.#others.maySubscribe(requester, topicFilter);
  }

  mayUnsubscribe(requester: Requester, topicFilter: string): boolean {
    return this.#decide(requester, 'unsubscribe', topicFilter)?.allowed ?? this.#others.mayUnsubscribe?.(requester, topicFilter) ?? true;
  }

  explain(client: AskedClient, action: Action, topic: string): Decision {
    return this.#decide(this.#whole(client), TYPES[action], topic) ?? this.#others.explain(client, action, topic);
  }

  /** A decision about the whole filter is the last one: those behind it are not asked. */
  arriving(client: AskedClient, topicFilter: string): Arriving {
    const roles = this.#rolesOf(client.username);
    if (roles === null) return this.#others.arriving(client, topicFilter);
    const decisions: Decision[] = [];
    for (const { filter, decision } of roles.flatMap((role) => role.received(this.#whole(client)))) {
      if (!overlaps(filter.split('/'), topicFilter.split('/'))) continue;
      decisions.push(decision);
      if (filterCovers(filter, topicFilter)) return { decisions, arrives: decisions.some(({ allowed }) => allowed) };
    }
    const otherwise = this.#otherwise('publishClientReceive', topicFilter);
    return { decisions: [...decisions, otherwise], arrives: otherwise.allowed || decisions.some(({ allowed }) => allowed) };
  }

  namesAbout(listener: string, topicName: string): ConcernedNames {
    const { clients, roles } = this.#model;
    const others = this.#others.namesAbout(listener, topicName);
    const filters = [...roles.values()].flatMap(({ acls }) => acls);
    const clientIds = filters.flatMap(({ topicFilter }) => namesIn(topicFilter, topicName)?.clientId ?? []);
    const literal = filters.filter(({ type, topicFilter }) => type === 'subscribeLiteral' && filterMatches(topicFilter, topicName));
    return {
      usernames: [...clients.keys(), ...others.usernames],
      clientIds: [...clientIds, ...others.clientIds],
      literalFilters: [...literal.map(({ topicFilter }) => topicFilter), ...others.literalFilters],
    };
  }

  /** Who is asked about with any client id has the one that the model wants. */
  #whole(client: AskedClient): AskedClient {
    if (client.clientId !== null || client.username === null) return client;
    return { ...client, clientId: this.#model.clients.get(client.username)?.clientId ?? null };
  }

  /** Null = the model does not know the user. */
  #decide(client: AskedClient, type: DefaultType, topic: string): Decision | null {
    const roles = this.#rolesOf(client.username);
    if (roles === null) return null;
    for (const role of roles) {
      const decision = role.decide(type, topic, client);
      if (decision !== null) return decision;
    }
    return this.#otherwise(type, topic);
  }

  #otherwise(type: DefaultType, topic: string): Decision {
    return topic.startsWith('$CONTROL') ? this.#noDefault : this.#defaults[type];
  }

  #rolesOf(username: string | null): readonly RankedRole[] | null {
    const known = this.#ranked.get(username);
    if (known !== undefined) return known;
    const roles = this.#rank(username);
    if (roles !== null) this.#ranked.set(username, roles); // anybody may invent a name: nothing is kept for it
    return roles;
  }

  #rank(username: string | null): RankedRole[] | null {
    const { clients, groups, anonymousGroup } = this.#model;
    const rolesOfGroup = (name: string) => linksInOrder(groups.get(name)!.roles).map(([role]) => this.#role(role, name)); // links lead to what is there
    if (username === null) return anonymousGroup === null ? [] : rolesOfGroup(anonymousGroup);
    const client = clients.get(username);
    if (client === undefined) return null;
    const own = linksInOrder(client.roles).map(([role]) => this.#role(role, null));
    return [...own, ...linksInOrder(client.groups).flatMap(([group]) => rolesOfGroup(group))];
  }

  #role(name: string, group: string | null): RankedRole {
    const roles = this.#roles.get(group) ?? new Map<string, RankedRole>();
    this.#roles.set(group, roles);
    const made = roles.get(name) ?? new RankedRole(this.#model.roles.get(name)!, group, this.#file); // as above
    roles.set(name, made);
    return made;
  }
}

/** An ACL with the decision that it means. */
interface RankedAcl {
  readonly acl: RoleAcl;
  readonly decision: Decision;
}

/** A role with its ACLs in order. */
class RankedRole {
  readonly #role: Role;
  readonly #acls: Readonly<Record<AclType, readonly RankedAcl[]>>;
  readonly #noWildcards: Decision;

  constructor(role: Role, group: string | null, file: string) {
    this.#role = role;
    this.#noWildcards = { allowed: false, reason: 'no wildcards', file, role: role.name, group };
    const ordered = (type: AclType): readonly RankedAcl[] =>
      aclsInOrder(role, type).map((acl) => ({ acl, decision: { allowed: acl.allow, reason: 'role', file, role: role.name, group, acl } }));
    this.#acls = {
      publishClientSend: ordered('publishClientSend'),
      publishClientReceive: ordered('publishClientReceive'),
      subscribeLiteral: ordered('subscribeLiteral'),
      subscribePattern: ordered('subscribePattern'),
      unsubscribeLiteral: ordered('unsubscribeLiteral'),
      unsubscribePattern: ordered('unsubscribePattern'),
    };
  }

  /** decide gives that of the first ACL that matches, or null. */
  decide(type: DefaultType, topic: string, client: AskedClient): Decision | null {
    if (type === 'publishClientSend' || type === 'publishClientReceive') return firstOf(this.#acls[type], topic, client, filterMatches);
    if (type === 'subscribe' && !this.#role.allowWildcardSubs && /[+#]/.test(topic)) return this.#noWildcards;
    return (
      firstOf(this.#acls[`${type}Literal`], topic, client, isSame) ?? firstOf(this.#acls[`${type}Pattern`], topic, client, filterCovers)
    );
  }

  /** received gives the filters of what it may receive, or not, for a client. */
  received(client: AskedClient): { filter: string; decision: Decision }[] {
    return this.#acls.publishClientReceive.flatMap(({ acl, decision }) => {
      const filter = filled(acl.topicFilter, client);
      return filter === null ? [] : [{ filter, decision }];
    });
  }
}

type Fits = (filter: string, topic: string) => boolean;

function firstOf(acls: readonly RankedAcl[], topic: string, client: AskedClient, fits: Fits): Decision | null {
  for (const { acl, decision } of acls) {
    const filter = filled(acl.topicFilter, client);
    if (filter !== null && fits(filter, topic)) return decision;
  }
  return null;
}

/** `%c` and `%u` stand for client id and user name; one that is no single plain level matches nothing: null. */
function filled(topicFilter: string, { clientId, username }: AskedClient): string | null {
  if (!topicFilter.includes('%')) return topicFilter;
  if (topicFilter.includes('%c') && !isPlainLevel(clientId)) return null;
  if (topicFilter.includes('%u') && !isPlainLevel(username)) return null;
  const filter = topicFilter.replaceAll(/%[cu]/g, (mark) => (mark === '%c' ? clientId : username) ?? '');
  return filter.startsWith('$') === topicFilter.startsWith('$') ? filter : null;
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
