// Answers of dynamic security as mosquitto_ctrl prints them. Each gives null for an answer that lacks what it must have.

import { type Json, recordOf, recordsOf, textOf } from './module.ts';

/** nothing is printed for a change. */
export function nothing(): readonly string[] {
  return [];
}

/** list prints names, be they texts or in objects. */
export function list(word: string, name: string): (data: Json) => string[] | null {
  return (data) => {
    const entries = data[word];
    return Array.isArray(entries) ? entries.flatMap((entry) => textOf(entry) ?? textOf(recordOf(entry)?.[name]) ?? []) : null;
  };
}

/** client prints one; a broker that tells of connections has mosquitto 2.1's wider labels. */
export function client(data: Json): string[] | null {
  const found = recordOf(data['client']);
  const username = textOf(found?.['username']);
  if (found === null || username === null) return null;
  const hasConnections = Array.isArray(found['connections']);
  const width = (hasConnections ? 'Connections:' : 'Username:').length;
  const clientId = textOf(found['clientid']);
  return [
    `${'Username:'.padEnd(width)} ${username}`,
    clientId === null ? 'Clientid:' : `${'Clientid:'.padEnd(width)} ${clientId}`,
    ...(typeof found['disabled'] === 'boolean' ? [`${'Disabled:'.padEnd(width)} ${found['disabled']}`] : []),
    ...rows(found['roles'], 'Roles:', width, 'rolename', true),
    ...rows(found['groups'], 'Groups:', width, 'groupname', true),
    ...(hasConnections ? rows(found['connections'], 'Connections:', width, 'address', false) : []),
  ];
}

/** group prints one. */
export function group(data: Json): string[] | null {
  const found = recordOf(data['group']);
  const name = textOf(found?.['groupname']);
  if (found === null || name === null) return null;
  const width = 'Groupname:'.length;
  return [
    `Groupname: ${name}`,
    ...rows(found['roles'], 'Roles:', width, 'rolename', true),
    ...rows(found['clients'], 'Clients:', width, 'username', false),
  ];
}

/** role prints one with its ACLs. */
export function role(data: Json): string[] | null {
  const found = recordOf(data['role']);
  const name = textOf(found?.['rolename']);
  if (found === null || name === null) return null;
  const acls = (recordsOf(found['acls']) ?? []).filter((acl) => textOf(acl['acltype']) !== null);
  return [
    `Rolename: ${name}`,
    ...acls.map((acl, index) => {
      const { allow, priority } = acl;
      const [type, topic] = [textOf(acl['acltype'])!, textOf(acl['topic'])]; // filtered
      const verdict = typeof allow === 'boolean' ? ` : ${allow ? 'allow' : 'deny '}` : '';
      const filter = topic === null ? '' : ` : ${topic}`;
      return `${(index === 0 ? 'ACLs:' : '').padEnd(10)}${type.padEnd(20)}${verdict}${filter} (priority: ${typeof priority === 'number' ? priority : -1})`;
    }),
  ];
}

/** anonymousGroup prints its name. */
export function anonymousGroup(data: Json): string[] | null {
  const name = textOf(recordOf(data['group'])?.['groupname']);
  return name === null ? null : [name];
}

/** defaultAccess prints the four defaults. */
export function defaultAccess(data: Json): string[] | null {
  const acls = recordsOf(data['acls']);
  if (acls?.every((acl) => textOf(acl['acltype']) !== null && typeof acl['allow'] === 'boolean') !== true) return null;
  return acls.map((acl) => `${textOf(acl['acltype'])!.padEnd(20)} : ${acl['allow'] === true ? 'allow' : 'deny'}`); // as every() has found
}

/** The label stands before the first only. */
function rows(value: unknown, label: string, width: number, word: string, hasPriority: boolean): string[] {
  const names = (recordsOf(value) ?? []).flatMap((entry) => {
    const name = textOf(entry[word]);
    if (name === null) return [];
    return [hasPriority ? `${name} (priority: ${typeof entry['priority'] === 'number' ? entry['priority'] : -1})` : name];
  });
  return names.map((name, index) => `${(index === 0 ? label : '').padEnd(width)} ${name}`);
}
