// What the form shows for a setting: the words of the configuration as controls, and back.

import type { Answer } from '../api/answer.ts';

export type Known = Answer<'/api/v1/configuration/known-settings'>[number];
export type Said = Answer<'/api/v1/configuration/settings'>[number];

/** Worded is a setting with further words by which somebody may look for it. */
export type Worded = Known & { readonly searchWords: string };

/** Letters that a word has at least to say something, those that its ending has at most, and those that stay of it without that ending. */
const TELLING_WORD = 4;
const ENDING = 3;
const STEM = 4;

/** Control is how a setting is changed. */
export type Control = { readonly kind: 'choice'; readonly values: readonly string[] } | { readonly kind: 'number' | 'text' | 'list' };

/** controlOf reads the syntax of the reference: `true | false`, `number`, `text`. */
export function controlOf({ syntax, isList }: Known): Control {
  if (isList) return { kind: 'list' };
  const values = syntax.split(' | ');
  if (values.length > 1 && values.every((value) => /^[\w.-]+$/.test(value))) return { kind: 'choice', values };
  return { kind: /^(number|seconds|bytes|minutes|milliseconds)$/.test(syntax) ? 'number' : 'text' };
}

/** valuesOf gives what the text says of a setting, for the whole program or in one listener. A secret is ''. */
export function valuesOf(known: Known, said: readonly Said[], listener: string | null): readonly string[] {
  const values = saidOf(known, said, listener).map(({ value }) => value ?? '');
  return known.isList ? values : values.slice(-1);
}

function saidOf({ name, scope }: Known, said: readonly Said[], listener: string | null): readonly Said[] {
  const block = listener === null ? null : `listener ${listener}`;
  return said.filter((each) => each.name === name && (scope !== 'listener' || each.block === block));
}

/** mistakesOf gives those of a text that stand in the lines of a setting; `file` is edited. */
export function mistakesOf(
  known: Known,
  { said, mistakes, file }: { readonly said: readonly Said[]; readonly mistakes: readonly string[]; readonly file: string },
  listener: string | null,
): readonly string[] {
  const lines = new Set(saidOf(known, said, listener).map((each) => (each.file === file ? each.line : `${each.file}:${each.line}`)));
  const remarks = mistakes.map((mistake) => remarkIn(mistake, file));
  return remarks.flatMap(({ line, elsewhere, words }) => (lines.has(line ?? elsewhere) ? [words] : []));
}

const UNITS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  bytes: { b: 1, kb: 1e3, ko: 1e3, k: 1e3, mb: 1e6, mo: 1e6, m: 1e6, gb: 1e9, go: 1e9, g: 1e9, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 },
  seconds: { s: 1, sec: 1, min: 60, h: 3600, d: 86_400 },
};

/** inBaseUnit writes what a person types with a unit, `5 MB` or `2 h`, as the number that the configuration wants. All else stays. */
export function inBaseUnit({ syntax }: Pick<Known, 'syntax'>, typed: string): string {
  const [, number = '', unit = ''] = /^(\d+(?:[.,]\d+)?)[ \u00a0]*([a-z]+)$/i.exec(typed) ?? [];
  const factor = UNITS[syntax]?.[unit.toLowerCase()];
  return factor === undefined ? typed : String(Math.round(Number(number.replace(',', '.')) * factor));
}

/** listenersIn gives the listeners that the text has, as the form names them. */
export function listenersIn(said: readonly Said[]): readonly string[] {
  const named = said.flatMap(({ name, value }) => (name === 'listener' ? [value?.split(/[ \t]/, 1)[0] ?? ''] : []));
  return [...new Set(named)];
}

/** isOfDefaultListener tells whether a setting is one of the listener that no `listener` line begins. */
export function isOfDefaultListener({ scope }: Known): boolean {
  return scope !== 'global';
}

/** hasDefaultListener tells whether the text has words for that listener. */
export function hasDefaultListener(known: readonly Known[], said: readonly Said[]): boolean {
  return known.some((each) => isOfDefaultListener(each) && valuesOf(each, said, null).length > 0);
}

/** lineOfListener tells where the line stands that begins a listener; null = the text has none of this name. */
export function lineOfListener(said: readonly Said[], listener: string): Pick<Said, 'file' | 'line'> | null {
  return said.find(({ name, value }) => name === 'listener' && value?.split(/[ \t]/, 1)[0] === listener) ?? null;
}

/** isPort tells whether a text is a port that others can use. */
export function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536;
}

/** withPort gives a text with another port in the line of a listener, counted from 1. */
export function withPort(text: string, line: number, port: string): string {
  const lines = text.split('\n');
  lines[line - 1] = lines[line - 1]?.replace(/^([ \t]*listener[ \t]+)\S+/, `$1${port}`) ?? '';
  return lines.join('\n');
}

