// What the box says, in the language of the reader. The box speaks English, in whole sentences with names and numbers in them. As in gettext, the
// English sentence is the key: `Cannot find user "{user}" in the password file`. What has no entry stays as it is.

import { type Pattern, patternsIn, translated } from './box-patterns.ts';
import { type MoreWords, moreWords } from './more-words.ts';

/** boxWords has all of them; asked once at the start, they are there when something goes wrong. */
export const boxWords = moreWords({
  de: () => import('./locales/box/de.json'),
  fr: () => import('./locales/box/fr.json'),
});

/** inReadersWords gives a sentence of the box, or several lines of them; null = it is in the language of the reader, or there are no words for it. */
export function inReadersWords(text: string): string | null {
  const words = boxWords();
  return words === null ? null : translated(text, patternsOf(words));
}

/** readable is the sentence in any case. */
export function readable(text: string): string {
  return inReadersWords(text) ?? text;
}

const made = new WeakMap<MoreWords, readonly Pattern[]>();

function patternsOf(words: MoreWords): readonly Pattern[] {
  const known = made.get(words) ?? patternsIn(words);
  made.set(words, known);
  return known;
}
