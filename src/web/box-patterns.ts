// Sentences with names and numbers in them, found by patterns, and said in the words of each: as gettext does it, with the values read back out of the text.

/** Pattern is an entry, ready to be compared. */
export interface Pattern {
  readonly match: RegExp;
  readonly names: readonly string[];
  readonly text: string;
}

/** Parts that are sentences of the box, too: `Cannot take this backup: {reason}`. */
const SENTENCES: readonly string[] = ['reason', 'reason2'];

/** Parts that are several of them, with commas between. */
const LISTS: readonly string[] = ['limits'];

/** Parts that hold no blank, for otherwise `{host}: it fails itself` would fit too much. */
const IN_ONE_WORD: readonly string[] = ['call', 'host', 'word'];

/** translated looks through patterns, the most particular first. */
export function translated(text: string, patterns: readonly Pattern[]): string | null {
  for (const { match, names, text: words } of patterns) {
    const found = match.exec(text);
    if (found === null) continue;
    const values = new Map(names.map((name, index) => [name, partInWords(name, found[index + 1] ?? '', patterns)]));
    return words.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values.get(name) ?? whole);
  }
  if (!text.includes('\n')) return null;
  const lines = text.split('\n');
  const said = lines.map((line) => translated(line, patterns));
  return said.every((line) => line === null) ? null : said.map((line, index) => line ?? lines[index]).join('\n');
}

function partInWords(name: string, value: string, patterns: readonly Pattern[]): string {
  const inWords = (text: string) => translated(text, patterns) ?? text;
  if (LISTS.includes(name)) return value.split(', ').map(inWords).join(', ');
  return SENTENCES.includes(name) ? inWords(value) : value;
}

/** patternsIn reads entries. */
export function patternsIn(words: Readonly<Record<string, string>>): readonly Pattern[] {
  const literal = (key: string) => key.replaceAll(/\{\w+\}/g, '').length;
  return Object.entries(words)
    .toSorted(([one], [other]) => literal(other) - literal(one))
    .map(([key, text]) => ({
      match: new RegExp(
        `^${key
          .split(/(\{\w+\})/)
          .map(partOf)
          .join('')}$`,
        's',
      ),
      names: Array.from(key.matchAll(/\{(\w+)\}/g), ([, name = '']) => name),
      text,
    }));
}

function partOf(part: string): string {
  const [, name] = /^\{(\w+)\}$/.exec(part) ?? [];
  if (name === undefined) return escaped(part);
  return IN_ONE_WORD.includes(name) ? '(\\S+?)' : '(.+?)';
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
