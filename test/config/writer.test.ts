// A setting is changed where it stands, and nothing else of the text.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfiguration } from '../../src/config/config.ts';
import { changeSetting, readSetting, type SettingChange } from '../../src/config/writer.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

/** Files by name; the main one is midge.conf. FOLDER in them is their folder. */
function written(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder(t);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text.replaceAll('FOLDER', folder));
  }
  return join(folder, 'midge.conf');
}

function changed(main: string, name: string, values: readonly string[], listener: string | null = null): Record<string, string> {
  const change: SettingChange = { name, values, listener };
  const files = changeSetting(main, change);
  return Object.fromEntries(files.map(({ path, after }) => [basename(path), after.replaceAll(dirname(main), 'FOLDER')]));
}

const MAIN = '# mine\n\nsys_interval   5\n\tmax_packet_size 1000  \n\n# the house\nlistener 1883\nmax_connections 10\n\nlistener 8883\n';

/** Word, values, listener, what the main file becomes: the rest of it is MAIN. */
const CHANGES: readonly (readonly [
  what: string,
  name: string,
  values: readonly string[],
  listener: string | null,
  from: string,
  to: string,
])[] = [
  ['a value', 'sys_interval', ['9'], null, 'sys_interval   5', 'sys_interval   9'],
  ['a value behind an indent', 'max_packet_size', ['7'], null, '\tmax_packet_size 1000  ', '\tmax_packet_size 7'],
  ['a value of one listener', 'max_connections', ['20'], '1883', 'max_connections 10', 'max_connections 20'],
  ['a word that its listener has not', 'max_connections', ['3'], '8883', 'listener 8883\n', 'listener 8883\nmax_connections 3\n'],
  ['a word that stands nowhere', 'retain_available', ['false'], null, '\n# the house\n', 'retain_available false\n\n# the house\n'],
  ['a word that goes', 'sys_interval', [], null, 'sys_interval   5\n', ''],
];

for (const [what, name, values, listener, from, to] of CHANGES) {
  test(`a setting is changed and the rest stays: ${what}`, (t) => {
    const main = written(t, { 'midge.conf': MAIN });
    const { 'midge.conf': text = '', ...others } = changed(main, name, values, listener);
    assert.equal(text, MAIN.replace(from, to));
    assert.deepEqual(others, {});
  });
}

test('a setting that is said twice is changed where it counts', (t) => {
  const main = written(t, { 'midge.conf': 'sys_interval 1\ninclude FOLDER/more.conf\n', 'more.conf': 'sys_interval 2\n' });
  assert.deepEqual(changed(main, 'sys_interval', ['3']), { 'more.conf': 'sys_interval 3\n' });
  assert.deepEqual(
    readSetting(main, 'sys_interval', null).statements.map(({ text }) => text),
    ['2'],
  );
  assert.deepEqual(changed(main, 'sys_interval', []), { 'midge.conf': 'include FOLDER/more.conf\n', 'more.conf': '' });
});

test('a setting with several values has all of them replaced', (t) => {
  const main = written(t, { 'midge.conf': 'log_type error\n# and\nlog_type warning\r\nlog_dest stderr\n' });
  assert.deepEqual(changed(main, 'log_type', ['notice', 'debug']), {
    'midge.conf': 'log_type notice\nlog_type debug\n# and\nlog_dest stderr\n',
  });
});

