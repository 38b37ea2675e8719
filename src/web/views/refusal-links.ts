// Where the cause of a refusal can be put right.

import { t } from '../i18n.ts';
import type { Held, Refused } from '../refusal-rows.ts';

/** RefusalLink is a place of the page. */
export interface RefusalLink {
  readonly view: string;
  readonly rest?: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly words: string;
}

/** linkFor gives it; null = no account has to do with it. The advice is of the time of the refusal: the view of people knows what has changed since. */
export function linkFor({ cause, username: name, adviceCode, topicName }: Refused): RefusalLink | null {
  if (name === null) return null;
  const toPassword = { view: 'people', rest: [name], query: { password: '' }, words: t('refusals.toPassword', { name }) };
  switch (adviceCode) {
    case 'new account':
      return { view: 'people', query: { add: name, kind: 'device' }, words: t('people.addThis', { name }) }; // more often than a person
    case 'no password file':
      return { view: 'settings', words: t('refusals.toSettings') };
    case 'unlock':
      return { view: 'people', rest: [name], query: { unlock: '' }, words: t('refusals.toUnlock', { name }) };
    case 'new client':
    case 'enable client':
    case 'client password':
      return { view: 'people', words: t('refusals.toClients') };
    case 'held':
    case 'page password':
      return toPassword;
    case 'missing rule':
      return toRule(name, topicName ?? '', 'write');
    case 'page user':
      return null;
    default:
      if (cause === 'credentials') return toPassword;
      return toPerson(name);
  }
}

/** linkForHold is for one of an address: an account has a link by what was refused. */
export function linkForHold({ username }: Held): RefusalLink | null {
  return username === null
    ? { view: 'settings', query: { find: 'login_throttle_exempt' }, words: t('refusals.toExempt') }
    : toPerson(username);
}

/** toRule leads to a new rule of an account, of which only a look is missing. */
export function toRule(name: string, filter: string, access: 'read' | 'write'): RefusalLink {
  return { view: 'people', rest: [name], query: { rule: filter, access }, words: t('refusals.toRule', { name }) };
}

/** toPerson leads to what an account may do. */
export function toPerson(name: string): RefusalLink {
  return { view: 'people', rest: [name], words: t('refusals.toPerson', { name }) };
}
