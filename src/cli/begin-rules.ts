// Asks the broker for what needs rules. Where there are none, and the broker may not write its configuration, root begins them.

import { OperatorError } from '../base/errors.ts';
import { changeSetting } from '../config/writer.ts';
import { Refusal } from '../control/ask-control.ts';
import { firstRulesFile } from '../operations/begin-rules.ts';
import { asOwner } from '../state/as-owner.ts';
import type { Invocation } from '../terminal/command.ts';
import { changeFiles, takeBackFiles } from './change-files.ts';
import { readConfiguration } from './configuration-file.ts';
import { askBroker } from './control-client.ts';
import { readPasswords } from './passwd.ts';

const RULES_BEGUN = 'There were no rules yet: midge has begun them, and all accounts that were there keep all their rights.\n';

/** Answer is what is read of the output of a row that needs rules. */
interface Answer {
  readonly rulesBegun: string | null;
}

/** askWithRules gives the output, and says where rules were begun. Throws OperatorError; then no rules were begun, unless the broker was asked and has not answered. */
export async function askWithRules<T extends Answer>(invocation: Invocation, request: string, words: object): Promise<T> {
  const ask = () => askBroker(invocation, request, words) as Promise<T>; // the row's output
  let answer: T;
  try {
    answer = await ask();
    if (answer.rulesBegun === null) return answer;
  } catch (error) {
    answer = await askAfterBeginning(invocation, ask, error);
  }
  invocation.terminal.stderr.write(RULES_BEGUN);
  return answer;
}

/** The broker has looked at all else when it says that rules are missing. */
async function askAfterBeginning<T>(invocation: Invocation, ask: () => Promise<T>, refused: unknown): Promise<T> {
  if (!(refused instanceof Refusal) || refused.reason !== 'rules missing') throw refused;
  const { configuration: main } = (await askBroker(invocation, 'phone setup')) as { readonly configuration: string | null }; // the row's output
  if (main === null) throw refused;
  const takeBack = await asOwner(main, () => begin(main, invocation));
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Refusal) await asOwner(main, takeBack);
    else invocation.terminal.stderr.write(RULES_BEGUN); // they stay: there may be a new account, which could do everything without them
    throw error;
  }
}

/** Makes the file beside the password file, names it in the configuration, and has the running broker read them. Gives what undoes it. */
async function begin(main: string, invocation: Invocation): Promise<() => Promise<void>> {
  const { access, listeners } = readConfiguration(main);
  const { passwordFile, account } = access;
  if (passwordFile === null) throw new OperatorError(`Cannot begin rules: "${main}" names no password_file`);
  const { file, setting } = firstRulesFile({
    passwordFile,
    passwords: readPasswords(passwordFile),
    account: account?.username ?? null,
    hasGuests: listeners.some(({ policy }) => policy.allowAnonymous),
    isPerListener: access.listeners !== null,
  });
  const { terminal } = invocation;
  const aside = { ...invocation, terminal: { ...terminal, stdout: terminal.stderr } }; // standard output is for what was asked for
  const changed = changeSetting(main, setting);
  if ((await changeFiles(main, changed, aside, [file])) !== 0) throw new OperatorError('Cannot begin rules: the broker cannot use them');
  return () => takeBackFiles(main, [...changed, file], aside);
}
