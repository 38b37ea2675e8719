// The beginning of rules, where everybody could do everything so far: an ACL file in which all present accounts keep all rights.

import { accessSync, constants, existsSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { firstRules } from '../access/first-rules.ts';
import { usersOf } from '../access/set-accounts.ts';
import { reasonOf } from '../base/errors.ts';
import { rewriteFile } from '../base/rewrite-file.ts';
import { changeInForce, readEdited } from './change-in-force.ts';
import { rememberChange } from './configuration-history.ts';
import type { NewText, OperationNeeds, SettingChange } from './needs.ts';
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
    const { aclFile } = needs.access.filesOf(listener);
    if (aclFile !== null) throw new OperationFailure('conflict', `There are rules already, in "${aclFile}"`);
    const lacking = 'Cannot begin rules here: the broker may not change its configuration - set acl_file there';
    const { path } = await beginRules(needs, { listener, lacking });
    return { file: path };
  },
});

/** RulesWish says where rules are wanted. */
export interface RulesWish {
  readonly listener: string;
  /** What is said where there are none, and the broker may not write its configuration. */
  readonly lacking: string;
}

/** withRules does what needs rules, and gives their file, too, where it has begun them: they are taken back when the work fails and nobody else has rules by then. Throws OperationFailure. */
export async function withRules<T extends object>(
  needs: OperationNeeds,
  wish: RulesWish,
  work: (aclFile: string) => Promise<T>,
): Promise<T & { readonly rulesBegun: string | null }> {
  const { aclFile } = needs.access.filesOf(wish.listener);
  if (aclFile !== null) return { ...(await work(aclFile)), rulesBegun: null };
  const { path, takeBack } = await beginRules(needs, wish);
  try {
    return { ...(await work(path)), rulesBegun: path };
  } catch (error) {
    await takeBack();
    throw error;
  }
}

/** rulesFault says why the broker cannot begin rules itself; null = it can. */
export function rulesFault(needs: OperationNeeds, { lacking }: Pick<RulesWish, 'lacking'>): OperationFailure | null {
  const { file } = needs.configuration;
  if (needs.access.isPerListener) return perListener();
  return file !== null && mayRewrite(file) ? null : new OperationFailure('rules missing', lacking);
}

/** FirstRules says what rules begin with. */
export interface FirstRules {
  /** Absolute, or from the working folder. */
  readonly passwordFile: string;
  /** What it holds. */
  readonly passwords: string;
  /** The one account that the configuration itself names, or null. */
  readonly account: string | null;
  /** Clients without a user name may come in. */
  readonly hasGuests: boolean;
  /** Each listener has files of its own (`per_listener_settings`). */
  readonly isPerListener: boolean;
}

/** firstRulesFile gives the ACL file beside the password file, and how the configuration names it: for the broker, or for root where the broker may write neither. Throws OperationFailure. */
export function firstRulesFile({ passwordFile, passwords, account, hasGuests, isPerListener }: FirstRules) {
  if (isPerListener) throw perListener();
  const path = join(resolve(dirname(passwordFile)), 'acl');
  if (existsSync(path))
    throw new OperationFailure(
      'conflict',
      `Cannot make "${path}": it is there already, and no rules are in force - midge config set acl_file ${path}`,
    );
  const users = [...usersOf(passwords), ...(account === null ? [] : [account])];
  const file: NewText = { path, before: null, after: firstRules({ users, hasGuests }) };
  const setting: SettingChange = { name: 'acl_file', values: [path], listener: null };
  return { file, setting };
}

async function beginRules(needs: OperationNeeds, wish: RulesWish) {
  const { account, hasGuests, isPerListener } = needs.access;
  const { passwordFile } = needs.access.filesOf(wish.listener);
  if (passwordFile === null)
    throw new OperationFailure('not possible', 'Cannot begin rules: the configuration names no password_file - write one, then reload');
  const passwords = readEdited(passwordFile);
  const first = firstRulesFile({ passwordFile, passwords, account, hasGuests, isPerListener });
  const fault = rulesFault(needs, wish);
  const main = needs.configuration.file;
  if (fault !== null || main === null) throw fault;
  if (needs.trial.waiting !== null)
    throw new OperationFailure('conflict', `Cannot change "${main}": a change of the configuration waits to be confirmed`);
  return putInForce(needs, main, first);
}

/** Gives the path, and what undoes it. */
async function putInForce(needs: OperationNeeds, main: string, { file, setting }: ReturnType<typeof firstRulesFile>) {
  const { path } = file;
  const texts = { before: '', after: '' };
  try {
    rewriteFile(path, file.after, () => {});
  } catch (error) {
    throw new OperationFailure('not possible', `Cannot write "${path}": ${reasonOf(error)} - nothing was changed`, { cause: error });
  }
  try {
    await changeInForce(needs, main, (text) => {
      texts.before = text;
      texts.after = needs.files.withChange(main, text, setting);
      return texts.after;
    });
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
  rememberChange(needs, texts.before);
  const without = (text: string) => (text === texts.after ? texts.before : needs.files.withChange(main, text, { ...setting, values: [] }));
  const takeBack = async () => {
    if (readEdited(path) !== file.after) return; // there are rules of others in it, who could do everything without them
    await changeInForce(needs, main, without);
    rmSync(path, { force: true });
  };
  return { path, takeBack };
}

function perListener(): OperationFailure {
  return new OperationFailure('not possible', 'Cannot begin rules with per_listener_settings true: name an acl_file at the listener');
}

function mayRewrite(file: string): boolean {
  try {
    for (const path of [file, dirname(realpathSync(file))]) accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
