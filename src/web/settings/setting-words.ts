// What each setting means, in the language of the reader, and by which other words people look for it: the box tells the meaning in English.

import { moreWords } from '../more-words.ts';
import type { Known, Worded } from './setting-form.ts';

const meanings = moreWords({
  de: () => import('../locales/settings/de.json'),
  fr: () => import('../locales/settings/fr.json'),
});

const searchWords = moreWords({
  en: () => import('../locales/settings-search/en.json'),
  de: () => import('../locales/settings-search/de.json'),
  fr: () => import('../locales/settings-search/fr.json'),
});

/** inWords gives settings with their meanings and search words in the language of the reader. A box that is newer than this page may have some that stay in English. */
export function inWords(known: readonly Known[]): readonly Worded[] {
  const meant = meanings();
  const sought = searchWords();
  return known.map((each) => ({ ...each, meaning: meant?.[each.name] ?? each.meaning, searchWords: sought?.[each.name] ?? '' }));
}
