// The accounts and rules of phones, in the password file and the ACL file, which a person may edit as well.

import { parseAclFile } from '../access/acl-file.ts';
import { addRule, type RuleLine, removeRule, removeUserRules } from '../access/acl-file-edit.ts';
import { makePassword } from '../access/first-account.ts';
import { hasUser, removeUser, setUser } from '../access/password-file-edit.ts';
import { hashPassword } from '../access/password-hash.ts';
import { usersOf } from '../access/set-accounts.ts';
import { accountOf, type PhoneProtocol, protocolOf, usesOwnTracks } from '../phones/phone.ts';
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

/** NO_RULES is said where each phone could do everything. */
export const NO_RULES =
  'Cannot set phones up: the configuration names no acl_file, so that each phone could read and write everything - "sudo midge phone add NAME" makes one in which all present accounts keep all rights';

/** phoneFiles throws OperationFailure where there is no place for an account, or where an account could do everything. */
export function phoneFiles(needs: OperationNeeds, protocol: PhoneProtocol = 'mqtt'): PhoneFiles {
  const passwordFile = passwordFileFor(needs, protocol);
  const { aclFile } = needs.access.filesOf(listenerNameFor(needs, protocol));
  if (aclFile === null) throw new OperationFailure('rules missing', NO_RULES);
  return { passwordFile, aclFile };
}

/** passwordFileFor throws OperationFailure where there is no place for an account. */
export function passwordFileFor(needs: OperationNeeds, protocol: PhoneProtocol): string {
  const { passwordFile } = needs.access.filesOf(listenerNameFor(needs, protocol));
  if (passwordFile !== null) return passwordFile;
  throw new OperationFailure('not possible', 'Cannot set phones up: the configuration names no password_file - write one, then reload');
}

/** hasRules is false where each phone could do everything, because nobody has written rules yet. */
export function hasRules(needs: OperationNeeds, protocol: PhoneProtocol): boolean {
  return needs.access.filesOf(listenerNameFor(needs, protocol)).aclFile !== null;
}

/** listenerNameFor is that of the listener that phones sign in at; of the first one where there is none, for what is to be taken away can be there too. */
export function listenerNameFor(needs: OperationNeeds, protocol: PhoneProtocol): string {
  try {
    return phoneListener(needs, protocol).name;
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
      if (!usesOwnTracks(phone)) continue;
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

/** holdAccount makes an account where there is none, with a password that nobody knows: rules are for somebody then, also before the phone opens its link. */
export async function holdAccount(
  needs: OperationNeeds,
  { passwordFile }: Pick<PhoneFiles, 'passwordFile'>,
  account: string,
): Promise<void> {
  const hash = await hashPassword(makePassword());
  await changeInForce(needs, passwordFile, (text) => (hasUser(text, account) ? text : setUser(text, account, hash)));
}

/** givePassword makes another password for a phone, and its account where that was taken away; clients with the one before are disconnected. */
export async function givePassword(needs: OperationNeeds, phone: Phone): Promise<string> {
  const { passwordFile } = phoneFiles(needs, protocolOf(phone));
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
