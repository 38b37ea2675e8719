// The one table of dynamic security's commands, with mosquitto's names, errors and answers.

import { CLIENT_COMMANDS } from './client-commands.ts';
import { type Command, CommandError, type Data, type Fields, type Work } from './command.ts';
import { GROUP_COMMANDS } from './group-commands.ts';
import { DEFAULT_TYPES } from './model.ts';
import { ROLE_COMMANDS } from './role-commands.ts';

const GENERAL_COMMANDS: readonly Command[] = [
  { name: 'setDefaultACLAccess', changes: true, logged: [], run: setDefaults },
  { name: 'getDefaultACLAccess', changes: false, logged: [], run: getDefaults },
  { name: 'getDetails', changes: false, logged: [], run: getDetails },
];

/** COMMANDS are all of them, by their names in lower case. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  [...GENERAL_COMMANDS, ...CLIENT_COMMANDS, ...GROUP_COMMANDS, ...ROLE_COMMANDS].map((command) => [command.name.toLowerCase(), command]),
);

/** Nobody is disconnected, as in mosquitto: what comes next is judged by them. */
function setDefaults({ model, fields }: Work): void {
  const list = fields.list('acls');
  if (list === null) throw new CommandError('Missing/invalid actions array');
  for (const acl of list) takeDefault(acl, model.defaults);
}

/** As mosquitto: what is no default is left out. */
function takeDefault(acl: Fields, defaults: Record<string, boolean>): void {
  const name = acl.has('acltype') ? acl.text('acltype') : null;
  const type = DEFAULT_TYPES.find((each) => each.toLowerCase() === name?.toLowerCase());
  const allow = acl.flag('allow');
  if (type !== undefined && allow !== null) defaults[type] = allow;
}

function getDefaults({ model }: Work): Data {
  return { acls: DEFAULT_TYPES.map((acltype) => ({ acltype, allow: model.defaults[acltype] })) };
}

function getDetails({ model }: Work): Data {
  const { clients, groups, roles, changeIndex } = model;
  return { clientCount: clients.size, groupCount: groups.size, roleCount: roles.size, changeIndex };
}
