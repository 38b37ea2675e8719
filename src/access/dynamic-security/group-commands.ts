// The commands about groups, and about the one of clients without a user name.

import { type Command, CommandError, type Data, page, type Work } from './command.ts';
import { byName, type Group, membersOf, NO_PRIORITY, type SecurityModel, withinLimits } from './model.ts';
import { rolesOf, takeTexts } from './role-commands.ts';
import { linksJson, textsJson } from './security-file.ts';

/** GROUP_COMMANDS are rows of COMMANDS. */
export const GROUP_COMMANDS: readonly Command[] = [
  { name: 'createGroup', changes: true, logged: ['groupname'], run: createGroup },
  { name: 'deleteGroup', changes: true, logged: ['groupname'], run: deleteGroup },
  { name: 'getGroup', changes: false, logged: ['groupname'], run: getGroup },
  { name: 'listGroups', changes: false, logged: ['verbose', 'count', 'offset'], run: listGroups },
  { name: 'modifyGroup', changes: true, logged: ['groupname'], run: modifyGroup },
  { name: 'addGroupClient', changes: true, logged: ['groupname', 'username', 'priority'], run: addGroupClient },
  { name: 'removeGroupClient', changes: true, logged: ['groupname', 'username'], run: removeGroupClient },
  { name: 'addGroupRole', changes: true, logged: ['groupname', 'rolename', 'priority'], run: addGroupRole },
  { name: 'removeGroupRole', changes: true, logged: ['groupname', 'rolename'], run: removeGroupRole },
  { name: 'setAnonymousGroup', changes: true, logged: ['groupname'], run: setAnonymousGroup },
  { name: 'getAnonymousGroup', changes: false, logged: [], run: getAnonymousGroup },
];

function createGroup({ model, fields }: Work): void {
  const name = fields.name('groupname', true);
  const group: Group = { name, textName: null, textDescription: null, roles: new Map() };
  takeTexts(fields, group);
  if (model.groups.has(name)) throw new CommandError('Group already exists');
  group.roles = rolesOf(fields, model) ?? group.roles;
  model.groups.set(name, group);
}

function deleteGroup(work: Work): void {
  const { model, fields } = work;
  const { name } = fields.found('groupname', model.groups);
  if (name === model.anonymousGroup) throw new CommandError('Deleting the anonymous group is forbidden');
  kickGroup(work, name);
  model.groups.delete(name);
  for (const { groups } of model.clients.values()) groups.delete(name);
}

function getGroup({ model, fields }: Work): Data {
  return { group: groupJson(model, fields.found('groupname', model.groups)) };
}

function listGroups({ model, fields }: Work): Data {
  const groups = page(fields, byName(model.groups));
  const isVerbose = fields.flag('verbose') === true;
  return {
    totalCount: model.groups.size,
    groups: isVerbose ? groups.map((group) => groupJson(model, group)) : groups.map(({ name }) => name),
  };
}

function modifyGroup(work: Work): void {
  const { model, fields } = work;
  const group = fields.found('groupname', model.groups);
  takeTexts(fields, group);
  group.roles = rolesOf(fields, model) ?? group.roles;
  kickGroup(work, group.name); // those who may go
  const members = membersIn(work);
  if (members !== null) {
    for (const { groups } of model.clients.values()) groups.delete(group.name);
    for (const [username, priority] of members) model.clients.get(username)!.groups.set(group.name, priority); // looked up before
  }
  kickGroup(work, group.name); // those who have come
}

function membersIn({ model, fields }: Work): Map<string, number> | null {
  const list = fields.list('clients');
  if (list === null) return null;
  const members = new Map<string, number>();
  for (const each of list) {
    const username = each.has('username') ? each.text('username') : null;
    if (username === null) throw new CommandError("'clients' contains an object with an invalid 'username'");
    if (!model.clients.has(username)) throw new CommandError("'clients' contains an object with a 'username' that does not exist");
    members.set(username, withinLimits(each.number('priority', NO_PRIORITY)));
  }
  return members;
}

function addGroupClient({ model, fields, kicked }: Work): void {
  const [client, group] = [fields.found('username', model.clients), fields.found('groupname', model.groups)];
  if (client.groups.has(group.name)) throw new CommandError('Client is already in this group');
  client.groups.set(group.name, withinLimits(fields.number('priority', NO_PRIORITY)));
  kicked.add(client.username);
}

function removeGroupClient({ model, fields, kicked }: Work): void {
  const [client, group] = [fields.found('username', model.clients), fields.found('groupname', model.groups)];
  client.groups.delete(group.name);
  kicked.add(client.username);
}

function addGroupRole(work: Work): void {
  const { model, fields } = work;
  const [group, role] = [fields.found('groupname', model.groups), fields.found('rolename', model.roles)];
  if (group.roles.has(role.name)) throw new CommandError('Group is already in this role');
  group.roles.set(role.name, withinLimits(fields.number('priority', NO_PRIORITY)));
  kickGroup(work, group.name);
}

function removeGroupRole(work: Work): void {
  const { model, fields } = work;
  const [group, role] = [fields.found('groupname', model.groups), fields.found('rolename', model.roles)];
  group.roles.delete(role.name);
  kickGroup(work, group.name);
}

function setAnonymousGroup({ model, fields, kicked }: Work): void {
  model.anonymousGroup = fields.found('groupname', model.groups).name;
  kicked.add(null);
}

function getAnonymousGroup({ model }: Work): Data {
  return { group: { groupname: model.anonymousGroup ?? '' } };
}

function kickGroup({ model, kicked }: Work, group: string): void {
  for (const { username } of membersOf(model, group)) kicked.add(username);
  if (group === model.anonymousGroup) kicked.add(null);
}

function groupJson(model: SecurityModel, group: Group) {
  return {
    groupname: group.name,
    ...textsJson(group),
    clients: membersOf(model, group.name).map(({ username }) => ({ username })),
    roles: linksJson(group.roles, 'rolename'),
  };
}
