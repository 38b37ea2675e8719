// Begins an ACL file where the configuration has none: all accounts that there are keep all rights, and a new one needs rules of its own.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { firstRules } from '../access/first-rules.ts';
import { usersOf } from '../access/set-accounts.ts';
import { OperatorError } from '../base/errors.ts';
import type { Configuration } from '../config/configuration.ts';
import { changeSetting } from '../config/writer.ts';
import type { Invocation } from '../terminal/command.ts';
import { changeFiles } from './change-files.ts';
import { readPasswords } from './passwd.ts';

export interface RulesWish {
  /** The configuration file. */
  readonly main: string;
  readonly configuration: Configuration;
  readonly passwordFile: string;
  /** Of the ACL file. */
  readonly folder: string;
  /** Text at its end. */
  readonly more: string;
}

/** startRules makes the file, names it in the configuration, and has the running broker read them. Gives the exit status; throws OperatorError. */
export function startRules({ main, configuration, passwordFile, folder, more }: RulesWish, invocation: Invocation): Promise<number> {
  const path = join(resolve(folder), 'acl');
  if (existsSync(path)) throw new OperatorError(`Cannot make "${path}": it is there already - midge config set acl_file ${path}`);
  const { account } = configuration.access;
  const users = [...usersOf(readPasswords(passwordFile)), ...(account === null ? [] : [account.username])];
  const hasGuests = configuration.listeners.some(({ policy }) => policy.allowAnonymous);
  const text = firstRules({ users, hasGuests }) + more;
  const setting = changeSetting(main, { name: 'acl_file', values: [path], listener: null });
  return changeFiles(main, setting, invocation, [{ path, before: null, after: text }]);
}
