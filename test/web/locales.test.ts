// The words of the page: each language has all of them, and the sources use each of them.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const WEB = join(import.meta.dirname, '../../src/web');
const LANGUAGES = ['en', 'de', 'fr'] as const;
const WORDS = Object.fromEntries(
  LANGUAGES.map((language) => [
    language,
    JSON.parse(readFileSync(join(WEB, `locales/${language}.json`), 'utf8')) as Record<string, string>,
  ]),
);
const ENGLISH = WORDS['en']!;
const PLURAL = /\.(one|other)$/;

test('French signs stay with their words at the end of a line', () => {
  const files = globSync('locales/**/fr.json', { cwd: WEB });
  const words = files.flatMap((file) => Object.values<string>(JSON.parse(readFileSync(join(WEB, file), 'utf8'))));
  assert.deepEqual(
    words.filter((text) => /« | [:;?!»](?:\s|$)/.test(text)),
    [],
  );
});

test('languages have a file each, and no file is without its language', () => {
  assert.deepEqual(globSync('locales/*.json', { cwd: WEB }).sort(), LANGUAGES.map((language) => `locales/${language}.json`).sort());
  const listed = /LANGUAGES = \{(.+?)\}/.exec(readFileSync(join(WEB, 'i18n.ts'), 'utf8'))?.[1] ?? '';
  assert.deepEqual(Array.from(listed.matchAll(/(\w+):/g), ([, language]) => language).sort(), [...LANGUAGES].sort());
});

for (const language of LANGUAGES) {
  const words = WORDS[language]!;

  test(`words of "${language}" have the keys of English, in order`, () => {
    assert.deepEqual(Object.keys(words), Object.keys(ENGLISH).sort());
  });

  test(`words of "${language}" have the placeholders of English`, () => {
    const wrong = Object.keys(ENGLISH).filter((key) => placeholders(words[key]) !== placeholders(ENGLISH[key]));
    assert.deepEqual(wrong, []);
  });

  test(`words of "${language}" are said, without blanks at their ends`, () => {
    const wrong = Object.entries(words).filter(([, text]) => text.trim() !== text || text === '');
    assert.deepEqual(wrong, []);
  });

  test(`words of "${language}" have one and other of each family`, () => {
    const families = Object.keys(words).flatMap((key) => (PLURAL.test(key) ? [key.replace(PLURAL, '')] : []));
    const wrong = families.filter((family) => words[`${family}.one`] === undefined || words[`${family}.other`] === undefined);
    assert.deepEqual(wrong, []);
  });
}

test('topics of examples begin where the templates of accounts begin, in each language', () => {
  const [, area] = /person: \{[^}]*?area: \(\) => '(\w+)'/.exec(readFileSync(join(WEB, 'views/person-templates.ts'), 'utf8')) ?? [];
  assert.ok(area);
  for (const words of Object.values(WORDS)) {
    for (const key of ['may.topicHint', 'people.areaHintOwn', 'people.filterHint', 'phones.topicsHint']) {
      const [, first] = /([^\s/]+)\//.exec(words[key] ?? '') ?? [];
      assert.equal(first, area, words[key]);
    }
  }
});

test('names in examples are of the language', () => {
  for (const key of ['bridges.topicHint', 'certificates.clientNameHint', 'may.topicHint', 'people.areaHintOwn', 'topics.filterHint']) {
    const examples = LANGUAGES.map((language) => WORDS[language]?.[key]?.split(/\s/).at(-1));
    assert.equal(new Set(examples).size, LANGUAGES.length, `${key}: ${examples}`);
  }
});

test('a program of the box itself comes from the box, which nobody takes for the device in their hand', () => {
  const box = { en: 'this box', de: 'dieser Box', fr: 'ce boîtier' };
  for (const language of LANGUAGES)
    for (const key of ['clients.unixSocket', 'refusals.thisMachine']) assert.ok(WORDS[language]?.[key]?.endsWith(box[language]), key);
});

test('words are used by the sources, all of them', () => {
  const sources = globSync('**/*.{ts,tsx}', { cwd: WEB }).map((file) => readFileSync(join(WEB, file), 'utf8'));
  const literals = new Set(sources.flatMap((text) => Array.from(text.matchAll(/'([\w-]+(?:\.[\w-]+)+)'/g), ([, literal]) => literal)));
  assert.deepEqual(
    Object.keys(ENGLISH).filter((key) => !literals.has(key.replace(PLURAL, ''))),
    [],
  );
});

/** "one" may leave the count out; the rest must fit. */
function placeholders(text = ''): string {
  const names = Array.from(text.matchAll(/\{(\w+)\}/g), ([, name]) => name).filter((name) => name !== 'count');
  return [...new Set(names)].sort().join();
}
