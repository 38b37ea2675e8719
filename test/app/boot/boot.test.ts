// What `midge boot apply` makes of a boot partition, in a folder instead of a machine.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { AclAuthorizer } from '../../../src/access/acl.ts';
import { parseAclFile } from '../../../src/access/acl-file.ts';
import { parsePasswordFile } from '../../../src/access/password-file.ts';
import { verifyPassword } from '../../../src/access/password-hash.ts';
import { applyBootPartition } from '../../../src/app/boot/boot.ts';
import { isStateName } from '../../../src/base/state-names.ts';
import { loadConfiguration } from '../../../src/config/config.ts';
import { makeMachine } from './machine.ts';

const KEY = `ssh-ed25519 ${'A'.repeat(68)} jane@laptop`;
type Machine = ReturnType<typeof makeMachine>;

test('boot apply follows midge.txt and takes its secrets out when it is new', async (t) => {
  const machine = makeMachine(t, {
    'midge.txt':
      'hostname = kitchen\r\naccount = jane secret one\r\nwifi_country = DE\r\nwifi_name = my: net\r\nwifi_password = secret two\r\naddress = 10.0.0.2/24\r\ngateway = 10.0.0.1\r\n',
  });
  const { mistakes, events } = await applyBootPartition(machine.world);
  assert.deepEqual(mistakes, []);
  assert.deepEqual(events, ['Account "jane" was taken from the boot partition.']);
  assert.ok(machine.commands.includes('hostname kitchen'));
  const { users } = parsePasswordFile(machine.read('/var/lib/midge/passwd'), 'passwd');
  assert.ok(await verifyPassword(users.get('jane')!.hash, Buffer.from('secret one')));
  assert.equal(machine.read('/var/lib/iwd/=6d793a206e6574.psk'), '[Security]\nPassphrase=secret two\n');
  assert.equal(machine.mode('/var/lib/iwd/=6d793a206e6574.psk'), 0o600);
  assert.match(machine.read('/run/systemd/network/10-midge.network'), /Type=wlan\n\[Network\]\nAddress=10\.0\.0\.2\/24\n/);
  assert.match(machine.read('/run/midge-boot/iwd/main.conf'), /Country=DE/);
  assert.doesNotMatch(machine.read('/boot/firmware/midge.txt'), /secret/);
  assert.doesNotMatch(machine.read('/var/lib/midge-boot/settings.json'), /secret/);
  assert.deepEqual(machine.commands.slice(-2), ['mount -o remount,rw /boot/firmware', 'mount -o remount,ro /boot/firmware']);
});

test('boot apply changes nothing when it is done again', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\nwifi_name = home\nwifi_password = secret two\n' });
  await applyBootPartition(machine.world);
  const passwords = machine.read('/var/lib/midge/passwd');
  const { mistakes, events } = await applyBootPartition(machine.world);
  assert.deepEqual({ mistakes, events }, { mistakes: [], events: [] });
  assert.equal(machine.read('/var/lib/midge/passwd'), passwords);
  assert.equal(machine.read('/var/lib/iwd/home.psk'), '[Security]\nPassphrase=secret two\n');
});

test('boot apply forgets a network when midge.txt names another with its password, and not before', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'wifi_name = home\nwifi_password = secret two\n' });
  await applyBootPartition(machine.world);
  machine.write('/boot/firmware/midge.txt', 'wifi_name = office\n');
  const { mistakes } = await applyBootPartition(machine.world);
  assert.match(mistakes[0]?.text ?? '', /password of the Wi-Fi is missing/);
  assert.ok(machine.exists('/var/lib/iwd/home.psk'));
  machine.write('/boot/firmware/midge.txt', 'wifi_name = office\nwifi_open = yes\n');
  assert.deepEqual((await applyBootPartition(machine.world)).mistakes, []);
  assert.ok(!machine.exists('/var/lib/iwd/home.psk'));
  assert.equal(machine.read('/var/lib/iwd/office.open'), '[Settings]\nAutoConnect=true\n');
});

