// What the page makes of settings: controls of the reference, values of the text, and a diff that people read.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { knownSettings } from '../../src/config/known-settings.ts';
import { changedLines, isChanged } from '../../src/web/settings/changed-lines.ts';
import { mergeTexts } from '../../src/web/settings/merge-texts.ts';
import { SECTION_NAMES } from '../../src/web/settings/section-names.ts';
import {
  codeIn,
  controlOf,
  findSettings,
  hasDefaultListener,
  hasWords,
  inBaseUnit,
  isPageGone,
  isPort,
  type Known,
  lineOfListener,
  listenersIn,
  mistakesOf,
  movedPage,
  portsOf,
  remarkIn,
  type Said,
  valuesOf,
  withLines,
  withPort,
} from '../../src/web/settings/setting-form.ts';

const KNOWN: readonly Known[] = [...knownSettings()];

function known(name: string): Known {
  const found = KNOWN.find((each) => each.name === name);
  assert.ok(found !== undefined, name);
  return found;
}

const said = (name: string, value: string | null, block: string | null = null): Said => ({
  name,
  value,
  block,
  file: 'midge.conf',
  line: 1,
});

test('control follows the values that a setting may have', () => {
  assert.deepEqual(controlOf(known('persistence')), { kind: 'choice', values: ['true', 'false'] });
  assert.deepEqual(controlOf(known('max_connections')), { kind: 'number' });
  assert.deepEqual(controlOf(known('acl_file')), { kind: 'text' });
  assert.deepEqual(controlOf(known('log_type')), { kind: 'list' });
});

test('number with a unit is written as the language wants it, and all else stays', () => {
  const size = (typed: string) => inBaseUnit(known('max_packet_size'), typed);
  assert.deepEqual(['5 MB', '1,5 kB', '2MiB', '1\u00a0GB', '7'].map(size), ['5000000', '1500', '2097152', '1000000000', '7']);
  assert.deepEqual(['5 parsecs', 'MB', '-1 MB', '5 h'].map(size), ['5 parsecs', 'MB', '-1 MB', '5 h']);
  assert.equal(inBaseUnit(known('sys_interval'), '2 min'), '120');
  assert.equal(inBaseUnit(known('acl_file'), '5 MB'), '5 MB');
});

test('mistake belongs to the setting in whose line it is, of the listener that has it', () => {
  const at = (line: number, block: string, file = 'midge.conf') => ({ ...said('max_connections', 'many', block), file, line });
  const read = {
    said: [at(4, 'listener 1883'), at(9, 'listener 8883'), at(9, 'listener 9001', 'more.conf')],
    mistakes: ['midge.conf:9:17: error: Invalid max_connections value (many)', 'more.conf:9:17: error: Cannot read it'],
    file: 'midge.conf',
  };
  const of = (listener: string) => mistakesOf(known('max_connections'), read, listener);
  assert.deepEqual(['1883', '8883', '9001'].map(of), [[], ['Invalid max_connections value (many)'], ['Cannot read it']]);
});

test('words are found wherever they stand', () => {
  assert.ok(hasWords('listener Port 8443 port of the page', 'page port'));
  assert.ok(!hasWords('listener Port 8443', 'page port'));
});

test('two changes of one text are both in what comes of them, wherever they stand', () => {
  const base = 'persistence true\nmax_keepalive 60\nlistener 1883\n';
  const mine = base.replace('max_keepalive 60', 'max_keepalive 90');
  assert.deepEqual(mergeTexts(mine, base, `log_type all\n${base}`), { text: `log_type all\n${mine}`, isSamePlace: false });
  assert.deepEqual(mergeTexts(mine, base, mine), { text: mine, isSamePlace: false });
  const theirs = base.replace('max_keepalive 60', 'max_keepalive 120');
  assert.deepEqual(mergeTexts(mine, base, theirs), { text: mine, isSamePlace: true });
  const both = mergeTexts(`${base}listener 8883\nsecure true\n`, base, `${base}max_connections 5\n`);
  assert.deepEqual(both, { text: `${base}max_connections 5\nlistener 8883\nsecure true\n`, isSamePlace: false });
});

