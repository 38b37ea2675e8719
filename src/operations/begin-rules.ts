// The beginning of rules, where everybody could do everything so far: an ACL file in which all present accounts keep all rights.

import { accessSync, constants, existsSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { firstRules } from '../access/first-rules.ts';
import { usersOf } from '../access/set-accounts.ts';
import { reasonOf } from '../base/errors.ts';
import { rewriteFile } from '../base/rewrite-file.ts';
import { changeInForce, readEdited } from './change-in-force.ts';
import type { OperationNeeds } from './needs.ts';
import { OperationFailure, operation } from './operation.ts';
import { LISTENER_INPUT, listenerOf } from './users.ts';

/** BEGIN_RULES makes the file and names it in the configuration. */
export const BEGIN_RULES = operation({
  name: 'begin rules',
  kind: 'command',
  right: 'admin',
  summary: 'Start an ACL file where there is none: all present accounts keep all rights, and new ones have only those that they are given.',
  input: z.strictObject(LISTENER_INPUT),
  output: z.object({ file: z.string() }),
  run: async (needs, { listener: given }) => {
    const listener = listenerOf(needs, { listener: given });
    const { aclFile, passwordFile } = needs.access.filesOf(listener);
    if (aclFile !== null) throw new OperationFailure('conflict', `There are rules already, in "${aclFile}"`);
    if (passwordFile === null)
      throw new OperationFailure('not possible', 'Cannot begin rules: the configuration names no password_file - write one, then reload');
    const file = await beginRules(needs, listener);
    if (file !== null) return { file };
    throw new OperationFailure('not possible', 'Cannot begin rules here: the broker may not change its configuration - set acl_file there');
  },
});

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
export async function beginRules(needs: OperationNeeds, listener: string): Promise<string | null> {
  const { passwordFile, aclFile } = needs.access.filesOf(listener);
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
  const users = [...new Set(usersOf(readEdited(passwordFile))), ...(account === null ? [] : [account])];
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
