// The accounts and rules of phones, in the password file and the ACL file, which a person may edit as well.

import { accessSync, constants, existsSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseAclFile } from '../access/acl-file.ts';
import { addRule, type RuleLine, removeRule, removeUserRules } from '../access/acl-file-edit.ts';
import { makePassword } from '../access/first-account.ts';
import { firstRules } from '../access/first-rules.ts';
import { hasUser, removeUser, setUser } from '../access/password-file-edit.ts';
import { hashPassword } from '../access/password-hash.ts';
import { usersOf } from '../access/set-accounts.ts';
import { reasonOf } from '../base/errors.ts';
import { rewriteFile } from '../base/rewrite-file.ts';
import { accountOf } from '../phones/phone.ts';
import type { Phone } from '../phones/phone-book.ts';
import { friendsOf, ownTracksRules } from '../phones/phone-rules.ts';
import { changeInForce, readEdited } from './change-in-force.ts';
import type { OperationNeeds } from './needs.ts';
import { OperationFailure } from './operation.ts';
import { phoneListener } from './phone-address.ts';

/** By these a phone sees others: they follow the groups, and all other rules of a phone stay as they are. */
const SHARING = /^owntracks\/[^/]+\/\+(\/(event|info))?$/;

/** PhoneFiles are those of the listener that phones sign in at. */
export interface PhoneFiles {
  readonly passwordFile: string;
  readonly aclFile: string;
}

/** phoneFiles throws OperationFailure where there is no place for an account, or where an account could do everything; `begun` are rules that have just been begun. */
export function phoneFiles(needs: OperationNeeds, webSocket = false, begun: string | null = null): PhoneFiles {
  const passwordFile = passwordFileFor(needs, webSocket);
  const aclFile = begun ?? needs.access.filesOf(listenerName(needs, webSocket)).aclFile;
  if (aclFile === null)
    throw new OperationFailure(
      'not possible',
      'Cannot set phones up: the configuration names no acl_file, so that each phone could read and write everything - "sudo midge phone add NAME" makes one in which all present accounts keep all rights',
    );
  return { passwordFile, aclFile };
}

/** passwordFileFor throws OperationFailure where there is no place for an account. */
export function passwordFileFor(needs: OperationNeeds, webSocket: boolean): string {
  const { passwordFile } = needs.access.filesOf(listenerName(needs, webSocket));
  if (passwordFile !== null) return passwordFile;
  throw new OperationFailure('not possible', 'Cannot set phones up: the configuration names no password_file - write one, then reload');
}

/** hasRules is false where each phone could do everything, because nobody has written rules yet. */
export function hasRules(needs: OperationNeeds, webSocket: boolean): boolean {
  return needs.access.filesOf(listenerName(needs, webSocket)).aclFile !== null;
}

/** mayBeginRules tells whether the broker may write the files by which rules begin. */
export function mayBeginRules({ configuration: { file } }: OperationNeeds): boolean {
  if (file === null) return false;
  try {
    for (const path of [file, dirname(realpathSync(file))]) accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * beginRules starts an ACL file beside the password file, where all present accounts keep all rights, and puts it in force. Gives its path, or
 * null where there are rules already. Throws OperationFailure, and then all is as it was.
 */
export async function beginRules(needs: OperationNeeds, webSocket: boolean): Promise<string | null> {
  const { passwordFile, aclFile } = needs.access.filesOf(listenerName(needs, webSocket));
  if (aclFile !== null || passwordFile === null || !mayBeginRules(needs)) return null;
  const { file } = needs.configuration;
  if (file === null || needs.files.valueOf(file, 'per_listener_settings') === 'true') return null;
  const path = join(resolve(dirname(passwordFile)), 'acl');
  if (existsSync(path))
    throw new OperationFailure(
      'conflict',
      `Cannot make "${path}": it is there already, and no rules are in force - midge config set acl_file ${path}`,
    );
  if (needs.trial.waiting !== null)
    throw new OperationFailure('conflict', `Cannot change "${file}": a change of the configuration waits to be confirmed`);
  const { account } = needs.access;
  const users = [...accountsIn({ passwordFile }), ...(account === null ? [] : [account])];
  const hasGuests = needs.files.settings(file).some(({ name, value }) => name === 'allow_anonymous' && value === 'true');
  try {
    rewriteFile(path, firstRules({ users, hasGuests }), () => {});
  } catch (error) {
    throw new OperationFailure('not possible', `Cannot write "${path}": ${reasonOf(error)} - nothing was changed`, { cause: error });
  }
  try {
    const setting = { name: 'acl_file', values: [path], listener: null };
    await changeInForce(needs, file, (text) => needs.files.withChange(file, text, setting));
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
  return path;
}

/** What is to be taken away can be where nothing could be added. */
function listenerName(needs: OperationNeeds, webSocket: boolean): string {
  try {
    return phoneListener(needs, webSocket).name;
  } catch {
    return needs.listeners[0]?.name ?? '';
  }
}

/** accountsIn gives the users of the password file. */
export function accountsIn({ passwordFile }: Pick<PhoneFiles, 'passwordFile'>): ReadonlySet<string> {
  return new Set(usersOf(readEdited(passwordFile)));
}

/** grantRules puts the rules of all phones in force: those of `own` for one, and for each what its person's friends share. */
export async function grantRules(
  needs: OperationNeeds,
  { aclFile }: PhoneFiles,
  phones: readonly Pick<Phone, 'person' | 'device' | 'use' | 'groups'>[],
  own: { readonly account: string; readonly rules: readonly RuleLine[] } | null = null,
): Promise<void> {
  await changeInForce(needs, aclFile, (text) => {
    const { users } = parseAclFile(text, aclFile).acl;
    let changed = text;
    for (const rule of own?.rules ?? []) changed = addRule(changed, own?.account ?? null, rule);
    for (const phone of phones) {
      if (phone.use !== 'owntracks') continue;
      const account = accountOf(phone);
      const wanted = ownTracksRules(phone, friendsOf(phone.person, phones));
      const there = users.get(account) ?? [];
      const stale = there.filter(({ filter }) => SHARING.test(filter) && !wanted.some((each) => each.filter === filter));
      for (const rule of stale) changed = removeRule(changed, account, rule);
      for (const rule of wanted) changed = addRule(changed, account, rule);
    }
    return changed;
  });
}

/** givePassword makes another password for a phone, and its account where there is none; clients with the one before are disconnected. */
export async function givePassword(needs: OperationNeeds, phone: Phone): Promise<string> {
  const { passwordFile } = phoneFiles(needs, phone.webSocket);
  const password = makePassword();
  const hash = await hashPassword(password);
  await changeInForce(needs, passwordFile, (text) => setUser(text, accountOf(phone), hash));
  return password;
}

/** takeAway ends the accounts, which disconnects their clients, and then their rules. */
export async function takeAway(needs: OperationNeeds, { passwordFile, aclFile }: PhoneFiles, accounts: readonly string[]): Promise<void> {
  const without = (text: string, remove: (text: string, account: string) => string) => accounts.reduce(remove, text);
  await changeInForce(needs, passwordFile, (text) =>
    without(text, (each, account) => (hasUser(each, account) ? removeUser(each, account) : each)),
  );
  await changeInForce(needs, aclFile, (text) => without(text, removeUserRules));
}
