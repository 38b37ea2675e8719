// The words of midge.txt about accounts: who may sign in, who may no longer, and which topics they may use.

import { isTopicFilter } from '../mqtt/topics.ts';
import type { Draft } from './settings.ts';

/** EXAMPLE is the account that midge.txt and the documentation show: everybody knows its password. */
export const EXAMPLE = { user: 'jane', password: 'a-long-password' } as const;

/** A password below this length is guessed soon: NIST SP 800-63B 5.1.1.2. */
const SHORTEST = 8;

/** takeAccount reads `account = NAME PASSWORD`: a name has no spaces, a password may. */
export function takeAccount(value: string, draft: Draft): string | null {
  const [, user = '', password = ''] = /^(\S+)\s+(.+)$/.exec(value) ?? [];
  if (/[,;=/|]$/.test(user) || /^[,;=/|]\s/.test(password)) return 'nothing but a space stands between name and password';
  return addAccount(user, password, draft);
}

/** addAccount adds an account, or says what is wrong with it. */
export function addAccount(user: string, password: string, draft: Draft): string | null {
  if (user === '' || password === '') return 'an account has a name and a password: account = jane her-password';
  const problem = userProblem(user);
  if (problem !== null) return problem;
  if (password === EXAMPLE.password) return 'this is the password of the example, which everybody knows: choose another one';
  draft.accounts.push({ user, password });
  return null;
}

/** passwordWarning says why a password that can be used should be another one, or null. */
export function passwordWarning(user: string, password: string): string | null {
  if ([...password].length < SHORTEST)
    return `the password of "${user}" is short and easy to guess: ${SHORTEST} characters or more are better`;
  return password.toLowerCase() === user.toLowerCase() ? `the password of "${user}" is the name of the account` : null;
}

/** takeRemovedAccount reads `remove_account = NAME`. */
export function takeRemovedAccount(value: string, draft: Draft): string | null {
  if (/\s/.test(value)) return 'it is the name of one account; write one line for each';
  const problem = userProblem(value);
  if (problem === null) draft.removedAccounts.push(value);
  return problem;
}

/** takeTopics reads `topics = NAME FILTER ...`: what the account may read and write. */
export function takeTopics(value: string, draft: Draft): string | null {
  return grant(value, draft, false);
}

/** takeReadTopics reads `read_topics = NAME FILTER ...`: what the account may read. */
export function takeReadTopics(value: string, draft: Draft): string | null {
  return grant(value, draft, true);
}

function grant(value: string, draft: Draft, isReadOnly: boolean): string | null {
  const [user = '', ...filters] = value.split(/[\s,]+/).filter((word) => word !== '');
  if (filters.length === 0) return `the name of an account comes first, then topics: jane home/# garden/+/temperature`;
  const problem = userProblem(user);
  if (problem !== null) return problem;
  const bad = filters.find((filter) => !isTopicFilter(filter));
  if (bad !== undefined) return `"${bad}" is no topic: + stands for one whole level, # for all that follow, as in home/+/light or home/#`;
  draft.topics.push({ user, filters, isReadOnly });
  return null;
}

function userProblem(user: string): string | null {
  return user.includes(':') || user.startsWith('#') ? 'a user name has no colon, and does not begin with #' : null;
}
