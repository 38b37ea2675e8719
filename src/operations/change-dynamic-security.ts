// Changes of dynamic security: each is one command of mosquitto's, whose answer becomes that of the operation.

import { z } from 'zod';
import { ACL_TYPES, MOST_PRIORITY, type SecurityModel } from '../access/dynamic-security/model.ts';
import { passwordFault } from '../access/password-file-edit.ts';
import { isTopicFilter } from '../mqtt/topics.ts';
import { DEFAULTS, modelRevision } from './dynamic-security.ts';
import type { OperationNeeds } from './needs.ts';
import { type Asker, badInput, OperationFailure, operation } from './operation.ts';
import { endRole, isInFiles, requireOtherAdmin } from './other-account.ts';

/** Links and ACLs of one thing. */
const MAX_ROWS = 1000;

const LINK = z.strictObject({
  name: z.string(),
  priority: z.number().int().min(-MOST_PRIORITY).max(MOST_PRIORITY).nullish().describe('the greatest is asked first; none = -1, the last'),
});

const ACL = z.strictObject({
  type: z.enum(ACL_TYPES),
  topic: z.string().describe('topic filter, with %c and %u for client identifier and user name'),
  priority: z.number().int().min(-MOST_PRIORITY).max(MOST_PRIORITY).default(0),
  allow: z.boolean(),
});

const TEXTS = { text: z.string().nullish().describe('its name for people'), description: z.string().nullish() };
const ROLES = { roles: z.array(LINK).max(MAX_ROWS).nullish() };
const USERNAME = { username: z.string() };
const NAME = { name: z.string() };
const CLIENT = {
  ...TEXTS,
  ...ROLES,
  clientId: z.string().nullish().describe("it must come with this client identifier; '' = with any"),
  groups: z.array(LINK).max(MAX_ROWS).nullish(),
  password: z.string().nullish().describe('at most 65,535 bytes'),
};
const ROLE = { ...TEXTS, allowWildcardSubs: z.boolean().nullish(), acls: z.array(ACL).max(MAX_ROWS).nullish() };
const REVISION = { revision: z.string().nullish().describe('that the asker has seen; another one is a conflict') };

const OUTPUT = z.object({ revision: z.string() });

/** ADD_DYNAMIC_CLIENT makes one. */
export const ADD_DYNAMIC_CLIENT = operation({
  name: 'add dynamic client',
  kind: 'command',
  right: 'admin',
  summary: 'Add a client of dynamic security; with a password it can sign in at once.',
  input: z.strictObject({ ...USERNAME, ...CLIENT }),
  output: OUTPUT,
  run: (needs, input, asker) => {
    const model = modelOf(needs);
    if (model.clients.has(input.username)) throw taken('username', `client "${input.username}"`);
    return change(needs, { asker, nameField: 'username', commands: [{ command: 'createClient', ...clientFields(model, input) }] });
  },
});

/** CHANGE_DYNAMIC_CLIENT changes what is given. */
export const CHANGE_DYNAMIC_CLIENT = operation({
  name: 'change dynamic client',
  kind: 'command',
  right: 'admin',
  summary:
    'Change a client of dynamic security: what is given takes the place of what was there. It is disconnected and comes again by itself.',
  input: z.strictObject({ ...USERNAME, ...CLIENT, disabled: z.boolean().nullish(), ...REVISION }),
  output: OUTPUT,
  run: (needs, { disabled, revision, ...input }, asker) => {
    const model = modelOf(needs, revision);
    const { username, ...given } = input;
    if (!model.clients.has(username)) throw missing(`client "${username}"`);
    const modify = Object.values(given).some((value) => value != null) ? [{ command: 'modifyClient', ...clientFields(model, input) }] : [];
    const turn = disabled == null ? [] : [{ command: disabled ? 'disableClient' : 'enableClient', username }];
    return change(needs, { asker, nameField: 'username', commands: [...modify, ...turn], revision });
  },
});

