// Begins an ACL file where the configuration has none: all accounts that there are keep all rights, and a new one needs rules of its own.

import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { firstRules } from '../access/first-rules.ts';
import { usersOf } from '../access/set-accounts.ts';
import { OperatorError } from '../base/errors.ts';
import { changeSetting } from '../config/writer.ts';
import { asOwner } from '../state/as-owner.ts';
import type { Invocation } from '../terminal/command.ts';
import { changeFiles } from './change-files.ts';
import { readConfiguration } from './configuration-file.ts';
import { readPasswords } from './passwd.ts';

/** RULES_BEGUN says what has become of the accounts. */
export const RULES_BEGUN = 'There were no rules yet: midge has begun them, and all accounts that were there keep all their rights.\n';

/**
 * startRules makes the file beside the password file, names it in a configuration that has none, and has the running broker read them: what
 * the broker may not write, root may. Gives the exit status; throws OperatorError.
 */
export function startRules(main: string, invocation: Invocation): Promise<number> {
  return asOwner(main, () => start(main, invocation));
}

async function start(main: string, invocation: Invocation): Promise<number> {
  const configuration = readConfiguration(main);
  const { passwordFile, aclFile, listeners, account } = configuration.access;
  if (aclFile !== null || passwordFile === null) return 0; // the broker says what is amiss
  if (listeners !== null) throw new OperatorError('Cannot begin rules with per_listener_settings true: name an acl_file at the listener');
  const path = join(resolve(dirname(passwordFile)), 'acl');
  if (existsSync(path)) throw new OperatorError(`Cannot make "${path}": it is there already - midge config set acl_file ${path}`);
  const users = [...usersOf(readPasswords(passwordFile)), ...(account === null ? [] : [account.username])];
  const text = firstRules({ users, hasGuests: configuration.listeners.some(({ policy }) => policy.allowAnonymous) });
  const setting = changeSetting(main, { name: 'acl_file', values: [path], listener: null });
  const { terminal } = invocation;
  const aside = { ...invocation, terminal: { ...terminal, stdout: terminal.stderr } }; // standard output is for what was asked for
  const status = await changeFiles(main, setting, aside, [{ path, before: null, after: text }]);
  if (status === 0) terminal.stderr.write(RULES_BEGUN);
  return status;
}
