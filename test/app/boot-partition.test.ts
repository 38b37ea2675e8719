// What `midge boot apply` makes of a boot partition, in a folder instead of a machine.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parsePasswordFile } from '../../src/access/password-file.ts';
import { verifyPassword } from '../../src/access/password-hash.ts';
import { makeBackup } from '../../src/app/backup.ts';
import { applyBootPartition } from '../../src/app/boot-partition.ts';
import { loadConfiguration } from '../../src/config/config.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('boot apply follows midge.txt and takes its secrets out when it is new', async (t) => {
  const machine = makeMachine(t, {
    'midge.txt':
      'hostname = kitchen\r\naccount = jane secret one\r\nwifi_country = DE\r\nwifi_name = my: net\r\nwifi_password = secret two\r\naddress = 10.0.0.2/24\r\n',
  });
  const { mistakes, events } = await applyBootPartition(machine.world);
  assert.deepEqual(mistakes, []);
  assert.deepEqual(events, ['Account "jane" was taken from the boot partition.']);
  assert.ok(machine.commands.includes('hostname kitchen'));
  const { users } = parsePasswordFile(machine.read('/var/lib/midge/passwd'), 'passwd');
  assert.ok(await verifyPassword(users.get('jane')!, Buffer.from('secret one')));
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

test('boot apply forgets a network when midge.txt names another, and says that its password is missing', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'wifi_name = home\nwifi_password = secret two\n' });
  await applyBootPartition(machine.world);
  machine.write('/boot/firmware/midge.txt', 'wifi_name = office\n');
  const { mistakes } = await applyBootPartition(machine.world);
  assert.match(mistakes[0]?.text ?? '', /password of the Wi-Fi is missing/);
  assert.ok(!existsSync(join(machine.world.root, 'var/lib/iwd/home.psk')));
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

test('boot apply forgets all when factory-reset lies on the boot partition, and does not again', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\n' });
  await applyBootPartition(machine.world);
  machine.write('/var/lib/midge/certificates/ca.key', 'old');
  machine.write('/boot/firmware/factory-reset.txt', '');
  const { events } = await applyBootPartition(machine.world);
  assert.match(events.join(), /^Reset/);
  assert.equal(machine.read('/var/lib/midge/passwd'), '');
  assert.ok(!existsSync(join(machine.world.root, 'var/lib/midge/certificates')));
  assert.deepEqual((await applyBootPartition(machine.world)).events, []);
});

test('boot apply restores a backup when nothing is kept yet, and only then', async (t) => {
  const old = makeMachine(t, {});
  old.write('/var/lib/midge/passwd', 'joe:$7$101$c2FsdHNhbHRzYWx0$aGFzaA==\n');
  old.write('/var/lib/midge/certificates/ca.crt', 'the old authority');
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\n' });
  const backup = join(machine.world.root, 'boot/firmware/midge-2026-01-31.tar.gz');
  const source = { database: 'midge.db', copy: null, configuration: null, workingFolder: '/', program: 'midge version 0.1.0' };
  await makeBackup(backup, { ...source, folder: join(old.world.root, 'var/lib/midge') });
  const { events } = await applyBootPartition(machine.world);
  assert.match(events[0] ?? '', /^Restored midge-2026-01-31\.tar\.gz, a backup of /);
  assert.match(machine.read('/var/lib/midge/passwd'), /^joe:.*\njane:/);
  assert.equal(machine.read('/var/lib/midge/certificates/ca.crt'), 'the old authority');
  machine.write('/var/lib/midge/certificates/ca.crt', 'a newer authority');
  assert.deepEqual((await applyBootPartition(machine.world)).events, []);
  assert.equal(machine.read('/var/lib/midge/certificates/ca.crt'), 'a newer authority');
});

test('boot apply goes on and says why when a backup is damaged', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\n', 'midge-old.tar.gz': 'no archive' });
  const { events } = await applyBootPartition(machine.world);
  assert.match(events.join('\n'), /Cannot take up the backup: /);
  assert.match(machine.read('/var/lib/midge/passwd'), /^jane:/);
});

test('boot apply leaves the machine alone when only the broker is ours', async (t) => {
  const machine = makeMachine(t, {
    'midge.txt': 'hostname = kitchen\naccount = jane secret one\n',
    'user-data': 'hostname: other\npasswd: secret three\n',
  });
  machine.write('/proc/mounts', '/dev/mmcblk0p1 /boot/firmware vfat rw,relatime 0 0\n');
  await applyBootPartition(machine.world, 'broker');
  assert.deepEqual(machine.commands, []);
  assert.match(machine.read('/var/lib/midge/passwd'), /^jane:/);
  assert.doesNotMatch(machine.read('/boot/firmware/midge.txt'), /secret/);
  assert.match(machine.read('/boot/firmware/user-data'), /secret three/);
});

for (const [wish, ports] of [
  ['', ['1883', '8883 TLS', '8083', '8084 TLS']],
  ['secure = yes\nport = 8884', ['8884 TLS', '8084 TLS']],
  ['secure = no\nport = 1884', ['1884', '8083']],
  ['port = 1884', ['1884', '8883 TLS', '8083', '8084 TLS']],
] as const) {
  test(`boot apply writes a configuration that the broker takes when midge.txt says "${wish.replace('\n', ', ')}"`, async (t) => {
    const machine = makeMachine(t, {
      'midge.txt': `${wish}\npersistence_file = other.db\ncertificate_names = mqtt.example.org 10.1.1.1\n`,
    });
    await applyBootPartition(machine.world);
    const file = join(machine.world.root, 'var/lib/midge/appliance.conf');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('/var/lib', join(machine.world.root, 'var/lib')), { mode: 0o600 });
    const { configuration, diagnostics } = loadConfiguration({ file, port: null, verbose: false, lan: false });
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(
      configuration?.listeners.map(({ port, tls }) => `${port}${tls === null ? '' : ' TLS'}`),
      ports,
    );
    assert.ok(configuration?.listeners.every(({ policy }) => !policy.allowAnonymous));
    assert.equal(configuration?.persistence.file, 'other.db');
    assert.deepEqual(configuration?.certificateNames, ['mqtt.example.org', '10.1.1.1']);
  });
}

function makeMachine(t: TestContext, files: Record<string, string>) {
  const root = temporaryFolder(t);
  const commands: string[] = [];
  const path = (name: string) => join(root, name);
  const write = (name: string, text: string) => {
    mkdirSync(join(path(name), '..'), { recursive: true });
    writeFileSync(path(name), text);
  };
  write('/boot/firmware/cmdline.txt', '');
  for (const [name, text] of Object.entries(files)) write(`/boot/firmware/${name}`, text);
  return {
    commands,
    write,
    read: (name: string) => readFileSync(path(name), 'utf8'),
    mode: (name: string) => statSync(path(name)).mode & 0o777,
    remove: (name: string) => rmSync(path(name)),
    world: {
      root,
      run: async (program: string, ...args: readonly string[]) => {
        commands.push([program, ...args].join(' '));
        return '';
      },
      say: () => {},
    },
  };
}