test('boot apply forgets the network when midge.txt says so, and does not take it from Imager again', async (t) => {
  const machine = makeMachine(t, {
    'midge.txt': 'wifi_name = home\nwifi_password = secret two\n',
    'network-config': 'network: {wifis: {wlan0: {access-points: {other: {password: secret three}}}}}\n',
  });
  await applyBootPartition(machine.world);
  machine.write('/boot/firmware/midge.txt', '# nothing\n');
  await applyBootPartition(machine.world);
  assert.ok(machine.exists('/var/lib/iwd/other.psk'));
  machine.remove('/boot/firmware/network-config');
  await applyBootPartition(machine.world);
  assert.ok(machine.exists('/var/lib/iwd/other.psk'), 'lines that are gone forget nothing');
  machine.write('/boot/firmware/network-config', 'network: {wifis: {wlan0: {access-points: {other: {password: secret three}}}}}\n');
  machine.write('/boot/firmware/midge.txt', 'wifi_forget = yes\n');
  assert.deepEqual((await applyBootPartition(machine.world)).mistakes, []);
  assert.ok(!machine.exists('/var/lib/iwd/home.psk') && !machine.exists('/var/lib/iwd/other.psk'));
});

for (const [lines, type] of [
  ['', 'ether'],
  ['address_for = wifi', 'wlan'],
  ['wifi_name = home\nwifi_open = yes', 'wlan'],
  ['wifi_name = home\nwifi_open = yes\naddress_for = cable', 'ether'],
] as const) {
  test(`boot apply gives the fixed address to ${type} when midge.txt says "${lines.replaceAll('\n', ', ')}"`, async (t) => {
    const machine = makeMachine(t, { 'midge.txt': `address = 10.0.0.2/24\ngateway = 10.0.0.1\n${lines}\n` });
    await applyBootPartition(machine.world);
    const network = machine.read('/run/systemd/network/10-midge.network');
    assert.match(network, new RegExp(`Type=${type}\n(?:.*\n)*Gateway=10\\.0\\.0\\.1\nDNS=10\\.0\\.0\\.1\n`));
  });
}

test('boot apply names the time servers of midge.txt to timesyncd', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'time_server = ptbtime1.ptb.de, 192.168.1.1\nntp = fd00::1\n' });
  assert.deepEqual((await applyBootPartition(machine.world)).mistakes, []);
  assert.equal(machine.read('/run/systemd/timesyncd.conf.d/20-midge.conf'), '[Time]\nNTP=ptbtime1.ptb.de 192.168.1.1 fd00::1\n');
});

test('boot apply takes accounts away that midge.txt does not want any more', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\naccount = tom secret two\n' });
  await applyBootPartition(machine.world);
  machine.write('/boot/firmware/midge.txt', 'remove_account = tom\nremove_account = nobody\n');
  const { mistakes, events } = await applyBootPartition(machine.world);
  assert.deepEqual({ mistakes, events }, { mistakes: [], events: ['Account "tom" was taken away.'] });
  assert.match(machine.read('/var/lib/midge/passwd'), /^jane:[^\n]+\n$/);
});

test('boot apply limits an account to the topics of midge.txt, and leaves the others as they are', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\naccount = tom secret two\n' });
  await applyBootPartition(machine.world);
  assert.doesNotMatch(machine.read('/var/lib/midge/appliance.conf'), /acl_file/);
  machine.write('/boot/firmware/midge.txt', 'topics = tom home/# garden/+/light\nread_topics = tom weather\naccount = ann secret three\n');
  assert.deepEqual((await applyBootPartition(machine.world)).mistakes, []);
  assert.match(machine.read('/var/lib/midge/appliance.conf'), /^acl_file \/var\/lib\/midge\/acl$/m);
  const file = machine.path('/var/lib/midge/appliance.conf');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('/var/lib', machine.path('/var/lib')), { mode: 0o600 });
  assert.deepEqual(loadConfiguration({ file, port: null, verbose: false, lan: false }).diagnostics, []);
  for (const name of readdirSync(machine.path('/var/lib/midge'))) assert.ok(isStateName(name), `the broker refuses a folder with ${name}`);
  const may = (username: string, topic: string, wish: 'read' | 'write') => {
    const rules = new AclAuthorizer(parseAclFile(machine.read('/var/lib/midge/acl'), 'acl').acl);
    const client = { clientId: 'c', username };
    return wish === 'write' ? rules.mayPublish(client, topic) : rules.mayReceive(client, topic);
  };
  assert.ok(may('tom', 'home/a/b', 'write') && may('tom', 'garden/x/light', 'read') && may('tom', 'weather', 'read'));
  assert.ok(!may('tom', 'weather', 'write') && !may('tom', 'else', 'read') && !may('stranger', 'home/a', 'read'));
  assert.ok(may('jane', 'else', 'write') && may('jane', '$SYS/broker/uptime', 'read') && may('ann', 'else', 'write'));
  machine.write('/boot/firmware/midge.txt', '# nothing\naccount = bob secret four\n');
  await applyBootPartition(machine.world);
  assert.ok(!may('tom', 'else', 'read') && may('tom', 'home/a', 'read') && may('bob', 'else', 'write'));
  machine.write('/boot/firmware/midge.txt', 'account = tom another secret\n');
  await applyBootPartition(machine.world);
  assert.ok(!may('tom', 'else', 'read'), 'another password brings no rights');
  machine.write('/boot/firmware/midge.txt', 'topics = tom #\n');
  await applyBootPartition(machine.world);
  assert.ok(may('tom', 'else', 'write') && may('jane', 'else', 'write'));
});