/** REMOVE_DYNAMIC_CLIENT takes it away. */
export const REMOVE_DYNAMIC_CLIENT = operation({
  name: 'remove dynamic client',
  kind: 'command',
  right: 'admin',
  summary: 'Remove a client of dynamic security, disconnect it, and take its role in the REST interface.',
  input: z.strictObject(USERNAME),
  output: OUTPUT.extend({
    canStillSignIn: z.boolean().describe('there is a user of this name elsewhere, in the password file: that one counts from now on'),
  }),
  run: async (needs, { username }, asker) => {
    if (!modelOf(needs).clients.has(username)) throw missing(`client "${username}"`);
    if (!isInFiles(needs, username, null)) requireOtherAdmin(needs, 'client', username);
    const done = await change(needs, { asker, nameField: 'username', commands: [{ command: 'deleteClient', username }] });
    const canStillSignIn = needs.access.canSignIn(username);
    if (!canStillSignIn) endRole(needs, username);
    return { ...done, canStillSignIn };
  },
});

/** changeDynamicPassword is for users who do not care where their account is. Throws OperationFailure. */
export async function changeDynamicPassword(
  needs: OperationNeeds,
  { username, password }: { readonly username: string; readonly password: string },
  asker: Asker,
): Promise<void> {
  const fault = passwordFault(password);
  if (fault !== null) throw badInput('password', fault);
  const commands = [{ command: 'setClientPassword', username, password }];
  await change(needs, { asker, nameField: 'username', commands });
}

/** lockDynamicClient disables a client, or enables it again. Throws OperationFailure. */
export async function lockDynamicClient(needs: OperationNeeds, username: string, locked: boolean, asker: Asker): Promise<void> {
  await change(needs, { asker, nameField: 'username', commands: [{ command: locked ? 'disableClient' : 'enableClient', username }] });
}

/** ADD_DYNAMIC_GROUP makes one. */
export const ADD_DYNAMIC_GROUP = operation({
  name: 'add dynamic group',
  kind: 'command',
  right: 'admin',
  summary: 'Add a group of dynamic security: its members have its roles.',
  input: z.strictObject({ ...NAME, ...TEXTS, ...ROLES }),
  output: OUTPUT,
  run: (needs, input, asker) => {
    const model = modelOf(needs);
    if (model.groups.has(input.name)) throw taken('name', `group "${input.name}"`);
    return change(needs, { asker, nameField: 'name', commands: [{ command: 'createGroup', ...groupFields(model, input) }] });
  },
});

/** CHANGE_DYNAMIC_GROUP changes what is given. */
export const CHANGE_DYNAMIC_GROUP = operation({
  name: 'change dynamic group',
  kind: 'command',
  right: 'admin',
  summary:
    'Change a group of dynamic security: what is given takes the place of what was there. Its members are disconnected and come again by themselves.',
  input: z.strictObject({
    ...NAME,
    ...TEXTS,
    ...ROLES,
    members: z.array(z.string()).max(MAX_ROWS).nullish().describe('user names of its clients'),
    ...REVISION,
  }),
  output: OUTPUT,
  run: (needs, { members, revision, ...input }, asker) => {
    const model = modelOf(needs, revision);
    if (!model.groups.has(input.name)) throw missing(`group "${input.name}"`);
    for (const [index, username] of (members ?? []).entries())
      if (!model.clients.has(username)) throw unknownName(['members', index], 'client', username);
    const priorityOf = (username: string) => model.clients.get(username)?.groups.get(input.name);
    const clients = members == null ? {} : { clients: members.map((username) => prioritized({ username }, priorityOf(username))) };
    return change(needs, {
      asker,
      nameField: 'name',
      commands: [{ command: 'modifyGroup', ...groupFields(model, input), ...clients }],
      revision,
    });
  },
});

/** REMOVE_DYNAMIC_GROUP takes it away. */
export const REMOVE_DYNAMIC_GROUP = operation({
  name: 'remove dynamic group',
  kind: 'command',
  right: 'admin',
  summary: 'Remove a group of dynamic security; its members stay, without its roles.',
  input: z.strictObject(NAME),
  output: OUTPUT,
  run: (needs, { name }, asker) => {
    const model = modelOf(needs);
    if (!model.groups.has(name)) throw missing(`group "${name}"`);
    if (model.anonymousGroup === name)
      throw new OperationFailure('not possible', `Cannot remove group "${name}": clients without a user name have its roles`);
    return change(needs, { asker, nameField: 'name', commands: [{ command: 'deleteGroup', groupname: name }] });
  },
});

