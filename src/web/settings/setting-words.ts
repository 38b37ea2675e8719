// What each setting means, in the language of the reader: the box tells it in English.

import { moreWords } from '../more-words.ts';
import type { Known } from './setting-form.ts';

const settingWords = moreWords({
  de: () => import('../locales/settings/de.json'),
  fr: () => import('../locales/settings/fr.json'),
});

/** inWords gives settings with their meanings in the language of the reader. A box that is newer than this page may have some that stay in English. */
export function inWords(known: readonly Known[]): readonly Known[] {
  const words = settingWords();
  return words === null ? known : known.map((each) => ({ ...each, meaning: words[each.name] ?? each.meaning }));
}