test('a setting that stands nowhere goes behind its example, or into the folder that is included', (t) => {
  const example = written(t, { 'midge.conf': '#mdns_name Living room\n\nlistener 1883\ninclude_dir FOLDER/conf.d\n', 'conf.d/.keep': '' });
  assert.deepEqual(changed(example, 'mdns_name', ['Attic']), {
    'midge.conf': '#mdns_name Living room\nmdns_name Attic\n\nlistener 1883\ninclude_dir FOLDER/conf.d\n',
  });
  const [file] = changeSetting(example, { name: 'sys_interval', values: ['3'], listener: null });
  assert.equal(file?.path, join(dirname(example), 'conf.d/settings.conf'));
  assert.match(file.after, /^# .*\nsys_interval 3\n$/);
  const { configuration } = loadConfiguration(
    { file: example, port: null, verbose: false, lan: false },
    new Map([[file.path, file.after]]),
  );
  assert.equal(configuration?.broker.sysInterval, 3, 'it is read before it is written');
});

test('a setting that stands nowhere goes above the listeners of a text that is given, whatever folder that includes', (t) => {
  const text = 'persistence true\n\n# the house\nlistener 1883\ninclude_dir FOLDER/conf.d\n';
  const main = written(t, { 'midge.conf': text, 'conf.d/own.conf': 'max_packet_size 1000\n' });
  const given = text.replaceAll('FOLDER', dirname(main));
  const edit = (name: string, value: string) =>
    changeSetting(main, { name, values: [value], listener: null }, new Map([[main, given]])).map(({ path, after }) => [path, after]);
  assert.deepEqual(edit('acl_file', '/etc/acl'), [[main, given.replace('\n# the house', 'acl_file /etc/acl\n\n# the house')]]);
  assert.deepEqual(
    edit('max_packet_size', '2000'),
    [[join(dirname(main), 'conf.d/own.conf'), 'max_packet_size 2000\n']],
    'it stays where it stands',
  );
});

test('a file with the line ends of Windows and a byte order mark keeps them', (t) => {
  const main = written(t, { 'midge.conf': '\uFEFFsys_interval 1\r\nlog_dest stderr\r\n' });
  assert.deepEqual(changed(main, 'sys_interval', ['2']), { 'midge.conf': '\uFEFFsys_interval 2\r\nlog_dest stderr\r\n' });
  assert.deepEqual(changed(main, 'retain_available', ['false']), {
    'midge.conf': '\uFEFFsys_interval 1\r\nlog_dest stderr\r\nretain_available false\r\n',
  });
});

test('an example below a listener is no place for a word of another one', (t) => {
  const text = 'listener 1883\n\nlistener 8883\n#max_connections 5\n';
  const main = written(t, { 'midge.conf': `bind_address 127.0.0.1\n${text}` });
  assert.deepEqual(changed(main, 'max_connections', ['3']), { 'midge.conf': `bind_address 127.0.0.1\nmax_connections 3\n${text}` });
  assert.deepEqual(changed(main, 'sys_interval', ['3']), { 'midge.conf': `bind_address 127.0.0.1\nsys_interval 3\n${text}` });
});

test('a word is not written where it would count for a listener that is included', (t) => {
  const main = written(t, { 'midge.conf': 'bind_address 127.0.0.1\ninclude FOLDER/more.conf\n', 'more.conf': 'listener 8883\n' });
  const change = { name: 'max_connections', values: ['3'], listener: null };
  assert.throws(() => changeSetting(main, change), /it would count for a listener of a file that ".*midge\.conf" includes/);
});

test('a word of security is one for the whole program wherever it stands, unless listeners have their own', (t) => {
  const text = 'listener 1883\nallow_anonymous true\n';
  const main = written(t, { 'midge.conf': text });
  assert.deepEqual(
    readSetting(main, 'allow_anonymous', null).statements.map(({ place }) => place.line),
    [2],
  );
  assert.deepEqual(changed(main, 'allow_anonymous', ['false']), { 'midge.conf': text.replace('true', 'false') });
  assert.deepEqual(changed(main, 'allow_anonymous', []), { 'midge.conf': 'listener 1883\n' });
  const each = written(t, { 'midge.conf': `per_listener_settings true\n${text}` });
  assert.deepEqual(readSetting(each, 'allow_anonymous', null).statements, []);
  assert.deepEqual(changed(each, 'allow_anonymous', ['false'], '1883'), {
    'midge.conf': `per_listener_settings true\n${text.replace('true', 'false')}`,
  });
});

test('a sentence in a comment is no example', (t) => {
  const text = '# persistence is on by default,\n# and that is well.\n';
  const main = written(t, { 'midge.conf': text });
  assert.deepEqual(changed(main, 'persistence', ['false']), { 'midge.conf': `${text}persistence false\n` });
});

test('a file that is no UTF-8 is not changed: its comments would not stay', (t) => {
  const main = written(t, {});
  mkdirSync(dirname(main), { recursive: true });
  writeFileSync(main, Buffer.from('# K\xfcche\nsys_interval 1\n', 'latin1'));
  assert.throws(
    () => changeSetting(main, { name: 'sys_interval', values: ['2'], listener: null }),
    /midge\.conf:1": that line is not UTF-8/,
  );
});

const REFUSED: readonly (readonly [name: string, values: readonly string[], listener: string | null, expected: RegExp])[] = [
  ['sys_intervall', ['1'], null, /Unknown configuration variable "sys_intervall" - did you mean "sys_interval"\?/],
  ['include_dir', ['/x'], null, /it shapes the file/],
  ['sys_interval', ['1', '2'], null, /it has one/],
  ['sys_interval', ['1\nlistener 1'], null, /must not contain line ends/],
  ['max_connections', ['1'], '9999', /has no listener 9999/],
];

for (const [name, values, listener, expected] of REFUSED) {
  test(`a change is refused with words: ${name} ${JSON.stringify(values)}`, (t) => {
    const main = written(t, { 'midge.conf': MAIN });
    assert.throws(() => changeSetting(main, { name, values, listener }), expected);
  });
}

test('a setting is changed outside of a connection block, whose words of the same name stay', (t) => {
  const block = 'connection a\naddress pi.local\ntopic #\nusername joe\npassword t0psecret\n';
  const main = written(t, { 'midge.conf': `sys_interval 1\n${block}` });
  assert.deepEqual(changed(main, 'username', ['jane']), { 'midge.conf': `sys_interval 1\nusername jane\n${block}` });
  assert.deepEqual(readSetting(main, 'username', null).statements, []);
  assert.throws(() => changed(main, 'remote_username', ['jane']), /Cannot set remote_username: it belongs to a connection block/);
});
