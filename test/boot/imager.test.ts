// What Raspberry Pi Imager writes, in its three forms.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ImagerFile, readImagerFiles } from '../../src/boot/imager.ts';
import { TAKEN } from '../../src/boot/imager-wishes.ts';
import { systemFiles } from '../../src/boot/system-files.ts';

const KEY = `ssh-ed25519 ${'A'.repeat(68)} jane@laptop`;
const PSK = 'a1'.repeat(32);
const HASH = '$5$salt$pYLlTzTNz0ZlXhQmYAZL/qXBUsm5Ybk7EKeq.CAlKl9';

const CLOUD_INIT: [ImagerFile, string][] = [
  [
    'user-data',
    `#cloud-config
hostname: kitchen
manage_etc_hosts: true
packages:
- avahi-daemon
timezone: Europe/Berlin
keyboard:
  model: pc105
  layout: "de"
users:
- name: jane
  groups: users,adm,dialout,sudo
  shell: /bin/bash
  lock_passwd: false
  passwd: ${HASH}
  ssh_authorized_keys:
  - ${KEY}
ssh_pwauth: false
runcmd:
- [ rfkill, unblock, wifi ]
`,
  ],
  [
    'network-config',
    `network:
  version: 2
  wifis:
    wlan0:
      dhcp4: true
      regulatory-domain: "DE"
      access-points:
        "my: network":
          password: "${PSK}"
      optional: true
`,
  ],
];
const CUSTOM_TOML: [ImagerFile, string][] = [
  [
    'custom.toml',
    `config_version = 1
[system]
hostname = "kitchen"
[user]
name = "jane"
password = "${HASH}"
password_encrypted = true
[ssh]
enabled = true
password_authentication = false
authorized_keys = [ "${KEY}" ]
[wlan]
ssid = "my: network"
password = "${PSK}"
password_encrypted = true
hidden = false
country = "de"
[locale]
keymap = "de"
timezone = "Europe/Berlin"
`,
  ],
];
const FIRST_RUN: [ImagerFile, string][] = [
  [
    'firstrun.sh',
    `#!/bin/bash
set +e
if [ -f /usr/lib/raspberrypi-sys-mods/imager_custom ]; then
   /usr/lib/raspberrypi-sys-mods/imager_custom set_hostname kitchen
else
   echo kitchen >/etc/hostname
fi
if [ -f /usr/lib/raspberrypi-sys-mods/imager_custom ]; then
   /usr/lib/raspberrypi-sys-mods/imager_custom enable_ssh -k '${KEY}'
fi
if [ -f /usr/lib/userconf-pi/userconf ]; then
   /usr/lib/userconf-pi/userconf 'jane' '${HASH}'
fi
if [ -f /usr/lib/raspberrypi-sys-mods/imager_custom ]; then
   /usr/lib/raspberrypi-sys-mods/imager_custom set_wlan 'my: network' '${PSK}' 'DE'
else
cat >/etc/wpa_supplicant/wpa_supplicant.conf <<'WPAEOF'
	psk=${PSK}
WPAEOF
fi
   /usr/lib/raspberrypi-sys-mods/imager_custom set_timezone 'Europe/Berlin'
`,
  ],
];

for (const [form, files] of [
  ['cloud-init', CLOUD_INIT],
  ['custom.toml', CUSTOM_TOML],
  ['firstrun.sh', FIRST_RUN],
] as const) {
  test(`Imager's wishes are taken when they come as ${form}`, () => {
    const { settings, mistakes } = read(files);
    assert.equal(settings.hostName, 'kitchen');
    assert.deepEqual(settings.wifi, { country: 'DE', name: 'my: network', password: PSK, isOpen: false, hidden: false });
    assert.equal(settings.timeZone, 'Europe/Berlin');
    assert.deepEqual(settings.sshKeys, [KEY]);
    assert.deepEqual(settings.accounts, []);
    assert.equal(mistakes.length, 1, JSON.stringify(mistakes));
    assert.match(mistakes[0]!.text, /no login "jane"/);
  });

  test(`Imager's secrets are taken out when they came as ${form}, and reading again asks for the same network`, () => {
    const { withoutAll } = read(files);
    const rest = new Map([...new Map(files), ...withoutAll]);
    assert.doesNotMatch([...rest.values()].join(''), new RegExp(`${PSK}|pYLlTzTNz0`));
    assert.match([...rest.values()].join(''), new RegExp(TAKEN));
    const again = read([...rest]);
    assert.equal(again.settings.wifi.name, 'my: network');
    assert.equal(again.settings.wifi.password, null);
    assert.equal(again.withoutAll.size, 0);
  });
}

test("Imager's network is static when network-config gives an address", () => {
  const text =
    'network:\n  version: 2\n  ethernets:\n    eth0:\n      addresses: [192.168.1.5/24]\n      routes: [{to: default, via: 192.168.1.1}]\n      nameservers: {addresses: [9.9.9.9]}\n';
  const { settings } = read([['network-config', text]]);
  assert.deepEqual(settings.network, { address: '192.168.1.5/24', gateway: '192.168.1.1', dns: ['9.9.9.9'], link: 'cable' });
});

test("Imager's fixed address has no zeros in front of its size when network-config has them", () => {
  const { settings } = read([['network-config', 'network: {version: 2, ethernets: {eth0: {addresses: [192.168.1.5/024]}}}']]);
  assert.equal(settings.network.address, '192.168.1.5/24');
});

test("Imager's files are reported and not quoted when they are damaged", () => {
  const { mistakes } = read([
    ['user-data', 'users: [\n  {"passwd: secret-words'],
    ['custom.toml', '[wlan\nsecret-words'],
  ]);
  assert.equal(mistakes.length, 2);
  assert.doesNotMatch(JSON.stringify(mistakes), /secret-words/);
});

