// `midge ctrl dynsec`: the commands of dynamic security in the words of mosquitto_ctrl-dynsec(1).

import { ACL_TYPES, DEFAULT_TYPES } from '../../access/dynamic-security/model.ts';
import { askNewSecret } from '../../terminal/ask.ts';
import { anonymousGroup, client, defaultAccess, group, list, nothing, role } from './dynsec-answers.ts';
import {
  type ControlCommand,
  type ControlModule,
  findCommand,
  InvalidWords,
  type Json,
  type Question,
  type Surroundings,
  usageOf,
} from './module.ts';

const TOPIC = '$CONTROL/dynamic-security/v1';

/** A row. `read` gives the fields of the command, or null when the words do not fit; absent = no broker is asked. */
interface DynsecCommand extends ControlCommand {
  readonly read?: (words: readonly string[], surroundings: Surroundings) => Json | null | Promise<Json | null>;
  readonly linesOf?: Question['linesOf'];
}

const PAGE = '[COUNT [OFFSET]]';

const COMMANDS: readonly DynsecCommand[] = [
  {
    section: 'Files (no broker is asked)',
    name: 'init',
    words: 'FILE ADMIN [PASSWORD]',
    summary: 'make a file with an administrator',
  },
  {
    section: 'General',
    name: 'getDefaultACLAccess',
    words: '',
    summary: 'what is allowed where no ACL matches',
    read: () => ({}),
    linesOf: defaultAccess,
  },
  { section: 'General', name: 'setDefaultACLAccess', words: 'DEFAULT allow|deny', summary: 'change it', read: defaultWords },
  {
    section: 'General',
    name: 'getAnonymousGroup',
    words: '',
    summary: 'the group of clients without a user name',
    read: () => ({}),
    linesOf: anonymousGroup,
  },
  { section: 'General', name: 'setAnonymousGroup', words: 'GROUP', summary: 'change it', read: names('groupname') },

  { section: 'Clients', name: 'createClient', words: 'USER [-c CLIENT_ID] [-p PASSWORD]', summary: '', read: newClient },
  { section: 'Clients', name: 'deleteClient', words: 'USER', summary: '', read: names('username') },
  {
    section: 'Clients',
    name: 'setClientPassword',
    words: 'USER [PASSWORD]',
    summary: 'with -f FILE in a file, while no broker runs',
    read: newPassword,
  },
  { section: 'Clients', name: 'setClientId', words: 'USER [CLIENT_ID]', summary: 'none: any', read: names('username', 1, 'clientid') },
  { section: 'Clients', name: 'addClientRole', words: 'USER ROLE [PRIORITY]', summary: '', read: link('username', 'rolename') },
  { section: 'Clients', name: 'removeClientRole', words: 'USER ROLE', summary: '', read: link('username', 'rolename') },
  { section: 'Clients', name: 'getClient', words: 'USER', summary: '', read: names('username'), linesOf: client },
  { section: 'Clients', name: 'listClients', words: PAGE, summary: '', read: page, linesOf: list('clients', 'username') },
  { section: 'Clients', name: 'enableClient', words: 'USER', summary: '', read: names('username') },
  {
    section: 'Clients',
    name: 'disableClient',
    words: 'USER',
    summary: 'disconnect it, and refuse it from now on',
    read: names('username'),
  },

  { section: 'Groups', name: 'createGroup', words: 'GROUP', summary: '', read: names('groupname') },
  { section: 'Groups', name: 'deleteGroup', words: 'GROUP', summary: '', read: names('groupname') },
  { section: 'Groups', name: 'addGroupRole', words: 'GROUP ROLE [PRIORITY]', summary: '', read: link('groupname', 'rolename') },
  { section: 'Groups', name: 'removeGroupRole', words: 'GROUP ROLE', summary: '', read: link('groupname', 'rolename') },
  { section: 'Groups', name: 'addGroupClient', words: 'GROUP USER [PRIORITY]', summary: '', read: link('groupname', 'username') },
  { section: 'Groups', name: 'removeGroupClient', words: 'GROUP USER', summary: '', read: link('groupname', 'username') },
  { section: 'Groups', name: 'getGroup', words: 'GROUP', summary: '', read: names('groupname'), linesOf: group },
  { section: 'Groups', name: 'listGroups', words: PAGE, summary: '', read: page, linesOf: list('groups', 'groupname') },

  { section: 'Roles', name: 'createRole', words: 'ROLE', summary: '', read: names('rolename') },
  { section: 'Roles', name: 'deleteRole', words: 'ROLE', summary: '', read: names('rolename') },
  { section: 'Roles', name: 'addRoleACL', words: 'ROLE ACL FILTER allow|deny [PRIORITY]', summary: '', read: newAcl },
  { section: 'Roles', name: 'removeRoleACL', words: 'ROLE ACL FILTER', summary: '', read: oldAcl },
  { section: 'Roles', name: 'getRole', words: 'ROLE', summary: '', read: names('rolename'), linesOf: role },
  { section: 'Roles', name: 'listRoles', words: PAGE, summary: '', read: page, linesOf: list('roles', 'rolename') },
];