test('value of a listener is not that of another one, and a secret has none', () => {
  const all = [
    said('allow_anonymous', 'false'),
    said('allow_anonymous', 'true'),
    said('listener', '1883 127.0.0.1', 'listener 1883'),
    said('max_connections', '5', 'listener 1883'),
    said('listener', '8883', 'listener 8883'),
    said('password', null, 'listener 8883'),
  ];
  assert.deepEqual(listenersIn(all), ['1883', '8883']);
  assert.deepEqual(valuesOf(known('allow_anonymous'), all, null), ['true']);
  assert.deepEqual(valuesOf(known('max_connections'), all, '1883'), ['5']);
  assert.deepEqual(valuesOf(known('max_connections'), all, '8883'), []);
  assert.deepEqual(valuesOf(known('password'), all, null), ['']);
});

test('default listener is there where the text has words for it', () => {
  const settings = ['port', 'max_connections', 'persistence'].map(known);
  const has = (...all: readonly Parameters<typeof said>[]) =>
    hasDefaultListener(
      settings,
      all.map((each) => said(...each)),
    );
  assert.ok(has(['port', '1883']));
  assert.ok(has(['max_connections', '5'], ['listener', '8883', 'listener 8883']));
  assert.ok(!has(['persistence', 'true'], ['listener', '8883', 'listener 8883'], ['max_connections', '5', 'listener 8883']));
});

test('listener gets another port in its line, and nothing else of the text changes', () => {
  const text = 'persistence true\n  listener\t1883 127.0.0.1\nlistener 8883\n# listener 1883\n';
  const all = [
    { ...said('listener', '1883 127.0.0.1'), line: 2 },
    { ...said('listener', '8883'), line: 3 },
  ];
  assert.equal(lineOfListener(all, '188'), null);
  const { line } = lineOfListener(all, '1883') ?? { line: 0 };
  assert.equal(withPort(text, line, '1884'), text.replace('1883 127', '1884 127'));
  assert.deepEqual(['1', '65535', '0', '65536', '-1', '1883x', ''].map(isPort), [true, true, false, false, false, false, false]);
});

test('settings are found by words of their name, their meaning and their search words', () => {
  const worded = KNOWN.map((each) => ({ ...each, searchWords: each.name === 'advertise' ? 'wombats' : '' }));
  const find = (words: string) => {
    const { fits, hasAll } = findSettings(worded, words);
    return { names: worded.filter(fits).map(({ name }) => name), hasAll };
  };
  assert.ok(find('throttle').names.includes('login_throttle'));
  assert.ok(find('wrong LOGINS').names.includes('login_throttle'));
  assert.deepEqual(find('wombat mDNS').names, ['advertise']);
  assert.ok(find('largely messaging').names.includes('max_packet_size'), 'another ending');
  assert.equal(find('largely messaging').hasAll, true);
  assert.ok(find('WÄITING?').names.includes('max_outgoing_bytes'), 'an accent and a question mark');
  assert.deepEqual(find('65536').names, [], 'a number is no word with an ending');
  assert.deepEqual(find('size limit for messages of stargazers').hasAll, false);
  assert.ok(find('size limit for messages of stargazers').names.includes('message_size_limit'));
  assert.deepEqual(find('quokka numbat size').names, [], 'half of them at least');
  assert.equal(find('').names.length, KNOWN.length);
});

test('remark leads to its line of the file that is edited, and names another file', () => {
  const file = '/etc/midge/midge.conf';
  assert.deepEqual(remarkIn(`${file}:12:5: error: Unknown`, file), { line: 12, elsewhere: '', words: 'Unknown' });
  assert.deepEqual(remarkIn('/etc/midge/acl:11:1: warning: Nobody', file), { line: null, elsewhere: '/etc/midge/acl:11', words: 'Nobody' });
  assert.deepEqual(remarkIn('error: Cannot open two listeners', file), { line: null, elsewhere: '', words: 'Cannot open two listeners' });
});

