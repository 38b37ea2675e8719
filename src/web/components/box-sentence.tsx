// A sentence of the box in a view.

import { inReadersWords } from '../box-words.ts';
import { asSentence } from '../sentence.ts';

/** BoxSentence shows it in the language of the reader, or says that it is in English. */
export function BoxSentence({ text }: { readonly text: string }) {
  const words = inReadersWords(text);
  return <span lang={words === null ? 'en' : undefined}>{asSentence(words ?? text)}</span>;
}