/** withLines gives a text with more lines at its end, below an empty one. */
export function withLines(text: string, lines: readonly string[]): string {
  const before = text.trimEnd();
  return `${before === '' ? '' : `${before}\n\n`}${lines.join('\n')}\n`;
}

/** portsOf gives those of the listeners that begin in some lines. */
export function portsOf(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => /^listener (\S+)/.exec(line)?.[1] ?? []);
}

/** Where a page is: of `location`. */
interface PagePlace {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: string;
}

/** isPageGone tells whether the page at a place has no listener any more, in what comes next. */
export function isPageGone(now: readonly Said[], next: readonly Said[], place: Pick<PagePlace, 'protocol' | 'port'>): boolean {
  const own = ownPort(place);
  return pagePorts(now).includes(own) && !pagePorts(next).includes(own);
}

/** movedPage gives the address of the page at `place` once its listener has another port; null = it stays, or nobody can tell where it goes. */
export function movedPage(now: readonly Said[], next: readonly Said[], { protocol, hostname, port }: PagePlace): string | null {
  const before = pagePorts(now);
  const come = pagePorts(next).filter((each) => !before.includes(each));
  return isPageGone(now, next, { protocol, port }) && come.length === 1 ? `${protocol}//${hostname}:${come[0]}/` : null;
}

/** ownPort gives the port of a page, which its address has only where it is an unusual one. */
export function ownPort({ protocol, port }: Pick<PagePlace, 'protocol' | 'port'>): string {
  return port || (protocol === 'https:' ? '443' : '80');
}

/** pagePorts gives the listeners that have the page. */
export function pagePorts(said: readonly Said[]): readonly string[] {
  return said.flatMap(({ name, value, block }) =>
    name === 'protocol' && value === 'http' ? [block?.replace(/^listener /, '') ?? ''] : [],
  );
}

/** Found tells which settings somebody looks for. */
export interface Found {
  fits(known: Worded): boolean;
  /** False = none has all of the words, and these have the most of them. */
  readonly hasAll: boolean;
}

/** findSettings looks for words in the names, meanings and search words; where none has all of them, those with the most of the longer ones do, if they have half of these. */
export function findSettings(known: readonly Worded[], words: string): Found {
  const rows = known.map((each) => ({ each, text: plainOf(`${each.name} ${each.meaning} ${each.searchWords}`) }));
  const sought = wordsOf(words);
  const countIn = (text: string, wanted: readonly string[]) => wanted.filter((word) => hasStem(text, word)).length;
  const foundWith = (count: number, wanted: readonly string[]): Found['fits'] => {
    const found = new Set(rows.filter(({ text }) => countIn(text, wanted) === count).map(({ each }) => each));
    return (each) => found.has(each);
  };
  if (rows.some(({ text }) => countIn(text, sought) === sought.length)) return { fits: foundWith(sought.length, sought), hasAll: true };
  const telling = sought.filter((word) => word.length >= TELLING_WORD);
  const most = Math.max(0, ...rows.map(({ text }) => countIn(text, telling)));
  return { fits: most > 0 && most * 2 >= telling.length ? foundWith(most, telling) : () => false, hasAll: false };
}

/** hasWords tells whether a text has each of some words as they are, wherever they stand. */
export function hasWords(text: string, words: string): boolean {
  const plain = plainOf(text);
  return wordsOf(words).every((word) => plain.includes(word));
}

function wordsOf(text: string): readonly string[] {
  return plainOf(text)
    .split(/[\s'’"?!,;]+/)
    .filter((word) => word !== '');
}

/** The ending of a longer word may be another: messages, message; waiting, wait. A number has none. */
function hasStem(plain: string, word: string): boolean {
  const stem = /\d/.test(word) ? word : word.slice(0, Math.max(STEM, word.length - ENDING));
  return plain.includes(stem);
}

/** Many leave capitals and accents out where they look for something. */
function plainOf(text: string): string {
  return text.toLowerCase().normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll('ß', 'ss');
}

/** Remark is a mistake or a warning, taken apart: `/etc/midge/midge.conf:4:1: error: Unknown ...`. */
export interface Remark {
  /** In the file that is edited; null = it is about another file, or none. */
  readonly line: number | null;
  /** The place in another file; '' = none. */
  readonly elsewhere: string;
  readonly words: string;
}

/** remarkIn reads one; `file` is edited. */
export function remarkIn(remark: string, file: string): Remark {
  const [, path = '', line = '', words = remark] = /^(?:(.+?):(\d+)(?::\d+)?: )?(?:error|warning): (.*)$/s.exec(remark) ?? [];
  if (path === file) return { line: Number(line), elsewhere: '', words };
  return { line: null, elsewhere: path === '' ? '' : `${path}:${line}`, words };
}

/** codeIn parts a sentence at its backquotes: every second part is a word of the language. */
export function codeIn(meaning: string): readonly string[] {
  return meaning.split('`');
}
