// Words as a sentence.

/** asSentence begins and ends words as a sentence does. A name at the beginning stays as it is. */
export function asSentence(words: string): string {
  const begun = /^[\p{Ll}’]+[ ,]/u.test(words) ? `${words.charAt(0).toUpperCase()}${words.slice(1)}` : words;
  return /[.!?:…]$/.test(begun) ? begun : `${begun}.`;
}