test('meaning is taken apart at the words of the configuration', () => {
  assert.deepEqual(codeIn('With `secure` only.'), ['With ', 'secure', ' only.']);
});

test('diff shows what changes and a little around it', () => {
  const diff = [' 1', ' 2', ' 3', ' 4', '-5', '+five', ' 6', ' 7', ' 8', ' 9', ' 10', '+11'];
  assert.deepEqual(
    changedLines(diff).map(({ kind, text }) => `${kind} ${text}`),
    ['same 3', 'same 4', 'gone 5', 'come five', 'same 6', 'same 7', 'gap ', 'same 9', 'same 10', 'come 11'],
  );
  assert.equal(isChanged([' a']), false);
});

test('page has words for each section of the settings, and for no other', () => {
  assert.deepEqual(Object.keys(SECTION_NAMES).sort(), [...new Set(KNOWN.map(({ section }) => section))].sort());
});

for (const language of ['de', 'fr']) {
  test(`page says in "${language}" what each setting of the form means, with its words of the configuration`, () => {
    const file = join(import.meta.dirname, `../../src/web/locales/settings/${language}.json`);
    const words = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    assert.deepEqual(Object.keys(words), [...new Set(KNOWN.map(({ name }) => name))].sort());
    const lacking = KNOWN.filter(({ name, meaning }) => wordsIn(meaning).some((word) => !wordsIn(words[name]).includes(word)));
    assert.deepEqual(
      lacking.map(({ name }) => name),
      [],
    );
  });
}

/** Those in backquotes. */
function wordsIn(meaning = ''): readonly string[] {
  return codeIn(meaning).filter((_, index) => index % 2 === 1);
}

test('lines come below the text with an empty line between, however it ends, and their ports are read', () => {
  const lines = ['listener 8883', 'secure true', 'listener 8443', 'protocol http'];
  for (const text of ['listener 1883', 'listener 1883\n', 'listener 1883\n\n'])
    assert.equal(withLines(text, lines), `listener 1883\n\n${lines.join('\n')}\n`);
  assert.equal(withLines('', ['listener 8883']), 'listener 8883\n');
  assert.deepEqual(portsOf(lines), ['8883', '8443']);
});

test('page knows where it moves when its own listener gets another port, and otherwise says nothing', () => {
  const pages = (...ports: string[]) => [
    said('protocol', 'mqtt', 'listener 1883'),
    ...ports.map((port) => said('protocol', 'http', `listener ${port}`)),
  ];
  const here = { protocol: 'http:', hostname: '127.0.0.1', port: '18443' };
  assert.equal(movedPage(pages('18443', '8443'), pages('18444', '8443'), here), 'http://127.0.0.1:18444/');
  assert.equal(movedPage(pages('80'), pages('8080'), { protocol: 'http:', hostname: 'pi.local', port: '' }), 'http://pi.local:8080/');
  assert.equal(movedPage(pages('443'), pages('8443'), { protocol: 'https:', hostname: 'pi.local', port: '' }), 'https://pi.local:8443/');
  assert.equal(movedPage(pages('18443'), pages('18443', '18444'), here), null, 'it stays');
  assert.equal(movedPage(pages('18443', '8443'), pages('8443'), here), null, 'it goes, and comes nowhere');
  assert.equal(movedPage(pages('8443'), pages('8444'), here), null, 'something forwards to it');
  assert.equal(isPageGone(pages('18443', '8443'), pages('8443'), here), true);
  assert.equal(isPageGone(pages('18443'), pages('18443', '8443'), here), false);
  assert.equal(isPageGone(pages('8443'), pages('8444'), here), false, 'something forwards to it');
});
