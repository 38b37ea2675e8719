// The file that dynamic security begins with where there is none: mosquitto 2.1's roles, one administrator, and a client to try it with.

import { randomBytes } from 'node:crypto';
import { replaceSecret } from '../../base/durable-file.ts';
import { OperatorError, reasonOf } from '../../base/errors.ts';
import { readAccessFile } from '../file-diagnostic.ts';
import { hashOf } from './client-commands.ts';
import { emptyModel, type Links, NO_PRIORITY, NO_TEXTS, type RoleAcl, type SecurityModel } from './model.ts';
import { writeSecurityFile } from './security-file.ts';

/** The shortest password that $MOSQUITTO_DYNSEC_PASSWORD may hold. */
const SHORTEST = 12;

const EVERYTHING = ['publishClientSend', 'publishClientReceive', 'subscribePattern', 'unsubscribePattern'] as const;
const LOOKING = ['publishClientReceive', 'subscribePattern', 'unsubscribePattern'] as const;

const ROLES: readonly (readonly [name: string, description: string, filter: string, types: readonly RoleAcl['type'][]])[] = [
  ['broker-admin', 'Grants access to administer general broker configuration.', '$CONTROL/broker/#', EVERYTHING],
  ['client', 'Read/write access to the full application topic hierarchy.', '#', EVERYTHING],
  ['dynsec-admin', 'Grants access to administer clients/groups/roles.', '$CONTROL/dynamic-security/#', EVERYTHING],
  ['super-admin', 'Grants access to administer all kind of broker controls', '$CONTROL/#', EVERYTHING],
  ['sys-notify', 'Allow bridges to publish connection state messages.', '$SYS/broker/connection/%c/state', ['publishClientSend']],
  ['sys-observe', 'Observe the $SYS topic hierarchy.', '$SYS/#', ['publishClientReceive', 'subscribePattern']],
  ['topic-observe', 'Read only access to the full application topic hierarchy.', '#', LOOKING],
];

const ADMINISTRATOR: readonly (readonly [type: RoleAcl['type'], filter: string])[] = [
  ['publishClientSend', '$CONTROL/dynamic-security/#'],
  ['publishClientReceive', '$CONTROL/dynamic-security/#'],
  ['subscribePattern', '$CONTROL/dynamic-security/#'],
  ['publishClientReceive', '$SYS/#'],
  ['subscribePattern', '$SYS/#'],
  ['publishClientReceive', '#'],
  ['subscribePattern', '#'],
  ['unsubscribePattern', '#'],
];

export interface FirstFileSetup {
  readonly file: string;
  /** File whose first line is the administrator's password, or null. */
  readonly passwordInitFile: string | null;
  /** $MOSQUITTO_DYNSEC_PASSWORD. */
  readonly environment: string | undefined;
  readonly asOwner: AsOwner;
}

/** AsOwner does something as the user who owns the way to a path: root may find a folder of the broker's user. */
export type AsOwner = (path: string, work: () => void) => void;

/** makeFirstFile writes it, and the passwords that it has made itself to `FILE.pw`, 0600; gives that file's path, or null. Throws OperatorError. */
export async function makeFirstFile({ file, passwordInitFile, environment, asOwner }: FirstFileSetup): Promise<string | null> {
  const given = passwordInitFile !== null ? firstLine(passwordInitFile) : environment;
  if (given !== undefined && given.length < (passwordInitFile === null ? SHORTEST : 1)) {
    const where = passwordInitFile === null ? '$MOSQUITTO_DYNSEC_PASSWORD' : `plugin_opt_password_init_file "${passwordInitFile}"`;
    throw new OperatorError(`Cannot use ${where}: its password is too short`);
  }
  const admin = given ?? randomPassword();
  const trial = given === undefined ? randomPassword() : null;
  const model = await firstModel(admin, trial);
  try {
    asOwner(file, () => {
      if (trial !== null) replaceSecret(`${file}.pw`, `admin ${admin}\ndemoclient ${trial}\n`);
      writeSecurityFile(file, model);
    });
  } catch (error) {
    throw new OperatorError(`Cannot make dynamic_security_file "${file}": ${reasonOf(error)}`, { cause: error });
  }
  return trial === null ? null : `${file}.pw`;
}

/** firstModel is the content of a first file; `trial` null = there is no client to try it with. */
export async function firstModel(admin: string, trial: string | null): Promise<SecurityModel> {
  const model = emptyModel();
  for (const [name, textDescription, topicFilter, types] of ROLES) {
    const acls = types.map((type) => ({ type, topicFilter, priority: 0, allow: true }));
    model.roles.set(name, { name, textName: null, textDescription, allowWildcardSubs: true, acls });
  }
  const textName = 'Unauthenticated group';
  const textDescription =
    'If unauthenticated access is allowed, this group can be used to define roles for clients that connect without a password.';
  model.groups.set('unauthenticated', { name: 'unauthenticated', textName, textDescription, roles: new Map() });
  model.anonymousGroup = 'unauthenticated';
  await addClient(model, 'admin', admin, ['super-admin', 'sys-observe', 'topic-observe']);
  if (trial !== null) await addClient(model, 'democlient', trial, ['client']);
  return model;
}

/** administratorModel is the content of a file that mosquitto_ctrl makes: one client, which may change this file, and read everything. */
export async function administratorModel(username: string, password: string): Promise<SecurityModel> {
  const model = emptyModel();
  const acls = ADMINISTRATOR.map(([type, topicFilter]) => ({ type, topicFilter, priority: 0, allow: true }));
  model.roles.set('admin', { ...NO_TEXTS, name: 'admin', allowWildcardSubs: true, acls });
  await addClient(model, username, password, ['admin'], 'Dynsec admin user');
  return model;
}

async function addClient(
  { clients }: SecurityModel,
  username: string,
  password: string,
  names: readonly string[],
  textName: string | null = null,
): Promise<void> {
  const roles: Links = new Map(names.map((name) => [name, NO_PRIORITY]));
  clients.set(username, {
    username,
    textName,
    textDescription: null,
    clientId: null,
    disabled: false,
    password: await hashOf(password),
    roles,
    groups: new Map(),
  });
}

function firstLine(path: string): string {
  return readAccessFile('plugin_opt_password_init_file', path).split(/\r?\n/, 1)[0]!; // a split text has a first part
}

/** 120 bits, 20 characters. */
function randomPassword(): string {
  return randomBytes(15).toString('base64url');
}
