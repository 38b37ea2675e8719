// What Raspberry Pi Imager writes, in its three forms.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ImagerFile, readImagerFiles, TAKEN } from '../../src/boot/imager.ts';

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
    const { settings, mistakes } = readImagerFiles(new Map(files));
    assert.equal(settings.hostName, 'kitchen');
    assert.deepEqual(settings.wifi, { country: 'DE', name: 'my: network', password: PSK, hidden: false });
    assert.equal(settings.timeZone, 'Europe/Berlin');
    assert.deepEqual(settings.sshKeys, [KEY]);
    assert.deepEqual(settings.accounts, []);
    assert.equal(mistakes.length, 1, JSON.stringify(mistakes));
    assert.match(mistakes[0]!.text, /no login "jane"/);
  });

  test(`Imager's secrets are taken out when they came as ${form}, and reading again asks for the same network`, () => {
    const { withoutSecrets } = readImagerFiles(new Map(files));
    const rest = new Map([...new Map(files), ...withoutSecrets]);
    assert.doesNotMatch([...rest.values()].join(''), new RegExp(`${PSK}|pYLlTzTNz0`));
    assert.match([...rest.values()].join(''), new RegExp(TAKEN));
    const again = readImagerFiles(rest);
    assert.equal(again.settings.wifi.name, 'my: network');
    assert.equal(again.settings.wifi.password, null);
    assert.equal(again.withoutSecrets.size, 0);
  });
}

test("Imager's network is static when network-config gives an address", () => {
  const text =
    'network:\n  version: 2\n  ethernets:\n    eth0:\n      addresses: [192.168.1.5/24]\n      routes: [{to: default, via: 192.168.1.1}]\n      nameservers: {addresses: [9.9.9.9]}\n';
  const { settings } = readImagerFiles(new Map([['network-config', text]]));
  assert.deepEqual(settings.network, { address: '192.168.1.5/24', gateway: '192.168.1.1', dns: ['9.9.9.9'] });
});

test("Imager's files are reported and not quoted when they are damaged", () => {
  const { mistakes } = readImagerFiles(
    new Map([
      ['user-data', 'users: [\n  {"passwd: secret-words'],
      ['custom.toml', '[wlan\nsecret-words'],
    ]),
  );
  assert.equal(mistakes.length, 2);
  assert.doesNotMatch(JSON.stringify(mistakes), /secret-words/);
});
