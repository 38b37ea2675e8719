// midge.txt as people write it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { closestWord } from '../../src/base/closest-word.ts';
import { readBootFile } from '../../src/boot/boot-file.ts';
import { WORDS } from '../../src/boot/words.ts';

const TEMPLATE = join(import.meta.dirname, '../../rootfs/boot/firmware/midge.txt');
const KEY = `ssh-ed25519 ${'A'.repeat(68)} jane@laptop`;

test('midge.txt asks for nothing when it is the one of the image', () => {
  const { settings, mistakes, isWhole, withoutAll } = read(readFileSync(TEMPLATE));
  assert.deepEqual(mistakes, []);
  assert.deepEqual(settings.accounts, []);
  assert.equal(settings.hostName, null);
  assert.equal(withoutAll, null);
  assert.ok(isWhole);
});

test('midge.txt shows every setting when it is the one of the image', () => {
  const text = readFileSync(TEMPLATE, 'utf8');
  for (const { name } of WORDS) assert.match(text, new RegExp(`^#${name} = `, 'm'));
});

test('midge.txt sets everything when the settings of the image are taken as they stand', () => {
  const text = readFileSync(TEMPLATE, 'utf8')
    .replace(/^#(?=[a-z_]+ = )/gm, '')
    .replace('AAAA...', 'A'.repeat(68))
    .replaceAll('a-long-password', 'a password of her own')
    .replace('remove_account = jane', 'remove_account = joe');
  const { settings, mistakes } = read(text);
  assert.deepEqual(mistakes, []);
  assert.deepEqual(settings, {
    hostName: 'midge',
    wifi: { country: 'DE', name: 'my network', password: 'its password', isOpen: false, hidden: false },
    isWifiForgotten: false,
    network: { address: '192.168.1.5/24', gateway: '192.168.1.1', dns: ['192.168.1.1'], link: 'cable' },
    timeServers: ['192.168.1.1'],
    timeZone: 'Europe/Berlin',
    sshKeys: [KEY],
    accounts: [
      { user: 'jane', password: 'a password of her own' },
      { user: 'jane', password: 'a password of her own' },
    ],
    removedAccounts: ['joe'],
    topics: [
      { user: 'jane', filters: ['home/#', 'owntracks/jane/#'], isReadOnly: false },
      { user: 'jane', filters: ['weather/#'], isReadOnly: true },
    ],
    certificateNames: ['mqtt.example.org'],
    persistentLog: true,
    port: 8883,
    secure: true,
    persistenceFile: 'midge.db',
  });
});

test('midge.txt takes the size of a network without zeros when it has them in front', () => {
  assert.equal(read('address = 192.168.1.5/024').settings.network.address, '192.168.1.5/24');
  assert.equal(read('address = fd00::5/064').settings.network.address, 'fd00::5/64');
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
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13],
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
  const { withoutAll } = read(text);
  assert.equal(
    withoutAll,
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
  const again = read(withoutAll ?? '');
  assert.deepEqual(again.settings.accounts, []);
  assert.equal(again.settings.wifi.name, 'home');
  assert.equal(again.withoutAll, null);
  assert.deepEqual(
    again.mistakes.map(({ line }) => line),
    [7],
  );
});

for (const [text, line, problem] of [
  ['port = 8883', 1, /listens there already \(MQTT with TLS\) - for TLS alone write secure = yes/],
  ['port = 9001', 1, /listens there already \(WebSocket\)/],
  ['\nport = 8084', 2, /listens there already \(WebSocket with TLS\)/],
  ['port = 8084\nsecure = yes', 1, /WebSocket with TLS/],
  ['secure = no\nport = 9001', 2, /WebSocket/],
  ['port = 22', 1, /port of SSH/],
  ['certificate_names = *.lan', 1, /"\*\.lan" can't stand in a certificate/],
  ['certificate_names = good.lan a..b', 1, /"a\.\.b"/],
  ['certificate_names = 10.1', 1, /"10\.1"/],
  [`certificate_names = ${'a'.repeat(64)}.de`, 1, /certificate/],
  ['persistence_file = passwd', 1, /something else has this name/],
  ['persistence_file = certificates', 1, /something else has this name/],
  ['persistence_file = appliance.conf', 1, /something else has this name/],
  ['#\nwifi_password = abcdefgh', 2, /name of the Wi-Fi is missing/],
  ['gateway = 10.0.0.1', 1, /only with a fixed address/],
  ['time_zone = US/Eastern', 1, /looks like Europe\/Berlin/],
  ['address = 192.168.1.5/24\ngateway = 192.168.2.1', 2, /outside the network of 192\.168\.1\.5\/24/],
  ['gateway = 192.168.1.5\naddress = 192.168.1.5/24', 1, /address of this machine/],
  ['address = fd00::5/64\ngateway = 192.168.1.1', 2, /of another kind/],
  ['address = fd00::5/64\ngateway = fd01::1', 2, /outside the network/],
  ['address_for = cable', 1, /only with a fixed address/],
  ['address_for = both', 1, /cable or wifi/],
  ['time_server = http://a', 1, /a time server is a name or an address/],
  ['account = jane a-long-password', 1, /password of the example.*choose another/],
  ['username = joe\npassword = a-long-password', 1, /password of the example/],
  ['account = tom, x1234567', 1, /nothing but a space/],
  ['account = tom = x1234567', 1, /nothing but a space/],
  ['remove_account = tom dick', 1, /one line for each/],
  ['account = tom x1234567\nremove_account = tom\nremove_account = joe', 2, /account line too/],
  ['topics = tom', 1, /topics: jane home/],
  ['topics = tom home/#/x', 1, /"home\/#\/x" is no topic/],
  ['wifi_name = a\nwifi_open = yes\nwifi_forget = yes', 3, /named in line 1/],
] as const) {
  test(`midge.txt has one mistake, with its line, when it says "${text.slice(0, 40).replaceAll('\n', ', ')}"`, () => {
    const { settings, mistakes } = read(text);
    assert.equal(mistakes.length, 1, JSON.stringify(mistakes));
    assert.equal(mistakes[0]?.line, line);
    assert.match(mistakes[0]?.text ?? '', problem);
    assert.deepEqual([settings.port, settings.certificateNames, settings.persistenceFile], [null, [], null]);
  });
}

for (const [text, line, warning] of [
  ['account = tom x', 1, /password of "tom" is short/],
  ['account = tomtomtom TOMtomtom', 1, /is the name of the account/],
  ['username = tom\npassword = x', 2, /is short/],
  ['address = 192.168.1.5/24', 1, /without a gateway .* time server/],
  ['address = 192.168.1.5/24\ndns = 192.168.1.1', 1, /without a gateway/],
] as const) {
  test(`midge.txt is followed with a warning when it says "${text.replaceAll('\n', ', ')}"`, () => {
    const { mistakes, isWhole, settings } = read(text);
    assert.equal(mistakes.length, 1, JSON.stringify(mistakes));
    assert.equal(mistakes[0]?.line, line);
    assert.ok(mistakes[0]?.isWarning);
    assert.match(mistakes[0]?.text ?? '', warning);
    assert.ok(isWhole && settings.accounts.length + Number(settings.network.address !== null) === 1);
  });
}

test('midge.txt has the gateway answer for names when it names no other', () => {
  const { settings, mistakes } = read('address = 192.168.1.5/24\ngateway = 192.168.1.1\n');
  assert.deepEqual(mistakes, []);
  assert.deepEqual(settings.network.dns, ['192.168.1.1']);
  assert.deepEqual(read('address = fd00::5/64\ngateway = fe80::1\ndns = fd00::2\n').settings.network.dns, ['fd00::2']);
});

test('midge.txt never quotes a password when it warns of it', () => {
  assert.doesNotMatch(JSON.stringify(read('account = tom zq7\n').mistakes), /zq7/);
});

test('midge.txt keeps a password of the Wi-Fi when it does not name the network', () => {
  const { settings, withoutAll } = read('wifi_nmae = home\nwifi_password = abcdefgh\n');
  assert.equal(settings.wifi.password, null);
  assert.equal(withoutAll, null);
});

test('midge.txt loses only those secrets that were used', () => {
  const { withoutSecrets } = read('wifi_name = home\nwifi_password = abcdefgh\naccount = jane secret\n');
  assert.equal(
    withoutSecrets(({ use }) => use === 'wifi'),
    'wifi_name = home\n# wifi_password: taken, and removed from this file\naccount = jane secret\n',
  );
});

for (const [text, isWhole] of [
  ['', false],
  ['\0\0\0\0', false],
  [' \r\n\r\n', false],
  ['wifi_nmae = home\n', false],
  ['hostname = a\n\0\0\0', false],
  ['# nothing is wished for\n', true],
  ['hostname = a\nwifi_nmae = home\n', true],
] as const) {
  test(`midge.txt is ${isWhole ? '' : 'not '}whole when it is ${JSON.stringify(text)}`, () => assert.equal(read(text).isWhole, isWhole));
}

test('midge.txt is survived when it is noise', () => {
  for (const byte of [0, 0x3d, 0x80, 0xff]) assert.ok(read(Buffer.alloc(5000, byte)).mistakes.length < 5000);
});

function read(text: Buffer | string) {
  const findTimeZone = (name: string) => (name === 'Europe/Berlin' ? name : null);
  const file = readBootFile(typeof text === 'string' ? Buffer.from(text) : text, { closestWord, findTimeZone });
  return { ...file, withoutAll: file.withoutSecrets(() => true) };
}
