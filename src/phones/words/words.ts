// The languages of the pages that a phone sees. A page takes the one that the phone wants most.

import { ENGLISH } from './english.ts';
import { FRENCH } from './french.ts';
import { GERMAN } from './german.ts';
import type { PhoneWords } from './phone-words.ts';

const LANGUAGES: readonly PhoneWords[] = [ENGLISH, GERMAN, FRENCH];

/** wordsFor takes the language that a header Accept-Language (RFC 9110 12.5.4) wants most; English where there is none of them. */
export function wordsFor(acceptLanguage: string | undefined): PhoneWords {
  const wanted = (acceptLanguage ?? '').split(',').map((part) => {
    const [range = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
    const weight = parameters.find((each) => each.startsWith('q='));
    return { language: range.split('-')[0], weight: weight === undefined ? 1 : Number(weight.slice(2)) };
  });
  const known = wanted.filter(({ language, weight }) => weight > 0 && LANGUAGES.some((each) => each.language === language));
  const [best] = known.toSorted((one, other) => other.weight - one.weight); // stable: the first of equals
  return LANGUAGES.find(({ language }) => language === best?.language) ?? ENGLISH;
}
