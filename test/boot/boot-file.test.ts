// midge.txt as people write it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readBootFile } from '../../src/boot/boot-file.ts';
import { WORDS } from '../../src/boot/words.ts';
import { closestWord } from '../../src/config/config.ts';

const TEMPLATE = join(import.meta.dirname, '../../rootfs/boot/firmware/midge.txt');
const KEY = `ssh-ed25519 ${'A'.repeat(68)} jane@laptop`;

test('midge.txt asks for nothing when it is the one of the image', () => {
  const { settings, mistakes, withoutSecrets } = read(readFileSync(TEMPLATE));
  assert.deepEqual(mistakes, []);
  assert.deepEqual(settings.accounts, []);
  assert.equal(settings.hostName, null);
  assert.equal(withoutSecrets, null);
});

test('midge.txt shows every setting when it is the one of the image', () => {
  const text = readFileSync(TEMPLATE, 'utf8');
  for (const { name } of WORDS) assert.match(text, new RegExp(`^#${name} = `, 'm'));
});

test('midge.txt sets everything when the settings of the image are taken as they stand', () => {
  const text = readFileSync(TEMPLATE, 'utf8')
    .replace(/^#(?=[a-z_]+ = )/gm, '')
    .replace('AAAA...', 'A'.repeat(68));
  const { settings, mistakes } = read(text);
  assert.deepEqual(mistakes, []);
  assert.deepEqual(settings, {
    hostName: 'midge',
    wifi: { country: 'DE', name: 'my network', password: 'its password', hidden: false },
    network: { address: '192.168.1.5/24', gateway: '192.168.1.1', dns: ['192.168.1.1'] },
    timeZone: 'Europe/Berlin',
    sshKeys: [KEY],
    accounts: [
      { user: 'jane', password: 'a-long-password' },
      { user: 'jane', password: 'a-long-password' },
    ],
    certificateNames: ['mqtt.example.org'],
    persistentLog: true,
    port: 8883,
    secure: true,
    persistenceFile: 'midge.db',
  });
});

const FORMS: readonly (readonly [string, Buffer | string])[] = [
  ['has a byte order mark and CRLF', '\ufeffhostname = kitchen\r\naccount = jo pass word\r\n'],
  ['is UTF-16 of Notepad', Buffer.from('\ufeffhostname = kitchen\r\naccount = jo pass word\r\n', 'utf16le')],
  ['has the line ends of an old Mac', 'hostname=kitchen\raccount=jo pass word\r'],
  ['has colons, spaces and capitals', '  Host Name : KITCHEN \n\tAccount:  jo   pass word  \n'],
  ['has quotation marks and no-break spaces', 'hostname = "kitchen"\naccount\u00a0=\u00a0"jo pass word"'],
  ['calls it kitchen.local', 'hostname = kitchen.local\naccount = jo pass word'],
];
for (const [form, text] of FORMS) {
  test(`midge.txt is understood when it ${form}`, () => {
    const { settings, mistakes } = read(text);
    assert.deepEqual(mistakes, []);
    assert.equal(settings.hostName, 'kitchen');
    assert.deepEqual(settings.accounts, [{ user: 'jo', password: 'pass word' }]);
  });
}

test('midge.txt tells every mistake with its line when there are many, and follows the rest', () => {
  const { settings, mistakes } = read(
    [
      'hostnam = kitchen',
      'hostname = -kitchen-',
      'address = 192.168.1.5',
      'time_zone = Europe/Atlantis',
      'just words',
      'port = 99999',
      'secure = perhaps',
      'ssh_key = ssh-ed25519 short',
      'certificate_names = mqtt.example.org https://a/b',
      'wifi_country = Germany',
      'dns = 1.1.1.1',
      'wifi_country = DE',
      'wifi_country = FR',
    ].join('\n'),
  );
  assert.deepEqual(
    mistakes.map(({ line }) => line),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13],
  );
  assert.match(mistakes[0]!.text, /"hostnam" - did you mean hostname\?/);
  assert.match(mistakes[2]!.text, /192\.168\.1\.5\/24/);
  assert.deepEqual(settings.network.dns, ['1.1.1.1']);
  assert.equal(settings.wifi.country, 'DE');
});

test('midge.txt never has its secrets quoted when they cannot be used', () => {
  const { mistakes } = read('wifi_name = home\nwifi_password = sEcr3t\naccount = s3cret-alone\nusername = a:b\npassword = topS3cret\n');
  assert.equal(mistakes.length, 3, JSON.stringify(mistakes));
  assert.doesNotMatch(JSON.stringify(mistakes), /sEcr3t|s3cret-alone|topS3cret/);
});

test('midge.txt loses its secrets and keeps the rest when they were taken', () => {
  const text =
    '# mine\r\nwifi_name = home\r\nwifi_password = abcd efgh\r\naccount = "jane topsecret"\r\nusername = joe\r\npassword = hidden 1\r\naccount = broken\r\n';
  const { withoutSecrets } = read(text);
  assert.equal(
    withoutSecrets,
    [
      '# mine',
      'wifi_name = home',
      '# wifi_password: taken, and removed from this file',
      '# account jane: taken, and removed from this file',
      'username = joe',
      '# password: taken, and removed from this file',
      'account = broken',
      '',
    ].join('\r\n'),
  );
  const again = read(withoutSecrets ?? '');
  assert.deepEqual(again.settings.accounts, []);
  assert.equal(again.settings.wifi.name, 'home');
  assert.equal(again.withoutSecrets, null);
  assert.deepEqual(
    again.mistakes.map(({ line }) => line),
    [7],
  );
});

test('midge.txt is survived when it is noise', () => {
  for (const byte of [0, 0x3d, 0x80, 0xff]) assert.ok(read(Buffer.alloc(5000, byte)).mistakes.length < 5000);
});

function read(text: Buffer | string) {
  return readBootFile(typeof text === 'string' ? Buffer.from(text) : text, closestWord);
}
