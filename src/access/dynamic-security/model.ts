// Clients, groups and roles of mosquitto's dynamic security, as values: what is in its file, and nothing that looks at it.
//
//   client --roles--> role --acls--> { type, topic filter, priority, allow }
//      `----groups--> group --roles--> role

import type { PasswordHash } from '../password-hash.ts';

/** ACL_TYPES in mosquitto's order, which is that of its answers and of its file. */
export const ACL_TYPES = [
  'publishClientSend',
  'publishClientReceive',
  'subscribeLiteral',
  'subscribePattern',
  'unsubscribeLiteral',
  'unsubscribePattern',
] as const;
export type AclType = (typeof ACL_TYPES)[number];

/** DEFAULT_TYPES are what a default is for: where no ACL of a client matches. */
export const DEFAULT_TYPES = ['publishClientSend', 'publishClientReceive', 'subscribe', 'unsubscribe'] as const;
export type DefaultType = (typeof DEFAULT_TYPES)[number];

/** NO_PRIORITY of a link to a role or group is left out where it is written. */
export const NO_PRIORITY = -1;
/** MOST_PRIORITY: mosquitto takes what is beyond it, up or down, as this. */
export const MOST_PRIORITY = 100_000;

/** Links are the roles or groups that something has, by name, with the priority of each. */
export type Links = Map<string, number>;

/** Texts are for people; null = none. */
export interface Texts {
  textName: string | null;
  textDescription: string | null;
}

export interface RoleAcl {
  readonly type: AclType;
  /** With `%c` and `%u` in the place of client id and user name. */
  readonly topicFilter: string;
  readonly priority: number;
  readonly allow: boolean;
}

export interface Role extends Texts {
  readonly name: string;
  /** False: no filter with `+` or `#` may be subscribed to by this role. */
  allowWildcardSubs: boolean;
  acls: RoleAcl[];
}

export interface Group extends Texts {
  readonly name: string;
  roles: Links;
}

export interface SecurityClient extends Texts {
  readonly username: string;
  /** It must come with this client id; null = with any. */
  clientId: string | null;
  disabled: boolean;
  /** Null = it has none yet, and can't sign in. */
  password: PasswordHash | null;
  roles: Links;
  groups: Links;
}

/** SecurityModel is all of it. Names that links lead to are there. */
export interface SecurityModel {
  readonly clients: Map<string, SecurityClient>;
  readonly groups: Map<string, Group>;
  readonly roles: Map<string, Role>;
  readonly defaults: Record<DefaultType, boolean>;
  /** Group whose roles clients without a user name have, or null. */
  anonymousGroup: string | null;
  /** Counts the commands that have changed something. */
  changeIndex: number;
}

/** canSignIn tells whether a client has a password, and is not disabled. */
export function canSignIn(client: SecurityClient): client is SecurityClient & { readonly password: PasswordHash } {
  return client.password !== null && !client.disabled;
}

/** NO_TEXTS for what has none. */
export const NO_TEXTS: Texts = { textName: null, textDescription: null };

/** emptyModel has nobody and mosquitto's defaults. */
export function emptyModel(): SecurityModel {
  return {
    clients: new Map(),
    groups: new Map(),
    roles: new Map(),
    defaults: { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true },
    anonymousGroup: null,
    changeIndex: 0,
  };
}

/** copyOf shares nothing that a command changes. */
export function copyOf(model: SecurityModel): SecurityModel {
  return {
    clients: mapped(model.clients, (client) => ({ ...client, roles: new Map(client.roles), groups: new Map(client.groups) })),
    groups: mapped(model.groups, (group) => ({ ...group, roles: new Map(group.roles) })),
    roles: mapped(model.roles, (role) => ({ ...role, acls: [...role.acls] })),
    defaults: { ...model.defaults },
    anonymousGroup: model.anonymousGroup,
    changeIndex: model.changeIndex,
  };
}

function mapped<Value>(map: ReadonlyMap<string, Value>, copy: (value: Value) => Value): Map<string, Value> {
  return new Map(Array.from(map, ([name, value]) => [name, copy(value)]));
}

/** byName gives what is in a map in the order of its names, as mosquitto lists them: by their bytes. */
export function byName<Value>(map: ReadonlyMap<string, Value>): Value[] {
  return [...map].toSorted(([a], [b]) => compareNames(a, b)).map(([, value]) => value);
}

/** linksInOrder gives links by priority, the greatest first, then by name. */
export function linksInOrder(links: ReadonlyMap<string, number>): [name: string, priority: number][] {
  return [...links].toSorted(([a, first], [b, second]) => second - first || compareNames(a, b));
}

/** aclsInOrder gives those of one type, by priority, the greatest first; those of the same as they were added. */
export function aclsInOrder({ acls }: Role, type: AclType): RoleAcl[] {
  return acls.filter((acl) => acl.type === type).toSorted((a, b) => b.priority - a.priority);
}

/** membersOf gives the clients of a group, in the order of their names. */
export function membersOf({ clients }: SecurityModel, group: string): SecurityClient[] {
  return byName(clients).filter(({ groups }) => groups.has(group));
}

/** withinLimits is a priority as mosquitto takes it. */
export function withinLimits(priority: number): number {
  return Math.max(-MOST_PRIORITY, Math.min(MOST_PRIORITY, Math.trunc(priority)));
}

function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
