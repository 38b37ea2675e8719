// Accounts of the boot partition, put into the broker's password file. Their lines may stay for many boots, for a backup that can't be restored yet or
// as the card can't be written: each is followed once, so that a password that is changed meanwhile stays changed.

import { hasUser, removeUser } from '../../access/password-file-edit.ts';
import { hasAccount, setAccounts } from '../../access/set-accounts.ts';
import type { BootSettings } from '../../boot/settings.ts';
import type { MachineFiles } from '../../host/machine-files.ts';
import { FOLLOWED_ACCOUNTS, PASSWORDS, STATE } from './paths.ts';
import { hasBootPartition } from './world.ts';

/** AccountChanges are what a start has changed. */
export interface AccountChanges {
  /** Taken from the boot partition: made, or given another password. */
  readonly taken: readonly string[];
  /** Those of them that were not there. */
  readonly made: readonly string[];
  readonly removed: readonly string[];
}

/** writeAccounts adds accounts, gives them other passwords, and takes those away that are not to be any more. */
export async function writeAccounts(files: MachineFiles, settings: BootSettings, owner: number): Promise<AccountChanges> {
  files.makeFolder(STATE, { mode: 0o700, owner });
  const all = [...new Map(settings.accounts.map(({ user, password }) => [user, { username: user, password }])).values()]; // of one user the last counts
  const before = files.textToChange(PASSWORDS);
  const followed = before === null ? '' : (files.textToChange(FOLLOWED_ACCOUNTS) ?? '');
  const isFollowed = await Promise.all(all.map((account) => hasAccount(followed, account)));
  const fresh = all.filter((_, index) => !isFollowed[index]);
  const removed = settings.removedAccounts.filter((user) => hasUser(before ?? '', user));
  const kept = removed.reduce(removeUser, before ?? '');
  const after = await setAccounts(kept, fresh);
  files.write(PASSWORDS, after, { mode: 0o600, owner });
  if (fresh.length > 0) files.write(FOLLOWED_ACCOUNTS, await setAccounts(followed, fresh), { mode: 0o600 });
  const taken = after === kept ? [] : fresh.map(({ username }) => username);
  return { taken, made: taken.filter((user) => !hasUser(before ?? '', user)), removed };
}

/** describeChanges says them. */
export function describeChanges({ taken, removed }: AccountChanges): string[] {
  return [
    ...removed.map((user) => `Account "${user}" was taken away.`),
    ...taken.map((user) => `Account "${user}" was taken from the boot partition.`),
  ];
}

/** forgetFollowed is for when no line is left that was followed: what stands there from now on is a new wish. */
export function forgetFollowed(files: MachineFiles): void {
  if (hasBootPartition(files)) files.remove(FOLLOWED_ACCOUNTS);
}