/** ADD_DYNAMIC_ROLE makes one. */
export const ADD_DYNAMIC_ROLE = operation({
  name: 'add dynamic role',
  kind: 'command',
  right: 'admin',
  summary: 'Add a role of dynamic security: what who has it may do.',
  input: z.strictObject({ ...NAME, ...ROLE }),
  output: OUTPUT,
  run: (needs, input, asker) => {
    if (modelOf(needs).roles.has(input.name)) throw taken('name', `role "${input.name}"`);
    return change(needs, { asker, nameField: 'name', commands: [{ command: 'createRole', ...roleFields(input) }] });
  },
});

/** CHANGE_DYNAMIC_ROLE changes what is given. */
export const CHANGE_DYNAMIC_ROLE = operation({
  name: 'change dynamic role',
  kind: 'command',
  right: 'admin',
  summary:
    'Change a role of dynamic security: what is given takes the place of what was there. Who has it is disconnected and comes again by itself.',
  input: z.strictObject({ ...NAME, ...ROLE, ...REVISION }),
  output: OUTPUT,
  run: (needs, { revision, ...input }, asker) => {
    if (!modelOf(needs, revision).roles.has(input.name)) throw missing(`role "${input.name}"`);
    return change(needs, { asker, nameField: 'name', commands: [{ command: 'modifyRole', ...roleFields(input) }], revision });
  },
});

/** REMOVE_DYNAMIC_ROLE takes it away. */
export const REMOVE_DYNAMIC_ROLE = operation({
  name: 'remove dynamic role',
  kind: 'command',
  right: 'admin',
  summary: 'Remove a role of dynamic security from all clients and groups that have it.',
  input: z.strictObject(NAME),
  output: OUTPUT,
  run: (needs, { name }, asker) => {
    if (!modelOf(needs).roles.has(name)) throw missing(`role "${name}"`);
    return change(needs, { asker, nameField: 'name', commands: [{ command: 'deleteRole', rolename: name }] });
  },
});

/** CHANGE_DYNAMIC_DEFAULTS changes what counts where no role says anything. */
export const CHANGE_DYNAMIC_DEFAULTS = operation({
  name: 'change dynamic defaults',
  kind: 'command',
  right: 'admin',
  summary: 'Change what clients may do where no ACL of their roles matches, and the group of clients without a user name.',
  input: z.strictObject({
    defaults: DEFAULTS.partial().nullish(),
    anonymousGroup: z.string().nullish().describe('mosquitto knows no way to have none again'),
    ...REVISION,
  }),
  output: OUTPUT,
  run: (needs, { defaults, anonymousGroup, revision }, asker) => {
    const model = modelOf(needs, revision);
    if (anonymousGroup != null && !model.groups.has(anonymousGroup)) throw unknownName(['anonymousGroup'], 'group', anonymousGroup);
    const acls = Object.entries(defaults ?? {}).map(([acltype, allow]) => ({ acltype, allow }));
    const access = acls.length === 0 ? [] : [{ command: 'setDefaultACLAccess', acls }];
    const group = anonymousGroup == null ? [] : [{ command: 'setAnonymousGroup', groupname: anonymousGroup }];
    return change(needs, { asker, nameField: 'defaults', commands: [...access, ...group], revision });
  },
});

function modelOf({ access }: OperationNeeds, revision?: string | null): SecurityModel {
  const model = access.dynamic?.model;
  if (model === undefined)
    throw new OperationFailure(
      'not possible',
      'Cannot change dynamic security: the configuration does not turn it on (dynamic_security_file)',
    );
  requireRevision(model, revision);
  return model;
}

function requireRevision(model: SecurityModel, revision: string | null | undefined): void {
  if (revision != null && revision !== modelRevision(model))
    throw new OperationFailure('stale', 'Cannot change dynamic security: somebody else has changed it meanwhile');
}

type Fields = Readonly<Record<string, unknown>>;

