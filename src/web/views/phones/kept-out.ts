// Why a phone does not get in, in the language of the reader.

import type { Answer } from '../../api/answer.ts';
import { type Key, t } from '../../i18n.ts';

type Problem = NonNullable<Answer<'/api/v1/phones'>[number]['problem']>;

/** 'other' has only the words of the box. */
const WORDS: Readonly<Record<Exclude<Problem['kind'], 'other'>, Key>> = {
  trust: 'phones.kept.trust',
  name: 'phones.kept.name',
  clock: 'phones.kept.clock',
  'no TLS': 'phones.kept.noTls',
  certificate: 'phones.kept.certificate',
  password: 'phones.kept.password',
  held: 'phones.kept.held',
  removed: 'phones.kept.removed',
  rules: 'phones.kept.rules',
};

/** keptOutWords says it in a sentence. */
export function keptOutWords({ kind, reason, advice }: Problem): string {
  if (kind !== 'other') return t(WORDS[kind]);
  return advice === null ? reason : `${reason} (${advice})`;
}