for (const [what, text] of [
  ['empty', ''],
  ['full of zeros', '\0'.repeat(2000)],
  ['cut off by zeros', '# midge.txt\n\0\0\0'],
  ['nothing but slips', 'wifi_nmae = home\nsshkey = x\n'],
  ['commented out, but for a slip', '# nothing\nhostnam = kitchen\n'],
] as const) {
  test(`boot apply takes neither Wi-Fi nor SSH away when midge.txt becomes ${what}`, async (t) => {
    const machine = makeMachine(t, { 'midge.txt': `hostname = kitchen\nssh_key = ${KEY}\nwifi_name = home\nwifi_password = secret two\n` });
    await applyBootPartition(machine.world);
    machine.write('/boot/firmware/midge.txt', text);
    const { mistakes, events } = await applyBootPartition(machine.world);
    assert.ok(machine.exists('/var/lib/iwd/home.psk'));
    assert.equal(machine.read('/var/lib/ssh/authorized_keys'), `${KEY}\n`);
    assert.equal(machine.commands.filter((command) => command === 'hostname kitchen').length, 2);
    assert.match([...events, ...mistakes.map((mistake) => mistake.text)].join(), /is damaged or empty: .* the last time/);
  });
}

test('boot apply follows new files of Imager when there is no midge.txt, and keeps what they do not say', async (t) => {
  const machine = makeMachine(t, {});
  const putFiles = (host: string, network: string, zone: string) => {
    machine.write('/boot/firmware/user-data', `#cloud-config\nhostname: ${host}\n${zone}`);
    const points = `{${network}: {password: the password of ${network}}}`;
    machine.write('/boot/firmware/network-config', `network:\n  version: 2\n  wifis:\n    wlan0:\n      access-points: ${points}\n`);
  };
  putFiles('kitchen', 'oldnet', 'timezone: Europe/Berlin\n');
  await applyBootPartition(machine.world);
  putFiles('garage', 'newnet', '');
  assert.deepEqual((await applyBootPartition(machine.world)).mistakes, []);
  assert.ok(machine.commands.includes('hostname garage'));
  assert.equal(machine.read('/var/lib/iwd/newnet.psk'), '[Security]\nPassphrase=the password of newnet\n');
  assert.ok(!machine.exists('/var/lib/iwd/oldnet.psk'));
  assert.doesNotMatch(machine.read('/boot/firmware/network-config'), /the password/);
  assert.equal(readlinkSync(machine.path('/run/midge-boot/localtime')), '/usr/share/zoneinfo/Europe/Berlin');
});

test('boot apply turns SSH off when the key is taken out of midge.txt, and not when there is a slip in it', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': `hostname = kitchen\nssh_key = ${KEY}\n` });
  await applyBootPartition(machine.world);
  machine.write('/boot/firmware/midge.txt', 'hostname = kitchen\nssh_kee = x\n');
  await applyBootPartition(machine.world);
  assert.ok(machine.exists('/var/lib/ssh/authorized_keys'));
  machine.write('/boot/firmware/midge.txt', 'hostname = kitchen\n');
  await applyBootPartition(machine.world);
  assert.ok(!machine.exists('/var/lib/ssh/authorized_keys'));
});