interface Change {
  readonly asker: Asker;
  /** Of the input. */
  readonly nameField: string;
  readonly commands: readonly Fields[];
  /** That the asker has seen. Commands of others may come first, which hash passwords for a while. */
  readonly revision?: string | null | undefined;
}

/** What was looked at before is refused only by a name that cannot be one, or by a file that cannot be written. */
async function change(needs: OperationNeeds, { asker, nameField, commands, revision }: Change) {
  const { dynamic } = needs.access;
  const look = (model: SecurityModel) => requireRevision(model, revision);
  const answers = commands.length === 0 ? [] : await dynamic!.run(commands, asker.username ?? null, look); // modelOf was asked before
  const error = answers.map((answer) => answer['error']).find((each) => typeof each === 'string');
  if (error === undefined) return { revision: modelRevision(dynamic!.model) };
  if (/^(Empty|Invalid|.* not valid UTF-8)/.test(error)) throw badInput(nameField, error);
  throw new OperationFailure('not possible', error);
}

type Client = z.infer<z.ZodObject<typeof USERNAME & typeof CLIENT>>;

function clientFields(model: SecurityModel, { username, clientId, groups, password, ...input }: Client): Fields {
  const fault = password == null ? null : passwordFault(password);
  if (fault !== null) throw badInput('password', fault);
  for (const [index, { name }] of (groups ?? []).entries())
    if (!model.groups.has(name)) throw unknownName(['groups', index, 'name'], 'group', name);
  return given({
    ...{ username, clientid: clientId, password },
    groups: groups?.map(({ name, priority }) => prioritized({ groupname: name }, priority)),
    ...commonFields(model, input),
  });
}

function groupFields(model: SecurityModel, { name, ...input }: Common & { readonly name: string }): Fields {
  return given({ groupname: name, ...commonFields(model, input) });
}

function roleFields({ name, text, description, allowWildcardSubs, acls }: z.infer<z.ZodObject<typeof NAME & typeof ROLE>>): Fields {
  const seen = new Set<string>();
  for (const [index, { type, topic }] of (acls ?? []).entries()) {
    if (!isTopicFilter(topic))
      throw wrongTopic(
        index,
        `Cannot allow or forbid "${topic}": it is no topic filter - + stands for one whole level, and # for all below, only at the end: home/+/light, home/#`,
      );
    if (seen.has(`${type} ${topic}`)) throw wrongTopic(index, `Cannot have two ACLs of type ${type} for "${topic}" in one role`);
    seen.add(`${type} ${topic}`);
  }
  return given({
    ...{ rolename: name, textname: text, textdescription: description, allowwildcardsubs: allowWildcardSubs },
    acls: acls?.map(({ type, ...acl }) => ({ acltype: type, ...acl })),
  });
}

interface Common {
  readonly text?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly roles?: readonly z.infer<typeof LINK>[] | null | undefined;
}

function commonFields(model: SecurityModel, { text, description, roles }: Common): Fields {
  for (const [index, { name }] of (roles ?? []).entries())
    if (!model.roles.has(name)) throw unknownName(['roles', index, 'name'], 'role', name);
  const links = roles?.map(({ name, priority }) => prioritized({ rolename: name }, priority));
  return { textname: text, textdescription: description, roles: links };
}

function prioritized(link: Fields, priority: number | null | undefined): Fields {
  return priority == null ? link : { ...link, priority };
}

/** What a command does not name stays as it is. */
function given(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null));
}

function wrongTopic(index: number, message: string): OperationFailure {
  return new OperationFailure('bad input', message, { faults: [{ path: ['acls', index, 'topic'], message }] });
}

function unknownName(path: readonly (string | number)[], what: string, name: string): OperationFailure {
  const message = `There is no ${what} "${name}"`;
  return new OperationFailure('bad input', message, { faults: [{ path, message }] });
}

function taken(field: string, what: string): OperationFailure {
  const message = `Cannot add ${what}: there is one of this name`;
  return new OperationFailure('conflict', message, { faults: [{ path: [field], message }] });
}

function missing(what: string): OperationFailure {
  return new OperationFailure('not found', `Cannot find ${what} in dynamic security`);
}