const SAME = 'same-words';
const ODD = `it's "odd" \\ 'x'`;
const FORMS_OF_SECRETS: readonly (readonly [what: string, file: ImagerFile, text: string, gone: RegExp])[] = [
  ['the name of the network', 'network-config', wifiYaml(SAME, SAME), /password: "?same-words/],
  ['nothing, and is escaped in YAML', 'network-config', wifiYaml('home', ODD), /odd/],
  ['the host name, and is short', 'user-data', 'hostname: kitchen\nusers: [{name: jane, plain_text_passwd: kitchen}]\n', /passwd: kitchen/],
  ['nothing, and is with chpasswd', 'user-data', 'chpasswd: {users: [{name: jane, password: hunter2, type: text}]}\n', /hunter2/],
  ['nothing, and has several lines in YAML', 'user-data', 'users:\n- name: jane\n  passwd: >-\n    two\n    words\n', /two|words/],
  ['the name of the network', 'custom.toml', `[wlan]\nssid = "${SAME}"\npassword = "${SAME}"\n`, /password = "same-words/],
  ['nothing, and is escaped in TOML', 'custom.toml', '[wlan]\nssid = "home"\npassword = "odd\\u0020words"\n', /odd/],
  ['the name of the network', 'firstrun.sh', `imager_custom set_wlan -h '${SAME}' '${SAME}' 'DE'\n`, /words'.*words/],
  ['nothing, and is quoted in a shell', 'firstrun.sh', `imager_custom set_wlan 'home' 'it'"'"'s odd'\nodd() { echo 's odd'; }\n`, /odd/],
];
for (const [what, file, text, gone] of FORMS_OF_SECRETS) {
  test(`Imager's secret goes, and nothing else, when it is like ${what} (${file})`, () => {
    const first = read([[file, text]]);
    const rest = first.withoutAll.get(file) ?? assert.fail('no new text');
    assert.match(text, gone);
    assert.doesNotMatch(rest, gone);
    const again = read([[file, rest]]);
    assert.equal(again.withoutAll.size, 0);
    assert.deepEqual(again.settings, { ...first.settings, wifi: { ...first.settings.wifi, password: null } });
  });
}

test("Imager's password stays when it was not used", () => {
  const { settings, withoutSecrets } = read([['network-config', wifiYaml('home', 'abcdefgh')]]);
  assert.equal(settings.wifi.password, 'abcdefgh');
  assert.equal(withoutSecrets(({ use }) => use === 'login').size, 0);
});

test("Imager's network is open when it has no password", () => {
  for (const [file, text] of [
    ['network-config', 'wifis: {wlan0: {access-points: {Free: {}}}}\n'],
    ['network-config', 'wifis: {wlan0: {access-points: {Free: {auth: {key-management: none}}}}}\n'],
    ['custom.toml', '[wlan]\nssid = "Free"\n'],
    ['firstrun.sh', "imager_custom set_wlan 'Free' '' 'DE'\n"],
  ] as const) {
    const { name, password, isOpen } = read([[file, text]]).settings.wifi;
    assert.deepEqual({ name, password, isOpen }, { name: 'Free', password: null, isOpen: true }, file);
  }
});

for (const [what, text, mistake] of [
  ['a gateway with a line end', 'eth0: {addresses: [10.0.0.2/8], gateway4: "10.0.0.1\\n[Link]"}', /"10\.0\.0\.1\\n\[Link\]" is no address/],
  ['a route through no address', 'eth0: {addresses: [10.0.0.2/8], routes: [{to: default, via: router}]}', /"router" is no address/],
  ['a name server without an address', 'eth0: {addresses: [10.0.0.2/8], nameservers: {addresses: [dns]}}', /"dns" is no address/],
  ['an address without its size', 'eth0: {addresses: [10.0.0.2]}', /network size is missing/],
  ['no DHCP and no address', 'eth0: {dhcp4: false}', /dhcp4 is false/],
  ['two fixed addresses', 'eth0: {addresses: [10.0.0.2/8]}, eth1: {addresses: [10.0.0.3/8]}', /only one network can have a fixed address/],
] as const) {
  test(`Imager's network has one mistake when it has ${what}`, () => {
    const { settings, mistakes } = read([['network-config', `ethernets: {${text}}\n`]]);
    assert.equal(mistakes.length, 1, JSON.stringify(mistakes));
    assert.match(mistakes[0]?.text ?? '', mistake);
    assert.deepEqual([settings.network.gateway, settings.network.dns], [null, []]);
  });
}

test("Imager's fixed address is for the cable when a Wi-Fi is named too", () => {
  const { settings } = read([['network-config', `${wifiYaml('home', 'abcdefgh')}ethernets: {eth0: {addresses: [10.0.0.2/8]}}\n`]]);
  const file = systemFiles(settings).find(({ path }) => path.endsWith('.network'));
  assert.match(file?.text ?? '', /Type=ether\n/);
});

test("Imager's time zone is a mistake when this machine does not have it", () => {
  const { settings, mistakes } = read([['user-data', 'timezone: US/Eastern\n']]);
  assert.equal(settings.timeZone, null);
  assert.match(mistakes[0]?.text ?? '', /US\/Eastern/);
});

function wifiYaml(name: string, password: string): string {
  return `wifis:\n  wlan0:\n    access-points:\n      ${JSON.stringify(name)}: {password: ${JSON.stringify(password)}}\n`;
}

function read(files: readonly (readonly [ImagerFile, string])[]) {
  const reading = readImagerFiles(new Map(files), (name) => (name === 'Europe/Berlin' ? name : null));
  return { ...reading, withoutAll: reading.withoutSecrets(() => true) };
}