for (const [what, hinder, kept] of [
  ['accounts', (machine: Machine) => machine.write('/var/lib/midge/passwd/in-the-way', ''), /secret one/],
  ['Wi-Fi', (machine: Machine) => machine.write('/var/lib/iwd', ''), /secret two/],
  [
    'anything',
    (machine: Machine) => machine.write('/proc/mounts', '/dev/sda2 / ext4 ro 0 0\ntmpfs /var tmpfs rw 0 0\n'),
    /secret one\n.*\n.*secret two/,
  ],
  ['anything', (machine: Machine) => machine.write('/proc/mounts', 'overlay / overlay rw 0 0\n'), /secret one\n.*\n.*secret two/],
] as const) {
  test(`boot apply keeps the secrets of ${what} in midge.txt when it cannot keep them elsewhere (${String(kept)})`, async (t) => {
    const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\nwifi_name = home\nwifi_password = secret two\n' });
    hinder(machine);
    const { events } = await applyBootPartition(machine.world);
    assert.match(machine.read('/boot/firmware/midge.txt'), kept);
    assert.match(events.join('\n'), /^Cannot (write the accounts|set up the Wi-Fi)|passwords stay on the boot partition/m);
    if (what !== 'anything') assert.match(machine.read('/boot/firmware/midge.txt'), /: taken, and removed/);
  });
}

test('boot apply follows an account line once when it cannot be taken out of midge.txt, and anew when the accounts are gone', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\n' });
  const run = () => Promise.reject(new Error('the card is locked'));
  const apply = async () => (await applyBootPartition({ ...machine.world, run }, { only: 'broker' })).events;
  assert.match((await apply()).join(), /^Account "jane" was taken.*Cannot take the secrets out of the boot partition: the card is locked/);
  machine.write('/var/lib/midge/passwd', 'jane:changed since\n');
  assert.doesNotMatch((await apply()).join(), /jane/);
  assert.equal(machine.read('/var/lib/midge/passwd'), 'jane:changed since\n');
  machine.remove('/var/lib/midge/passwd');
  assert.match((await apply()).join(), /^Account "jane" was taken/);
});

test('boot apply has journald keep its log on the card when midge.txt asks for it', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'persistent_log = yes\n' });
  await applyBootPartition(machine.world);
  assert.match(machine.read('/run/systemd/journald.conf.d/20-midge.conf'), /Storage=persistent/);
  const turned = machine.commands.filter((command) => /journal/.test(command));
  assert.deepEqual(turned, ['systemctl restart systemd-journald.service', 'journalctl --flush']);
  await applyBootPartition(machine.world);
  assert.equal(machine.commands.filter((command) => /journal/.test(command)).length, 2, 'again, though nothing has changed');
});

test('boot apply leaves journald alone when midge.txt does not speak of the log', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'hostname = kitchen\n' });
  await applyBootPartition(machine.world);
  assert.deepEqual(
    machine.commands.filter((command) => /journal/.test(command)),
    [],
  );
});

test('boot apply sets a time zone that is there, in any case, and tells one that is not', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'time_zone = europe/berlin\n' });
  assert.deepEqual((await applyBootPartition(machine.world)).mistakes, []);
  assert.equal(readlinkSync(machine.path('/run/midge-boot/localtime')), '/usr/share/zoneinfo/Europe/Berlin');
  machine.write('/boot/firmware/midge.txt', 'hostname = kitchen\ntime_zone = Asia/Calcutta\n');
  const { mistakes } = await applyBootPartition(machine.world);
  assert.deepEqual(
    mistakes.map(({ line }) => line),
    [2],
  );
  assert.throws(() => readlinkSync(machine.path('/run/midge-boot/localtime')));
});

test('boot apply tells what the files of old habits do not do', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n', SSH: '', 'userconf.txt': 'jane:$5$x', 'wpa_supplicant.conf': 'x' });
  const { mistakes } = await applyBootPartition(machine.world);
  assert.deepEqual(mistakes.map(({ file }) => file).sort(), ['SSH', 'userconf.txt', 'wpa_supplicant.conf']);
  machine.write('/boot/firmware/midge.txt', `ssh_key = ${KEY}\nwifi_name = a\nwifi_open = yes\n`);
  assert.deepEqual(
    (await applyBootPartition(machine.world)).mistakes.map(({ file }) => file),
    ['userconf.txt'],
  );
});

