// Accounts: users with a password in the password file, which a person may edit as well.

import { z } from 'zod';
import type { AclRule } from '../access/acl-file.ts';
import { hasUser, lockedUsers, passwordFault, removeUser, setLock, setUser, usernameFault } from '../access/password-file-edit.ts';
import { hashPassword } from '../access/password-hash.ts';
import { usersOf } from '../access/set-accounts.ts';
import { changeDynamicPassword, lockDynamicClient } from './change-dynamic-security.ts';
import { changeInForce, readEdited } from './change-in-force.ts';
import { forgetPhones } from './locations.ts';
import type { OperationNeeds } from './needs.ts';
import { type Asker, badInput, OperationFailure, operation } from './operation.ts';
import { endRole, isInFiles, requireOtherAdmin } from './other-account.ts';
import { PAGE_INPUT, pageOf, takePage } from './page.ts';
import { isOnlyAdmin } from './roles.ts';

/** LISTENER_INPUT is the field of operations on files that each listener may have of its own. */
export const LISTENER_INPUT = {
  listener: z.string().nullish().describe('with per_listener_settings: whose files, by its name in status; none = those of the first one'),
};

const NAME = { username: z.string().describe('without colon, control characters, and blanks or # at its beginning') };
const PASSWORD = { password: z.string().describe('at most 65,535 bytes') };
const ANSWER = z.object({
  username: z.string(),
  file: z.string().describe('that was changed: the password file, or that of dynamic security'),
});

/** listenerOf gives the listener that is meant. Throws OperationFailure when there is none of this name. */
export function listenerOf({ listeners }: OperationNeeds, { listener }: { readonly listener?: string | null | undefined }): string {
  if (listener != null && !listeners.some(({ name }) => name === listener))
    throw badInput('listener', `Cannot find listener "${listener}": there is none of this name`);
  return listener ?? listeners[0]?.name ?? '';
}

/** USERS lists them. */
export const USERS = operation({
  name: 'users',
  kind: 'query',
  right: 'admin',
  summary: 'Users who have an account, by their names.',
  input: z.strictObject({ ...PAGE_INPUT, ...LISTENER_INPUT }),
  output: pageOf(
    z.object({
      username: z.string(),
      origin: z.string().nullable().describe('password file; null = the configuration itself names this account'),
      clients: z.number().int().describe('connected as this user'),
      locked: z.boolean().describe('nobody can sign in with it'),
      hasRules: z.boolean().nullable().describe('rules of its own in the ACL file; null = there is no such file'),
      rules: z
        .object({
          first: z.object({ access: z.enum(['read', 'write', 'readwrite', 'deny']), filter: z.string() }),
          count: z.number().int(),
        })
        .nullable()
        .describe('of its own, in the ACL file; null = none'),
      inDynamicSecurity: z
        .boolean()
        .describe('a client of dynamic security has this name too: its password and its roles count, and this one does not'),
    }),
  ),
  run: (needs, { listener, ...page }) => {
    const name = listenerOf(needs, { listener });
    const { account } = needs.access;
    const { passwordFile } = needs.access.filesOf(name);
    const text = passwordFile === null ? '' : readEdited(passwordFile);
    const locked = lockedUsers(text);
    const { dynamic } = needs.access;
    const rules = needs.access.aclOf(name)?.file.users ?? null;
    const clients = clientsByUser(needs);
    return takePage(
      new Set([...(account === null ? [] : [account]), ...usersOf(text)]),
      page,
      (username) => username,
      (username) => ({
        username,
        origin: username === account ? null : passwordFile,
        clients: clients.get(username) ?? 0,
        locked: dynamic?.model.clients.get(username)?.disabled ?? (username !== account && locked.has(username)),
        hasRules: rules?.has(username) ?? null,
        rules: shortRules(rules?.get(username)),
        inDynamicSecurity: dynamic?.model.clients.has(username) ?? false,
      }),
    );
  },
});

function shortRules(rules: readonly AclRule[] | undefined) {
  const [first] = rules ?? [];
  return rules === undefined || first === undefined ? null : { first: { access: first.access, filter: first.filter }, count: rules.length };
}

function clientsByUser({ broker }: OperationNeeds): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { username, connection } of broker.sessions)
    if (username !== null && connection !== null) counts.set(username, (counts.get(username) ?? 0) + 1);
  return counts;
}

/** ADD_USER makes an account. */
export const ADD_USER = operation({
  name: 'add user',
  kind: 'command',
  right: 'admin',
  summary: 'Add a user with a password to the password file; it can sign in at once.',
  input: z.strictObject({ ...NAME, ...PASSWORD, ...LISTENER_INPUT }),
  output: ANSWER,
  run: (needs, { username, password, listener }) => {
    if (needs.access.dynamic?.model.clients.has(username))
      throw new OperationFailure(
        'conflict',
        `Cannot add user "${username}": dynamic security has a client of this name, whose password counts`,
      );
    return change(needs, { username, listener }, password, (text, hash) => {
      if (hasUser(text, username)) throw new OperationFailure('conflict', `Cannot add user "${username}": there is one of this name`);
      return setUser(text, username, hash);
    });
  },
});

