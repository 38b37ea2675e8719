// The commands about roles and their ACLs.

import { isTopicFilter } from '../../mqtt/topics.ts';
import { type Command, CommandError, type Data, type Fields, page, type Work } from './command.ts';
import {
  ACL_TYPES,
  type AclType,
  aclsInOrder,
  byName,
  type Role,
  type RoleAcl,
  type SecurityModel,
  type Texts,
  withinLimits,
} from './model.ts';
import { aclJson, textsJson } from './security-file.ts';

/** ROLE_COMMANDS are rows of COMMANDS. */
export const ROLE_COMMANDS: readonly Command[] = [
  { name: 'createRole', changes: true, logged: ['rolename'], run: createRole },
  { name: 'deleteRole', changes: true, logged: ['rolename'], run: deleteRole },
  { name: 'getRole', changes: false, logged: ['rolename'], run: getRole },
  { name: 'listRoles', changes: false, logged: ['verbose', 'count', 'offset'], run: listRoles },
  { name: 'modifyRole', changes: true, logged: ['rolename'], run: modifyRole },
  { name: 'addRoleACL', changes: true, logged: ['rolename', 'acltype', 'topic', 'priority', 'allow'], run: addRoleAcl },
  { name: 'removeRoleACL', changes: true, logged: ['rolename', 'acltype', 'topic'], run: removeRoleAcl },
];

/** takeTexts replaces the texts that a command brings. */
export function takeTexts(fields: Fields, texts: Texts): void {
  texts.textName = fields.text('textname') ?? texts.textName;
  texts.textDescription = fields.text('textdescription') ?? texts.textDescription;
}

/** kickRole has everybody disconnected who may have a role; as mosquitto, also those without a user name where their group has it. */
export function kickRole({ model, kicked }: Pick<Work, 'model' | 'kicked'>, role: string): void {
  const groups = [...model.groups.values()].filter(({ roles }) => roles.has(role)).map(({ name }) => name);
  for (const { username, roles, groups: member } of model.clients.values()) {
    if (roles.has(role) || groups.some((group) => member.has(group))) kicked.add(username);
  }
  if (model.anonymousGroup !== null && groups.includes(model.anonymousGroup)) kicked.add(null);
}

function createRole({ model, fields }: Work): void {
  const name = fields.name('rolename', true);
  const role: Role = { name, textName: null, textDescription: null, allowWildcardSubs: fields.flag('allowwildcardsubs') ?? true, acls: [] };
  takeTexts(fields, role);
  if (model.roles.has(name)) throw new CommandError('Role already exists');
  role.acls = aclsOf(fields) ?? [];
  model.roles.set(name, role);
}

function deleteRole(work: Work): void {
  const { model, fields } = work;
  const { name } = fields.found('rolename', model.roles);
  kickRole(work, name);
  model.roles.delete(name);
  for (const { roles } of [...model.clients.values(), ...model.groups.values()]) roles.delete(name);
}

function getRole({ model, fields }: Work): Data {
  return { role: roleJson(fields.found('rolename', model.roles)) };
}

function listRoles({ model, fields }: Work): Data {
  const roles = page(fields, byName(model.roles));
  return { totalCount: model.roles.size, roles: fields.flag('verbose') === true ? roles.map(roleJson) : roles.map(({ name }) => name) };
}

function modifyRole(work: Work): void {
  const { model, fields } = work;
  const role = fields.found('rolename', model.roles, 'Role does not exist');
  takeTexts(fields, role);
  const [allows, acls] = [fields.flag('allowwildcardsubs'), aclsOf(fields)];
  const isOther = acls !== null || (allows !== null && allows !== role.allowWildcardSubs);
  role.allowWildcardSubs = allows ?? role.allowWildcardSubs;
  role.acls = acls ?? role.acls;
  if (isOther) kickRole(work, role.name);
}

function addRoleAcl(work: Work): void {
  const { model, fields } = work;
  const role = fields.found('rolename', model.roles);
  const { type, topicFilter } = target(fields);
  if (role.acls.some((acl) => acl.type === type && acl.topicFilter === topicFilter))
    throw new CommandError('ACL with this topic already exists');
  role.acls.push({ type, topicFilter, priority: withinLimits(fields.number('priority', 0)), allow: fields.flag('allow') ?? false });
  kickRole(work, role.name);
}

function removeRoleAcl(work: Work): void {
  const { model, fields } = work;
  const role = fields.found('rolename', model.roles);
  const { type, topicFilter } = target(fields);
  const left = role.acls.filter((acl) => acl.type !== type || acl.topicFilter !== topicFilter);
  if (left.length === role.acls.length) throw new CommandError('ACL not found');
  role.acls = left;
  kickRole(work, role.name);
}

function target(fields: Fields): { readonly type: AclType; readonly topicFilter: string } {
  const named = fields.text('acltype');
  if (named === null) throw new CommandError('Invalid/missing acltype');
  const type = typeNamed(named);
  if (type === null) throw new CommandError('Unknown acltype');
  const topicFilter = fields.name('topic');
  if (!isTopicFilter(topicFilter)) throw new CommandError('Invalid ACL topic');
  return { type, topicFilter };
}

/** Null = no list is there. As mosquitto: what is no whole ACL in it is left out. */
function aclsOf(fields: Fields): RoleAcl[] | null {
  const list = fields.list('acls');
  if (list === null) return null;
  const acls = new Map<string, RoleAcl>();
  for (const each of list) {
    const [type, topicFilter] = [typeNamed(each.text('acltype') ?? ''), each.text('topic')];
    if (type === null || topicFilter === null || acls.has(`${type} ${topicFilter}`)) continue;
    if (!isTopicFilter(topicFilter)) throw new CommandError('Invalid ACL topic');
    acls.set(`${type} ${topicFilter}`, {
      type,
      topicFilter,
      priority: withinLimits(each.number('priority', 0)),
      allow: each.flag('allow') ?? false,
    });
  }
  return [...acls.values()];
}

function typeNamed(name: string): AclType | null {
  return ACL_TYPES.find((type) => type.toLowerCase() === name.toLowerCase()) ?? null;
}

function roleJson(role: Role) {
  return {
    rolename: role.name,
    ...textsJson(role),
    allowwildcardsubs: role.allowWildcardSubs,
    acls: ACL_TYPES.flatMap((type) => aclsInOrder(role, type).map(aclJson)),
  };
}

/** rolesOf reads the `roles` of a command; null = there is no such field. */
export function rolesOf(fields: Fields, { roles }: SecurityModel): Map<string, number> | null {
  if (!fields.has('roles')) return null;
  const list = fields.list('roles');
  const mistake = "'roles' not an array or missing/invalid rolename";
  if (list === null) throw new CommandError(mistake);
  const links = new Map<string, number>();
  for (const each of list) {
    const name = each.has('rolename') ? each.text('rolename') : null;
    if (name === null) throw new CommandError(mistake);
    if (!roles.has(name)) throw new CommandError('Role not found');
    links.set(name, withinLimits(each.number('priority', -1)));
  }
  return links;
}
