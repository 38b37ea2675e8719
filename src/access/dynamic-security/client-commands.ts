// The commands about clients.

import { makePasswordHash } from '../password-hash.ts';
import { type Command, CommandError, type Data, type Fields, page, type Work } from './command.ts';
import { byName, NO_PRIORITY, type SecurityClient, type SecurityModel, withinLimits } from './model.ts';
import { rolesOf, takeTexts } from './role-commands.ts';
import { linksJson, textsJson } from './security-file.ts';

/** DYNSEC_ROUNDS of PBKDF2, the form that mosquitto 2.0 reads, with more rounds than its 101: a check takes some 10 ms. */
export const DYNSEC_ROUNDS = 20_000;

/** CLIENT_COMMANDS are rows of COMMANDS. */
export const CLIENT_COMMANDS: readonly Command[] = [
  { name: 'createClient', changes: true, logged: ['username', 'password', 'clientid'], run: createClient },
  { name: 'deleteClient', changes: true, logged: ['username'], run: deleteClient },
  { name: 'enableClient', changes: true, logged: ['username'], run: enableClient },
  { name: 'disableClient', changes: true, logged: ['username'], run: disableClient },
  { name: 'getClient', changes: false, logged: ['username'], run: getClient },
  { name: 'listClients', changes: false, logged: ['verbose', 'count', 'offset'], run: listClients },
  { name: 'modifyClient', changes: true, logged: ['username', 'password'], run: modifyClient },
  { name: 'setClientId', changes: true, logged: ['username', 'clientid'], run: setClientId },
  { name: 'setClientPassword', changes: true, logged: ['username', 'password'], run: setClientPassword },
  { name: 'addClientRole', changes: true, logged: ['username', 'rolename', 'priority'], run: addClientRole },
  { name: 'removeClientRole', changes: true, logged: ['username', 'rolename'], run: removeClientRole },
];

/** hashOf makes the hash of a password that a command brings. */
export function hashOf(password: string) {
  return makePasswordHash(password, 'sha512-pbkdf2', DYNSEC_ROUNDS);
}

async function createClient({ model, fields }: Work): Promise<void> {
  const username = fields.name('username', true);
  const password = fields.text('password');
  const client: SecurityClient = {
    username,
    textName: null,
    textDescription: null,
    clientId: fields.clientId() || null,
    disabled: false,
    password: null,
    roles: new Map(),
    groups: new Map(),
  };
  takeTexts(fields, client);
  if (model.clients.has(username)) throw new CommandError('Client already exists');
  client.roles = rolesOf(fields, model) ?? client.roles;
  client.groups = groupsOf(fields, model, 'Group not found') ?? client.groups;
  if (password !== null && password !== '') client.password = await hashOf(password);
  model.clients.set(username, client);
}

function deleteClient({ model, fields, kicked }: Work): void {
  const { username } = fields.found('username', model.clients);
  model.clients.delete(username);
  kicked.add(username);
}

function enableClient({ model, fields }: Work): void {
  fields.found('username', model.clients).disabled = false;
}

function disableClient({ model, fields, kicked }: Work): void {
  const client = fields.found('username', model.clients);
  client.disabled = true;
  kicked.add(client.username);
}

function getClient(work: Work): Data {
  const client = work.fields.found('username', work.model.clients);
  return { client: { ...clientJson(client), connections: work.addressesOf(client.username).map((address) => ({ address })) } };
}

function listClients({ model, fields }: Work): Data {
  const clients = page(fields, byName(model.clients));
  const isVerbose = fields.flag('verbose') === true;
  return { totalCount: model.clients.size, clients: isVerbose ? clients.map(clientJson) : clients.map(({ username }) => username) };
}

async function modifyClient({ model, fields, kicked }: Work): Promise<void> {
  const client = fields.found('username', model.clients);
  const [clientId, password] = [fields.clientId(), fields.text('password')];
  takeTexts(fields, client);
  client.roles = rolesOf(fields, model) ?? client.roles;
  client.groups = groupsOf(fields, model, "'groups' contains an object with a 'groupname' that does not exist") ?? client.groups;
  if (clientId !== null) client.clientId = clientId === '' ? null : clientId;
  if (password !== null && password !== '') client.password = await hashOf(password);
  kicked.add(client.username);
}

function setClientId({ model, fields, kicked }: Work): void {
  const client = fields.found('username', model.clients);
  client.clientId = fields.clientId() || null;
  kicked.add(client.username);
}

async function setClientPassword({ model, fields, kicked }: Work): Promise<void> {
  fields.name('username');
  const password = fields.text('password');
  if (password === null) throw new CommandError('Invalid/missing password');
  if (password === '') throw new CommandError('Empty password is not allowed');
  const client = fields.found('username', model.clients);
  client.password = await hashOf(password);
  kicked.add(client.username);
}

function addClientRole({ model, fields, kicked }: Work): void {
  const [username, rolename, priority] = [fields.name('username'), fields.name('rolename'), fields.priority()];
  const client = fields.found('username', model.clients);
  fields.found('rolename', model.roles);
  if (client.roles.has(rolename)) throw new CommandError('Internal error'); // mosquitto's word for a role that the client has
  client.roles.set(rolename, priority);
  kicked.add(username);
}

function removeClientRole({ model, fields, kicked }: Work): void {
  const client = fields.found('username', model.clients);
  const { name } = fields.found('rolename', model.roles);
  client.roles.delete(name);
  kicked.add(client.username);
}

function groupsOf(fields: Fields, { groups }: SecurityModel, missing: string): Map<string, number> | null {
  const list = fields.list('groups');
  if (list === null) return null;
  const links = new Map<string, number>();
  for (const each of list) {
    const name = each.has('groupname') ? each.text('groupname') : null;
    if (name === null) throw new CommandError("'groups' contains an object with an invalid 'groupname'");
    if (!groups.has(name)) throw new CommandError(missing);
    links.set(name, withinLimits(each.number('priority', NO_PRIORITY)));
  }
  return links;
}

function clientJson(client: SecurityClient) {
  return {
    username: client.username,
    ...(client.clientId === null ? {} : { clientid: client.clientId }),
    ...textsJson(client),
    ...(client.disabled ? { disabled: true } : {}),
    roles: linksJson(client.roles, 'rolename'),
    groups: linksJson(client.groups, 'groupname'),
  };
}
