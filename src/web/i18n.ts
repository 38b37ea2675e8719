// Words, numbers and dates in the language of the reader. The words are in locales/, a file per language, all with the same keys.

import { signal } from '@preact/signals';
import { recall, remember } from './remembered.ts';

/** Words by their keys. */
type Words = typeof import('./locales/en.json');
export type Key = keyof Words;

/** PluralKey stands for a family of keys: `x.one`, `x.other`. */
export type PluralKey = Key extends infer Each ? (Each extends `${infer Family}.other` ? Family : never) : never;

export type Values = Readonly<Record<string, string | number>>;

/** LANGUAGES by the name that their speakers give them. */
export const LANGUAGES = { en: 'English', de: 'Deutsch', fr: 'Français' } as const;
export type Language = keyof typeof LANGUAGES;

const LOADERS: Readonly<Record<Language, () => Promise<{ default: Words }>>> = {
  en: () => import('./locales/en.json'),
  de: () => import('./locales/de.json'),
  fr: () => import('./locales/fr.json'),
};

interface Loaded {
  readonly language: Language;
  readonly words: Words;
}

const loaded = signal<Loaded | null>(null);

/** language is the one on the screen. */
export function language(): Language {
  return loaded.value?.language ?? 'en';
}

/** loadLanguage puts a language in force: the one given, the one chosen last time, or the first of the browser's that we have. */
export async function loadLanguage(chosen?: Language): Promise<void> {
  if (chosen !== undefined) remember('language', chosen);
  const wanted = chosen ?? firstKnown([recall('language') ?? '', ...navigator.languages]);
  const { default: words } = await LOADERS[wanted]();
  loaded.value = { language: wanted, words };
  document.documentElement.lang = wanted;
}

function firstKnown(tags: readonly string[]): Language {
  const known = tags.map((tag) => tag.slice(0, 2)).find((tag) => tag in LANGUAGES);
  return (known as Language | undefined) ?? 'en'; // it is in LANGUAGES
}

/** t gives the words of a key, with `{name}` replaced by the value of that name. */
export function t(key: Key, values: Values = {}): string {
  const text: string = loaded.value?.words[key] ?? key;
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' && name !== 'port' ? number(value) : String(value); // a port is a name that has digits
  });
}

/** plural gives the words for a count: `{count}` is that number. */
export function plural(family: PluralKey, count: number, values: Values = {}): string {
  const rule = new Intl.PluralRules(language()).select(count) === 'one' ? 'one' : 'other';
  return t(`${family}.${rule}` as Key, { ...values, count }); // a family has both: test/web/locales.test.ts
}

/** listed puts words in a row: "one, two and three". */
export function listed(words: readonly string[]): string {
  return new Intl.ListFormat(language()).format(words);
}

/** either puts words in a row of which one is meant: "one, two or three". */
export function either(words: readonly string[]): string {
  return new Intl.ListFormat(language(), { type: 'disjunction' }).format(words);
}

/** regional is the language as the reader writes numbers and dates in it: en-GB and en-US differ. */
function regional(): string {
  return navigator.languages.find((tag) => tag.slice(0, 2) === language()) ?? language();
}

/** number writes one with at most `digits` behind the point. */
export function number(value: number, digits = 1): string {
  return new Intl.NumberFormat(regional(), { maximumFractionDigits: digits }).format(value);
}

/** percent takes a share of one. */
export function percent(share: number): string {
  return new Intl.NumberFormat(regional(), { style: 'percent' }).format(share);
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];

/** bytes writes an amount with a unit that keeps the number short. */
export function bytes(value: number): string {
  const power = value < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(value) / 3));
  const scaled = value / 1000 ** power;
  const maximumFractionDigits = power === 0 || scaled >= 100 ? 0 : 1;
  const unit = UNITS[power] ?? 'byte';
  const written = new Intl.NumberFormat(regional(), {
    style: 'unit',
    unit,
    unitDisplay: power === 0 ? 'narrow' : 'short',
    maximumFractionDigits,
  }).format(scaled);
  return written.replace(/(\d)(\p{L})/u, '$1\u00a0$2'); // narrow has no space
}

/** length takes metres. */
export function length(metres: number): string {
  const isFar = metres >= 1000;
  const [value, unit] = isFar ? [metres / 1000, 'kilometer'] : [metres, 'meter'];
  const maximumFractionDigits = isFar && value < 100 ? 1 : 0;
  return new Intl.NumberFormat(regional(), { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits }).format(value);
}

/** dateTime writes a moment: ISO 8601 or milliseconds since 1970. */
export function dateTime(at: string | number): string {
  return write(at, { dateStyle: 'medium', timeStyle: 'short' });
}

/** day writes the date of a moment. */
export function day(at: string | number): string {
  return write(at, { dateStyle: 'long' });
}

/** clockTime writes the time of day of a moment, with seconds. */
export function clockTime(at: string | number): string {
  return write(at, { timeStyle: 'medium' });
}

/** axisTime writes a moment below a chart; `step` is what lies between two of them, in milliseconds. */
export function axisTime(at: number, step: number): string {
  if (step >= DAY) return write(at, { day: 'numeric', month: 'short' });
  return write(at, { timeStyle: step < MINUTE ? 'medium' : 'short' });
}

const MINUTE = 60_000;
const DAY = 86_400_000;

/** Words are those of the language. Whether it is 3 pm or 15:00 is said by the region of the browser, whatever the language. */
function write(at: string | number, parts: Intl.DateTimeFormatOptions): string {
  const { hourCycle } = new Intl.DateTimeFormat(navigator.languages[0], { hour: 'numeric' }).resolvedOptions();
  return new Intl.DateTimeFormat(regional(), { ...parts, ...(hourCycle === undefined ? {} : { hourCycle }) }).format(new Date(at));
}

const SPANS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

const relative = perTag((each) => new Intl.RelativeTimeFormat(each, { numeric: 'auto' }));

/** ago writes how far a moment is from now: "3 minutes ago", "in 2 days". */
export function ago(at: string | number, now = Date.now()): string {
  const seconds = Math.round((new Date(at).getTime() - now) / 1000);
  const [unit, size] = SPANS.find(([, each]) => Math.abs(seconds) >= each) ?? (['second', 1] as const);
  return relative().format(Math.trunc(seconds / size), unit);
}

const LASTING = { day: 'for.day', hour: 'for.hour', minute: 'for.minute', second: 'for.second' } as const;

/** lasting writes for how long something has been so: "for 3 minutes". */
export function lasting(since: string | number, now = Date.now()): string {
  const seconds = Math.max(0, Math.floor((now - new Date(since).getTime()) / 1000)); // the clock of the box may be ahead
  const [unit, size] = SPANS.find(([, each]) => seconds >= each) ?? (['second', 1] as const);
  return plural(LASTING[unit], Math.floor(seconds / size));
}

/** span writes a length of time in the greatest unit that leaves no rest: "7 days", "90 seconds". */
export function span(seconds: number): string {
  const [unit, size] = SPANS.find(([, each]) => seconds % each === 0) ?? (['second', 1] as const);
  return new Intl.NumberFormat(regional(), { style: 'unit', unit, unitDisplay: 'long' }).format(seconds / size);
}

/** A format is kept while its language tag is in force: to make one costs some twenty times what a use of it does. */
function perTag<Format>(make: (tag: string) => Format): () => Format {
  let made: { readonly tag: string; readonly format: Format } | null = null;
  return () => {
    const tag = regional();
    if (made?.tag !== tag) made = { tag, format: make(tag) };
    return made.format;
  };
}
