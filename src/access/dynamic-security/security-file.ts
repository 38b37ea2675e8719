// The file of dynamic security: JSON as mosquitto 2.0 and 2.1 write it. What we write, both read.

import { replaceSecret } from '../../base/durable-file.ts';
import { OperatorError, reasonOf } from '../../base/errors.ts';
import { readAccessFile } from '../file-diagnostic.ts';
import { type PasswordHash, parsePasswordHash, passwordHashText } from '../password-hash.ts';
import {
  ACL_TYPES,
  aclsInOrder,
  byName,
  DEFAULT_TYPES,
  emptyModel,
  type Links,
  linksInOrder,
  membersOf,
  NO_PRIORITY,
  type RoleAcl,
  type SecurityModel,
  type Texts,
  withinLimits,
} from './model.ts';

/** readSecurityFile reads a file; throws OperatorError that names it and what is wrong. */
export function readSecurityFile(path: string): SecurityModel {
  const text = readAccessFile('dynamic_security_file', path);
  try {
    return parseSecurityFile(text);
  } catch (error) {
    throw new OperatorError(`Cannot use dynamic_security_file "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

/** writeSecurityFile puts a model in the place of a file, 0600. Throws what the system says. */
export function writeSecurityFile(path: string, model: SecurityModel): void {
  replaceSecret(path, securityFileText(model));
}

/** parseSecurityFile reads the text. Throws an Error with the place of the first mistake. */
export function parseSecurityFile(text: string): SecurityModel {
  const file = recordOf(JSON.parse(text), 'the file');
  const model = emptyModel();
  const defaults = file['defaultACLAccess'];
  if (defaults !== undefined) readDefaults(recordOf(defaults, 'defaultACLAccess'), model);
  for (const [where, role] of rows(file, 'roles')) readRole(role, where, model);
  for (const [where, client] of rows(file, 'clients')) readClient(client, where, model);
  for (const [where, group] of rows(file, 'groups')) readGroup(group, where, model);
  for (const [where, client] of rows(file, 'clients')) readGroupsOf(client, where, model); // of mosquitto 2.0: in the client as well
  model.anonymousGroup = textOf(file, 'anonymousGroup', 'the file');
  if (model.anonymousGroup !== null && !model.groups.has(model.anonymousGroup))
    throw new Error(`there is no group "${model.anonymousGroup}"`);
  const { changeIndex } = file;
  model.changeIndex = typeof changeIndex === 'number' && Number.isSafeInteger(changeIndex) ? changeIndex : 0;
  return model;
}

/** securityFileText is the text of a file, as mosquitto indents it. */
export function securityFileText(model: SecurityModel): string {
  const file = {
    defaultACLAccess: model.defaults,
    changeIndex: model.changeIndex,
    clients: byName(model.clients).map((client) => ({
      username: client.username,
      ...(client.clientId === null ? {} : { clientid: client.clientId }),
      ...textsJson(client),
      ...(client.disabled ? { disabled: true } : {}),
      roles: linksJson(client.roles, 'rolename'),
      ...passwordJson(client.password),
    })),
    groups: byName(model.groups).map((group) => ({
      groupname: group.name,
      ...textsJson(group),
      roles: linksJson(group.roles, 'rolename'),
      clients: membersOf(model, group.name).map(({ username, groups }) => ({ username, ...priorityJson(groups.get(group.name)!) })), // a member
    })),
    ...(model.anonymousGroup === null ? {} : { anonymousGroup: model.anonymousGroup }),
    roles: byName(model.roles).map((role) => ({
      rolename: role.name,
      ...textsJson(role),
      allowwildcardsubs: role.allowWildcardSubs,
      acls: ACL_TYPES.flatMap((type) => aclsInOrder(role, type).map(aclJson)),
    })),
  };
  return JSON.stringify(file, null, '\t');
}

/** aclJson is an ACL as mosquitto writes it, in its file and in its answers. */
export function aclJson({ type, topicFilter, priority, allow }: RoleAcl) {
  return { acltype: type, topic: topicFilter, priority, allow };
}

/** textsJson has the texts that there are. */
export function textsJson({ textName, textDescription }: Texts) {
  return {
    ...(textName === null ? {} : { textname: textName }),
    ...(textDescription === null ? {} : { textdescription: textDescription }),
  };
}

/** linksJson are the links in order, with the priorities that were given. */
export function linksJson(links: Links, word: 'rolename' | 'groupname') {
  return linksInOrder(links).map(([name, priority]) => ({ [word]: name, ...priorityJson(priority) }));
}

function priorityJson(priority: number) {
  return priority === NO_PRIORITY ? {} : { priority };
}

/** mosquitto 2.0 reads the three fields, 2.1 both forms. */
function passwordJson(hash: PasswordHash | null) {
  if (hash === null) return {};
  if (hash.kind !== 'pbkdf2') return { encoded_password: passwordHashText(hash) };
  return { password: hash.hash.toString('base64'), salt: hash.salt.toString('base64'), iterations: hash.iterations };
}

type Json = Readonly<Record<string, unknown>>;

function readDefaults(values: Json, model: SecurityModel): void {
  for (const type of DEFAULT_TYPES) model.defaults[type] = flagOf(values, type, 'defaultACLAccess') ?? model.defaults[type];
}

function readRole(json: Json, where: string, { roles }: SecurityModel): void {
  const name = nameOf(json, 'rolename', where, roles);
  const acls = rows(json, 'acls', where).map(([at, acl]) => readAcl(acl, at));
  roles.set(name, { name, ...textsOf(json, where), allowWildcardSubs: flagOf(json, 'allowwildcardsubs', where) ?? true, acls });
}

function readAcl(json: Json, where: string): RoleAcl {
  const name = textOf(json, 'acltype', where)?.toLowerCase();
  const type = ACL_TYPES.find((each) => each.toLowerCase() === name);
  const topicFilter = textOf(json, 'topic', where);
  if (type === undefined) throw new Error(`${where} has no known acltype: write one of ${ACL_TYPES.join(', ')}`);
  if (topicFilter === null) throw new Error(`${where} has no topic`);
  return { type, topicFilter, priority: priorityOf(json, 0), allow: flagOf(json, 'allow', where) ?? false };
}

function readClient(json: Json, where: string, model: SecurityModel): void {
  const username = nameOf(json, 'username', where, model.clients);
  model.clients.set(username, {
    username,
    ...textsOf(json, where),
    clientId: textOf(json, 'clientid', where),
    disabled: flagOf(json, 'disabled', where) ?? false,
    password: readPassword(json, where),
    roles: readLinks(json, 'roles', 'rolename', where, model.roles),
    groups: new Map(),
  });
}

function readPassword(json: Json, where: string): PasswordHash | null {
  const whole = textOf(json, 'encoded_password', where);
  const [hash, salt, { iterations }] = [textOf(json, 'password', where), textOf(json, 'salt', where), json];
  if (whole === null && hash === null) return null;
  const read = parsePasswordHash(whole ?? `$7$${iterations}$${salt}$${hash}`);
  if (read === null) throw new Error(`${where} has a password hash that is damaged: set its password again`); // the text is not shown
  return read;
}

function readGroup(json: Json, where: string, model: SecurityModel): void {
  const name = nameOf(json, 'groupname', where, model.groups);
  model.groups.set(name, { name, ...textsOf(json, where), roles: readLinks(json, 'roles', 'rolename', where, model.roles) });
  for (const [member, priority] of readLinks(json, 'clients', 'username', where, model.clients)) {
    model.clients.get(member)!.groups.set(name, priority); // a name that is there
  }
}

function readGroupsOf(json: Json, where: string, { clients, groups }: SecurityModel): void {
  const client = clients.get(textOf(json, 'username', where) ?? '');
  for (const [name, priority] of readLinks(json, 'groups', 'groupname', where, groups)) {
    if (client !== undefined && !client.groups.has(name)) client.groups.set(name, priority);
  }
}

function readLinks(json: Json, list: string, word: string, where: string, known: ReadonlyMap<string, unknown>): Links {
  const links: Links = new Map();
  for (const [at, link] of rows(json, list, where)) {
    const name = textOf(link, word, at);
    if (name === null) throw new Error(`${at} has no ${word}`);
    if (!known.has(name)) throw new Error(`${at} names "${name}", which is not there`);
    links.set(name, priorityOf(link, NO_PRIORITY));
  }
  return links;
}

function nameOf(json: Json, word: string, where: string, known: ReadonlyMap<string, unknown>): string {
  const name = textOf(json, word, where);
  if (name === null) throw new Error(`${where} has no ${word}`);
  if (known.has(name)) throw new Error(`${where} is "${name}" for the second time`);
  return name;
}

/** mosquitto_ctrl 2.0 writes `textName` into a first file. */
function textsOf(json: Json, where: string): Texts {
  return {
    textName: textOf(json, 'textname', where) ?? textOf(json, 'textName', where),
    textDescription: textOf(json, 'textdescription', where) ?? textOf(json, 'textDescription', where),
  };
}

function textOf(json: Json, word: string, where: string): string | null {
  const value = json[word];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw new Error(`"${word}" of ${where} is no text`);
  return value;
}

function flagOf(json: Json, word: string, where: string): boolean | null {
  const value = json[word];
  if (value === undefined) return null;
  if (typeof value !== 'boolean') throw new Error(`"${word}" of ${where} is neither true nor false`);
  return value;
}

function priorityOf({ priority }: Json, otherwise: number): number {
  return typeof priority === 'number' ? withinLimits(priority) : otherwise;
}

function rows(json: Json, list: string, within: string | null = null): [where: string, row: Json][] {
  const value = json[list] ?? [];
  const name = within === null ? list : `${list} of ${within}`;
  if (!Array.isArray(value)) throw new Error(`"${name}" is no list`);
  return value.map((each, index) => [`entry ${index + 1} of ${name}`, recordOf(each, `entry ${index + 1} of ${name}`)]);
}

function recordOf(value: unknown, where: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${where} is no object`);
  return value as Json;
}
