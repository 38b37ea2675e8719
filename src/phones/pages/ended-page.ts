// The page of a link that is none any more.

import type { PhoneWords } from '../words/phone-words.ts';
import { escaped, type Page, pageOf } from './page.ts';

/** endedPage says what to do instead. */
export function endedPage(words: PhoneWords): Page {
  const { heading, unknown } = words.ended;
  return pageOf({ words, heading, body: `<p>${escaped(unknown)}</p>`, script: null, facts: {}, asks: [] });
}