/** DYNSEC_MODULE asks about clients, groups and roles, and changes them. */
export const DYNSEC_MODULE: ControlModule = {
  name: 'dynsec',
  title: 'Dynamic security module: clients, groups and roles, changed while the broker runs.',
  commands: COMMANDS,
  notes: [
    `ACL      ${ACL_TYPES.join('\n         ')}`,
    `DEFAULT  ${DEFAULT_TYPES.join('\n         ')}`,
    'Roles, groups and ACLs with a greater PRIORITY are asked first; the first ACL that matches decides.',
  ],
  usageOf: (name) => usageOf(COMMANDS, name),
  holdsSecret: (name, words) => {
    const command = findCommand(COMMANDS, name)?.name;
    return command === 'createClient' || (command === 'setClientPassword' && words.length > 1) || (command === 'init' && words.length > 2);
  },
  prepare: async (name, words, surroundings) => {
    const command = findCommand(COMMANDS, name);
    if (command === undefined) return null;
    if (command.read === undefined || (command.name === 'setClientPassword' && surroundings.dataFile !== null)) {
      const { makeFile, setPasswordInFile } = await import('./dynsec-files.ts');
      await (command.read === undefined ? makeFile : setPasswordInFile)(words, surroundings);
      return 'done';
    }
    const fields = await command.read(words, surroundings);
    if (fields === null) throw new InvalidWords();
    return { topic: TOPIC, command: { command: command.name, ...fields }, linesOf: command.linesOf ?? nothing };
  },
};

/** names takes one word, and further ones that may be left out. */
function names(first: string, surplus = 0, second = ''): (words: readonly string[]) => Json | null {
  return ([one, other, ...rest]) => {
    if (one === undefined || rest.length > 0 || (other !== undefined && surplus === 0)) return null;
    return { [first]: one, ...(other === undefined ? {} : { [second]: other }) };
  };
}

function link(first: string, second: string): (words: readonly string[]) => Json | null {
  return ([one, other, priority, ...rest]) => {
    if (one === undefined || other === undefined || rest.length > 0) return null;
    const number = priority === undefined ? -1 : whole(priority);
    return { [first]: one, [second]: other, ...(number === -1 ? {} : { priority: number }) };
  };
}

function page([count, offset, ...rest]: readonly string[]): Json | null {
  if (rest.length > 0) return null;
  const [most, first] = [whole(count ?? '-1'), whole(offset ?? '-1')];
  return { ...(most > 0 ? { count: most } : {}), ...(first > 0 ? { offset: first } : {}) };
}

function defaultWords([type, access, ...rest]: readonly string[]): Json | null {
  if (type === undefined || access === undefined || rest.length > 0) return null;
  if (!DEFAULT_TYPES.some((each) => each.toLowerCase() === type.toLowerCase())) return null;
  const allow = allowOf(access);
  if (allow === null) throw new InvalidWords('Error: access must be "allow" or "deny".');
  return { acls: [{ acltype: type, allow }] };
}

function newAcl([rolename, acltype, topic, access, priority, ...rest]: readonly string[]): Json | null {
  const allow = allowOf(access ?? '');
  if (rolename === undefined || topic === undefined || allow === null || rest.length > 0 || !isAclType(acltype)) return null;
  return { rolename, acltype, topic, ...(priority === undefined ? {} : { priority: whole(priority) }), allow };
}

function oldAcl([rolename, acltype, topic, ...rest]: readonly string[]): Json | null {
  return rolename === undefined || topic === undefined || rest.length > 0 || !isAclType(acltype) ? null : { rolename, acltype, topic };
}

function isAclType(word: string | undefined): boolean {
  return ACL_TYPES.some((type) => type.toLowerCase() === word?.toLowerCase());
}

function allowOf(word: string): boolean | null {
  const access = word.toLowerCase();
  return access === 'allow' ? true : access === 'deny' ? false : null;
}

/** whole reads a number as C's atoi does. */
function whole(text: string): number {
  return Number.parseInt(text, 10) || 0;
}

async function newClient([username, ...words]: readonly string[], { terminal }: Surroundings): Promise<Json | null> {
  if (username === undefined) return null;
  let [clientid, password, asks]: [string | null, string | null, boolean] = [null, null, true];
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--no-password') {
      asks = false;
      continue;
    }
    if (word !== '-c' && word !== '-i' && word !== '-p') throw new InvalidWords(`Error: Unknown argument: ${word}`);
    const value = rest.shift();
    if (value === undefined)
      throw new InvalidWords(`Error: ${word} argument given, but no ${word === '-p' ? 'password' : 'clientid'} provided.`);
    if (word === '-p') password = value;
    else clientid = value;
  }
  if (password === null && asks) {
    terminal.stdout.write(`Enter new password for ${username}. Press return for no password (user will be unable to login).\n`);
    password = await askNewSecret(terminal, username);
  }
  return { username, ...(clientid === null ? {} : { clientid }), ...(password === null ? {} : { password }) };
}

async function newPassword([username, given, ...rest]: readonly string[], { terminal }: Surroundings): Promise<Json | null> {
  if (username === undefined || rest.length > 0) return null;
  return { username, password: given ?? (await askNewSecret(terminal, username)) ?? '' };
}
