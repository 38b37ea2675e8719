// Words in other languages for what the box itself says in English. They are loaded when they are needed first, apart from the words of the page.

import { signal } from '@preact/signals';
import { type Language, language } from './i18n.ts';

export type MoreWords = Readonly<Record<string, string>>;

/** moreWords gives a function that has the words in the language on the screen. It gives null where that is English, and until they are loaded. */
export function moreWords(
  loaders: Readonly<Record<Exclude<Language, 'en'>, () => Promise<{ readonly default: MoreWords }>>>,
): () => MoreWords | null {
  const loaded = signal<{ readonly language: Language; readonly words: MoreWords } | null>(null);
  return () => {
    const wanted = language();
    if (wanted === 'en') return null;
    if (loaded.value?.language === wanted) return loaded.value.words;
    const take = ({ default: words }: { readonly default: MoreWords }) => {
      loaded.value = { language: wanted, words };
    };
    loaders[wanted]().then(take, () => {}); // until the box answers again it is said in English
    return null;
  };
}