test('boot apply tells which files are named almost as its own', async (t) => {
  const names = [
    'backup.tar.gz',
    'FACTORY_RESET',
    'factory reset.txt',
    'make_backup',
    'midge.txt.txt',
    'midge (1).txt',
    'Midge.rtf',
    'midge-box.tar',
  ];
  const others = [
    'config.txt',
    'cmdline.txt',
    'midge-report.txt',
    '.midge.txt',
    '._backup.tar.gz',
    'midge-1.tar.gz.restored',
    'ca.crt',
    'start4.elf',
    'vmlinuz',
  ];
  const files = Object.fromEntries([...names, ...others].map((name) => [name, '']));
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n', ...files });
  const { mistakes } = await applyBootPartition(machine.world);
  assert.deepEqual(mistakes.map(({ file }) => file).sort(), names.sort());
  const textOf = (name: string) => mistakes.find(({ file }) => file === name)?.text ?? '';
  assert.match(textOf('backup.tar.gz'), /begins with midge/);
  assert.match(textOf('FACTORY_RESET'), /the name of this order is factory-reset/);
  assert.match(textOf('midge.txt.txt'), /the name of the settings is midge\.txt/);
  assert.match(textOf('midge-box.tar'), /unpacked/);
});

test('boot apply keeps the settings of the last time when the boot partition cannot be read', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'hostname = kitchen\naccount = jane secret one\n' });
  await applyBootPartition(machine.world);
  machine.remove('/boot/firmware/midge.txt');
  machine.remove('/boot/firmware/cmdline.txt');
  const { events } = await applyBootPartition(machine.world);
  assert.match(events.join(), /settings of the last time/);
  assert.equal(machine.commands.filter((command) => command === 'hostname kitchen').length, 2);
  assert.match(machine.read('/var/lib/midge/passwd'), /^jane:/);
});

test('boot apply leaves the machine alone when only the broker is ours', async (t) => {
  const machine = makeMachine(t, {
    'midge.txt': 'hostname = kitchen\naccount = jane secret one\nwifi_name = a\nwifi_password = secret two\n',
    'user-data': 'hostname: other\npasswd: secret three\n',
  });
  machine.write('/proc/mounts', '/dev/mmcblk0p1 /boot/firmware vfat rw,relatime 0 0\n');
  await applyBootPartition(machine.world, { only: 'broker' });
  assert.deepEqual(machine.commands, []);
  assert.match(machine.read('/var/lib/midge/passwd'), /^jane:/);
  assert.doesNotMatch(machine.read('/boot/firmware/midge.txt'), /secret one/);
  assert.match(machine.read('/boot/firmware/midge.txt'), /secret two/);
  assert.match(machine.read('/boot/firmware/user-data'), /secret three/);
});

test('boot apply writes a configuration that the broker takes when a damaged midge.txt leaves a port of the last time that is taken now', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'secure = no\nport = 8084\n' });
  await applyBootPartition(machine.world);
  machine.write('/boot/firmware/midge.txt', 'secure = yes\n\0\0\0');
  await applyBootPartition(machine.world);
  assert.match(machine.read('/var/lib/midge/appliance.conf'), /listener 8883\nsecure true\nlistener 8084\n/);
});

for (const [wish, ports] of [
  ['', ['1883', '8883 TLS', '9001', '8084 TLS']],
  ['secure = yes\nport = 8884', ['8884 TLS', '8084 TLS']],
  ['secure = no\nport = 1884', ['1884', '9001']],
  ['port = 1884', ['1884', '8883 TLS', '9001', '8084 TLS']],
  ['port = 8883', ['1883', '8883 TLS', '9001', '8084 TLS']],
  ['secure = no\nport = 8883', ['8883', '9001']],
] as const) {
  test(`boot apply writes a configuration that the broker takes when midge.txt says "${wish.replace('\n', ', ')}"`, async (t) => {
    const machine = makeMachine(t, {
      'midge.txt': `${wish}\npersistence_file = other.db\ncertificate_names = mqtt.example.org 10.1.1.1\n`,
    });
    await applyBootPartition(machine.world);
    const file = machine.path('/var/lib/midge/appliance.conf');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('/var/lib', machine.path('/var/lib')), { mode: 0o600 });
    const { configuration, diagnostics } = loadConfiguration({ file, port: null, verbose: false, lan: false });
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(
      configuration?.listeners.map(({ port, tls }) => `${port}${tls === null ? '' : ' TLS'}`),
      [...ports, '443 TLS', '80'],
    );
    assert.ok(configuration?.listeners.every(({ policy }) => !policy.allowAnonymous));
    assert.equal(configuration?.persistence.file, 'other.db');
    assert.deepEqual(configuration?.certificateNames, ['mqtt.example.org', '10.1.1.1']);
  });
}
