// Where the cause of a refusal can be put right.

import { t } from '../i18n.ts';
import { type Held, isSecret, type Refused } from '../refusal-rows.ts';

/** RefusalLink is a place of the page. */
export interface RefusalLink {
  readonly view: string;
  readonly rest?: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly words: string;
}

/** linkFor gives it; null = no account has to do with it. The advice is of the time of the refusal: the view of people knows what has changed since. */
export function linkFor({ cause, username: name, adviceCode, adviceValues, topicName }: Refused): RefusalLink | null {
  if (name === null) return null;
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
      return toPassword(name);
    case 'missing rule':
      return isCut(String(adviceValues['topic']), topicName) ? toPerson(name) : toRule(name, String(adviceValues['topic']), 'write');
    case 'page user':
      return null;
    default:
      if (cause === 'credentials') return toPassword(name);
      return toPerson(name);
  }
}

/** linkForHold is for one of which the box remembers no refusal. */
export function linkForHold({ address, username }: Held): RefusalLink | null {
  if (username === null) return { view: 'settings', query: { find: 'login_throttle_exempt' }, words: t('refusals.toExempt') };
  if (isSecret(username)) return null;
  return address === null ? toPerson(username) : toPassword(username);
}

/** The box remembers the beginning of a long name, and more of it in its advice. */
function isCut(topic: string, topicName: string | null): boolean {
  return topic !== topicName && topic.endsWith('...');
}

/** toRule leads to a new rule of an account, of which only a look is missing. */
export function toRule(name: string, filter: string, access: 'read' | 'write'): RefusalLink {
  return { view: 'people', rest: [name], query: { rule: filter, access }, words: t('refusals.toRule', { name }) };
}

function toPassword(name: string): RefusalLink {
  return { view: 'people', rest: [name], query: { password: '' }, words: t('refusals.toPassword', { name }) };
}

/** toPerson leads to what an account may do. */
export function toPerson(name: string): RefusalLink {
  return { view: 'people', rest: [name], words: t('refusals.toPerson', { name }) };
}
