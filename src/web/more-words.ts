// Words in the language of the reader for what the box itself says in English. They are loaded when they are needed first, apart from the words of the page.

import { signal } from '@preact/signals';
import { type Language, language } from './i18n.ts';

export type MoreWords = Readonly<Record<string, string>>;

type Loader = () => Promise<{ readonly default: MoreWords }>;

/** Where the English words are those of the box, there is no loader for them. */
type Loaders = Readonly<Record<Exclude<Language, 'en'>, Loader>> & { readonly en?: Loader };

/** moreWords gives a function that has the words in the language on the screen. It gives null where that language has none, and until they are loaded. */
export function moreWords(loaders: Loaders): () => MoreWords | null {
  const loaded = signal<{ readonly language: Language; readonly words: MoreWords } | null>(null);
  return () => {
    const wanted = language();
    const load = loaders[wanted];
    if (load === undefined) return null;
    if (loaded.value?.language === wanted) return loaded.value.words;
    const take = ({ default: words }: { readonly default: MoreWords }) => {
      loaded.value = { language: wanted, words };
    };
    load().then(take, () => {}); // until the box answers again there are none
    return null;
  };
}