/** CHANGE_PASSWORD ends the connections that were made with the old one. */
export const CHANGE_PASSWORD = operation({
  name: 'change password',
  kind: 'command',
  right: 'admin',
  summary:
    'Give a user, or a client of dynamic security, another password; clients that are connected with the old one are disconnected. Where both have the name, it is that of dynamic security, which counts. A locked account stays locked.',
  input: z.strictObject({ ...NAME, ...PASSWORD, ...LISTENER_INPUT }),
  output: ANSWER,
  run: async (needs, { username, password, listener }, asker) => {
    const { dynamic } = needs.access;
    if (dynamic?.model.clients.has(username)) {
      await changeDynamicPassword(needs, { username, password }, asker);
      return { username, file: dynamic.file };
    }
    return change(needs, { username, listener }, password, (text, hash) => {
      requireUser(text, username);
      return setUser(text, username, hash);
    });
  },
});

/** LOCK_USER keeps an account out, and lets it in again. */
export const LOCK_USER = operation({
  name: 'lock user',
  kind: 'command',
  right: 'admin',
  summary:
    'Lock a user, or a client of dynamic security, or unlock it. While it is locked nobody signs in with it, by password or by a certificate of its name, and its tokens do nothing; its clients are disconnected at once. Password, rules and role stay.',
  input: z.strictObject({ ...NAME, locked: z.boolean(), ...LISTENER_INPUT }),
  output: ANSWER,
  run: async (needs, { username, locked, listener }, asker) => {
    const { dynamic } = needs.access;
    if (locked) requireOther(needs, username, asker);
    if (dynamic?.model.clients.has(username)) {
      await lockDynamicClient(needs, username, locked, asker);
      return { username, file: dynamic.file };
    }
    return change(needs, { username, listener }, null, (text) => {
      requireUser(text, username);
      return setLock(text, username, locked);
    });
  },
});

/** Whoever locks itself out cannot undo it. */
function requireOther(needs: OperationNeeds, username: string, asker: Asker): void {
  if ([asker.username, asker.tokenOf].includes(username))
    throw new OperationFailure('conflict', `Cannot lock user "${username}": you are signed in with it`);
  if (isOnlyAdmin(needs, username))
    throw new OperationFailure('conflict', `Cannot lock user "${username}": it is the only admin - make another one first`);
}

/** REMOVE_USER takes an account away. */
export const REMOVE_USER = operation({
  name: 'remove user',
  kind: 'command',
  right: 'admin',
  summary:
    'Remove a user from the password file, disconnect its clients, take its role, end the tokens that it has made, and delete the history of locations of the person of this name; its rules stay in the ACL file.',
  input: z.strictObject({ ...NAME, ...LISTENER_INPUT }),
  output: ANSWER.extend({
    locations: z.number().int().describe('of the history of its phones, that were deleted'),
    canStillSignIn: z
      .boolean()
      .describe('there is a client of this name in dynamic security, or a user of another listener: that one stays, and keeps its role'),
  }),
  run: async (needs, { username, listener }) => {
    const { passwordFile } = needs.access.filesOf(listenerOf(needs, { listener }));
    const canStillSignIn = needs.access.dynamicUsers.includes(username) || isInFiles(needs, username, passwordFile);
    if (!canStillSignIn) requireOtherAdmin(needs, 'user', username);
    const answer = await change(needs, { username, listener }, null, (text) => {
      requireUser(text, username);
      return removeUser(text, username);
    });
    if (!canStillSignIn) endRole(needs, username);
    needs.invitations.book.remove(username);
    const [person = '', device = null, more] = username.split('/');
    const locations = more === undefined ? await forgetPhones(needs, person, device) : 0;
    return { ...answer, locations, canStillSignIn };
  },
});

interface Meant {
  readonly username: string;
  readonly listener?: string | null | undefined;
}

/** The hash is made before the file is read: nothing else comes between reading and writing. `password` null = none is set. */
async function change(needs: OperationNeeds, meant: Meant, password: string | null, edit: (text: string, hash: string) => string) {
  const { username } = meant;
  const fault = usernameFault(username);
  if (fault !== null) throw badInput('username', fault);
  const wrong = password === null ? null : passwordFault(password);
  if (wrong !== null) throw badInput('password', wrong);
  if (username === needs.access.account)
    throw new OperationFailure('not possible', `Cannot change user "${username}" here: the configuration itself names this account`);
  const { passwordFile: file } = needs.access.filesOf(listenerOf(needs, meant));
  if (file === null)
    throw new OperationFailure('not possible', 'Cannot change accounts: the configuration names no password_file - write one, then reload');
  const hash = password === null ? '' : await hashPassword(password);
  await changeInForce(needs, file, (text) => edit(text, hash));
  return { username, file };
}

function requireUser(text: string, username: string): void {
  if (!hasUser(text, username)) throw new OperationFailure('not found', `Cannot find user "${username}" in the password file`);
}
