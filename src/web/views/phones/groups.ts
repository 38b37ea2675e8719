// The groups in which people share where their phones are.

import type { Answer } from '../../api/answer.ts';
import { listed } from '../../i18n.ts';

type Phone = Pick<Answer<'/api/v1/phones'>[number], 'person' | 'groups' | 'use'>;

/** groupsIn reads them as people type them: with blanks or commas between. */
export function groupsIn(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter((each) => each !== ''))];
}

/** Only OwnTracks tells where a phone is. */
function sharing<T extends Phone>(phones: readonly T[]): readonly T[] {
  return phones.filter(({ use }) => use !== 'mqtt');
}

/** groupsOfOthers names those that other people are in, and who is: `family (john and tom)`; '' = there are none. */
export function groupsOfOthers(phones: readonly Phone[], person: string): string {
  const members = new Map<string, Set<string>>();
  for (const phone of sharing(phones)) {
    if (phone.person === person) continue;
    for (const group of phone.groups) members.set(group, (members.get(group) ?? new Set()).add(phone.person));
  }
  return [...members].map(([group, people]) => `${group} (${listed([...people])})`).join(', ');
}

/** onlyGroup names the group that phones are in where there is but one; '' else. */
export function onlyGroup(phones: readonly Phone[]): string {
  const [first = '', ...others] = new Set(sharing(phones).flatMap(({ groups }) => groups));
  return others.length === 0 ? first : '';
}

/** Bond is how far somebody is to share with others: there are no others, or no phone of one's own, or none that shares a group with them. */
export type Bond = 'no others' | 'no phone' | 'no group' | 'shares';

/** bondOf tells it of a person. */
export function bondOf(phones: readonly Phone[], person: string): Bond {
  const all = sharing(phones);
  const others = all.filter((each) => each.person !== person);
  const own = all.find((each) => each.person === person);
  if (others.length === 0) return 'no others';
  if (own === undefined) return 'no phone';
  return others.some(({ groups }) => groups.some((group) => own.groups.includes(group))) ? 'shares' : 'no group';
}
