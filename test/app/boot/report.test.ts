// What `midge boot report` brings to the boot partition, the screen and the log.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { applyBootPartition } from '../../../src/app/boot/boot.ts';
import { CONTROL } from '../../../src/app/boot/paths.ts';
import { reportBoot } from '../../../src/app/boot/report.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { createControl } from '../../../src/control/control.ts';
import { testAuthority } from '../../support/network/test-certificates.ts';
import { makeMachine } from './machine.ts';

const AUTHORITY = '/var/lib/midge/certificates/ca.crt';
const REPORT = '/boot/firmware/midge-report.txt';
const LOG = '/boot/firmware/midge-log.txt';
const COPY = '/boot/firmware/ca.crt';

test('boot report brings the authority and the report to the boot partition, and says once that the machine is ready', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\nport = 8883\n' });
  const { cert } = await testAuthority();
  await applyBootPartition(machine.world);
  machine.write(AUTHORITY, cert);
  machine.write('/dev/tty1', '');
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.match(machine.read(REPORT), /accounts +jane\r\nSSH +off\r\n(?:.*\r\n)*.*midge\.txt line 2: port/u);
  assert.equal(machine.read(COPY).trim(), cert.trim());
  assert.match(machine.read('/dev/tty1'), /accounts +jane\r\n/);
  assert.match(machine.said.join('\n'), /^\S+\.local is ready: .* accounts=1 authority=[0-9A-F:]{95}$/);
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.equal(machine.said.length, 1);
});

test('boot report tells what was not followed from what was followed with a warning', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane short\nport = 22\n' });
  await applyBootPartition(machine.world);
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.match(machine.read(REPORT), /^Not followed:\r\n {4}midge\.txt line 2: .*\r\n\r\n/m);
  assert.match(
    machine.read(REPORT),
    /^Followed, but look at it again:\r\n {4}midge\.txt line 1: the password of "jane" is short.*\r\n\r\n/m,
  );
});

test('boot report says anew when the broker does not run any more, with its last words and the mistakes in its configuration', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  await applyBootPartition(machine.world);
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.doesNotMatch(machine.read(REPORT), /last words/);
  machine.answers.set('systemctl show', 'ActiveState=activating\nSubState=auto-restart\n');
  machine.answers.set('journalctl -b _SYSTEMD_UNIT=midge.service', 'first words\nCannot open port "1883": address already in use\n');
  machine.write('/var/lib/midge/appliance.conf', 'listener 1883\nlisteners 1\n');
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.equal(machine.said.length, 2);
  assert.match(machine.said[1] ?? '', /is NOT RUNNING/);
  const report = machine.read(REPORT);
  assert.match(report, /THE BROKER IS NOT RUNNING/);
  assert.match(
    report,
    /^The broker does not run\. Its last words:\r\n {4}\S*appliance\.conf:2:1: error: [^\r]+\r\n {4}first words\r\n {4}Cannot open port "1883": address already in use\r\n\r\n/m,
  );
});

test('boot report tells a broker that starts from one that has fallen', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  machine.answers.set('systemctl show', 'ActiveState=activating\nSubState=start\n');
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.match(machine.read(REPORT), /^health +the broker is starting\r$/m);
  machine.answers.set('systemctl show', null);
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.match(machine.read(REPORT), /^health +THE BROKER IS NOT RUNNING\r$/m);
});

test('boot report puts a log onto the boot partition when something is wrong, once for each, and takes an old one away', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  await applyBootPartition(machine.world);
  const report = () => reportBoot(machine.world, 'midge', 'machine and broker');
  await report();
  assert.ok(!machine.exists(LOG));
  machine.answers.set('systemctl list-units --failed', 'ssh.service loaded failed failed OpenBSD\n');
  machine.answers.set('journalctl -b -u ssh.service', `${'x'.repeat(70_000)}\n2026-01-31T12:00:00+0100 midge sshd: no \x1b[2Jkey\n`);
  await report();
  assert.match(
    machine.read(LOG),
    /^What is wrong:\r\n {4}failed: ssh\.service\r\n(?:.*\r\n)*2026-01-31T12:00:00\+0100 midge sshd: no \?\[2Jkey\r\n$/,
  );
  assert.ok(machine.read(LOG).length < 66_000);
  assert.match(machine.read(REPORT), /The log is in midge-log\.txt/);
  const written = () => machine.commands.filter((command) => command.startsWith('journalctl -b -u ssh')).length;
  await report();
  assert.equal(written(), 1, 'the same is wrong: it would wear the card');
  machine.answers.delete('systemctl list-units --failed');
  await report();
  assert.ok(machine.exists(LOG), 'it was wrong in this start');
  rmSync(machine.path('/run/midge-boot'), { recursive: true }); // the power goes
  await applyBootPartition(machine.world);
  await report();
  assert.ok(!machine.exists(LOG));
  assert.doesNotMatch(machine.read(REPORT), /midge-log/);
});

test('boot report says that the clock was not set by a server, after a while', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  const report = async (uptime: number) => {
    await reportBoot({ ...machine.world, uptime: () => uptime }, 'midge', 'broker');
    return machine.read(REPORT);
  };
  assert.doesNotMatch(await report(3600), /clock/);
  machine.write('/run/systemd/timesync/.keep', '');
  assert.doesNotMatch(await report(60), /clock/);
  assert.match(await report(3600), /^Needs attention:\r\n {4}No time server has set the clock.*time_server/m);
  machine.write('/run/systemd/timesync/synchronized', '');
  assert.doesNotMatch(await report(3600), /clock/);
});

const ADAPTER = '/sys/class/net/wlan0/phy80211/index';
const iwd = (state: string, networks: Record<string, string>) =>
  JSON.stringify({
    type: 'a{oa{sa{sv}}}',
    data: [
      {
        '/net/connman/iwd/0/4': { 'net.connman.iwd.Device': {}, 'net.connman.iwd.Station': { State: { type: 's', data: state } } },
        ...Object.fromEntries(
          Object.entries(networks).map(([Name, Type], number) => [
            `/n/${number}`,
            { 'net.connman.iwd.Network': { Name: { type: 's', data: Name }, Type: { type: 's', data: Type } } },
          ]),
        ),
      },
    ],
  });
const addresses = (...local: string[]) =>
  JSON.stringify([
    { ifname: 'lo', addr_info: [{ local: '127.0.0.1', scope: 'host' }] },
    { ifname: 'wlan0', addr_info: local.map((each) => ({ local: each, scope: 'global' })) },
  ]);

for (const [what, { has = true, bus, log = '', ip = addresses() }, told] of [
  ['there is no adapter', { has: false, bus: null }, /Wi-Fi "home" is not in use: this machine has no Wi-Fi adapter/],
  ['iwd does not run', { bus: null }, /\(iwd\) does not run/],
  [
    'the network is not in reach',
    { bus: iwd('disconnected', { other: 'psk' }) },
    /"home" is not found: .*wifi_hidden = yes\. Without wifi_country/,
  ],
  [
    'the password is wrong',
    {
      bus: iwd('disconnected', { home: 'psk' }),
      log: 'event: state, old: disconnected, new: connecting\n4-Way handshake failed for ifindex: 3, reason: 2\n',
    },
    /"home" refuses the password: write wifi_name and wifi_password anew/,
  ],
  [
    'the password of WPA3 is wrong',
    { bus: iwd('connecting', { home: 'psk' }), log: 'event: connect-failed, status: 1\n' },
    /"home" refuses the password/,
  ],
  [
    'it was connected after a wrong password, and the router is restarted',
    {
      bus: iwd('disconnected', { home: 'psk' }),
      log: '4-Way handshake failed for ifindex: 3, reason: 15\nevent: state, old: connecting, new: connected\n',
    },
    /"home" is in reach, but the machine is not connected/,
  ],
  [
    'the router gives no address',
    { bus: iwd('connected', { home: 'psk' }), ip: addresses('169.254.3.4') },
    /router gives the machine no address/,
  ],
  ['it works', { bus: iwd('connected', { home: 'psk' }), ip: addresses('192.168.1.7') }, null],
] as const satisfies readonly (readonly [string, { has?: boolean; bus: string | null; log?: string; ip?: string }, RegExp | null])[]) {
  test(`boot report says ${told === null ? 'nothing' : 'what is wrong'} of the Wi-Fi when ${what}`, async (t) => {
    const machine = makeMachine(t, { 'midge.txt': 'wifi_name = home\nwifi_password = secret two\n' });
    await applyBootPartition(machine.world);
    if (has) machine.write(ADAPTER, '0');
    machine.answers.set('busctl', bus).set('journalctl -b -u iwd.service', log).set('ip -json address', ip);
    await reportBoot(machine.world, 'midge', 'machine and broker');
    const report = machine.read(REPORT);
    if (told === null) assert.doesNotMatch(report, /Wi-Fi "/);
    else assert.match(report, told);
    assert.equal(machine.exists(LOG), told !== null);
    assert.doesNotMatch(machine.read('/run/midge-boot/findings.json') + report, /secret/);
  });
}

for (const [lines, told] of [
  ['address_for = wifi', /192\.168\.1\.5 is not in force\. It is for the Wi-Fi, but no Wi-Fi is named/],
  ['', /192\.168\.1\.5 is not in force\. It is for the cable: is the cable plugged in\?/],
] as const) {
  test(`boot report says that the fixed address is not in force when midge.txt says "${lines}" and another one is`, async (t) => {
    const text = `address = 192.168.1.5/24\ngateway = 192.168.1.1\n${lines}\n`;
    const machine = makeMachine(t, { 'midge.txt': text });
    await applyBootPartition(machine.world);
    machine.answers.set('ip -json address', addresses('192.168.1.77'));
    await reportBoot(machine.world, 'midge', 'machine and broker');
    assert.match(machine.read(REPORT), told);
    machine.answers.set('ip -json address', addresses('192.168.1.5'));
    await reportBoot(machine.world, 'midge', 'machine and broker');
    assert.doesNotMatch(machine.read(REPORT), /not in force/);
  });
}

test('boot report says which ports have no TLS and what closes them, until midge.txt has closed them', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  const report = async () => {
    await applyBootPartition(machine.world);
    const file = '/var/lib/midge/appliance.conf';
    machine.write(file, machine.read(file).replaceAll('/var/lib', machine.path('/var/lib')));
    chmodSync(machine.path(file), 0o600);
    await reportBoot(machine.world, 'midge', 'machine and broker');
    return machine.read(REPORT);
  };
  assert.match(await report(), /^Ports 1883 and 9001 have no TLS: others in the network can read .*\r\n {4}secure = yes\r\n/m);
  machine.write('/boot/firmware/midge.txt', 'secure = yes\n');
  assert.doesNotMatch(await report(), /no TLS/);
});

test('boot shows on the screen that it starts, and then the report with no line longer than 80 columns and no word broken', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'account = jane secret one\nwifi_nmae = home\naddress = 192.168.1.5/24\n' });
  machine.write('/dev/tty1', '');
  const screens: string[] = [];
  const run = (program: string, ...words: readonly string[]) => {
    if (program === 'hostname') screens.push(machine.read('/dev/tty1'));
    return machine.world.run(program, ...words);
  };
  await applyBootPartition({ ...machine.world, run }, { program: 'midge 1.2.3' });
  assert.match(screens[0] ?? '', /midge 1\.2\.3 is starting/);
  await reportBoot(machine.world, 'midge', 'machine and broker');
  const screen = machine.read('/dev/tty1');
  assert.deepEqual(
    screen.split('\r\n').filter((line) => line.length > 80 + '\x1b[2J\x1b[3J\x1b[H'.length),
    [],
  );
  const words = (text: string) =>
    text
      .replace(/\x1b\[\d*[A-Z]/g, '')
      .split(/\s+/)
      .join(' ')
      .trim();
  assert.equal(words(screen), words(machine.read(REPORT)));
  assert.match(screen, /did you mean wifi_name\?/);
});

test('boot report tells the name that the network gave when another machine has that of the host', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': 'ssh_key = ssh-ed25519 AAAA jane\n' });
  const [own] = hostname().split('.');
  let announced: string | null = `${own}-2.local`;
  mkdirSync(dirname(machine.path(CONTROL)), { recursive: true });
  const operations = { run: async () => ({ machine: { announced } }) };
  const control = createControl({ path: machine.path(CONTROL), operations, log: silentLogger });
  await control.start();
  t.after(() => control.stop());
  machine.write('/var/lib/ssh/authorized_keys', 'a key');
  const report = async () => {
    await reportBoot(machine.world, 'midge', 'machine and broker');
    return machine.read(REPORT);
  };
  assert.match(await report(), new RegExp(`^name +${own}-2\\.local\r\n +\\(${own}\\.local is another machine\\)\r\n`, 'm'));
  assert.match(machine.read(REPORT), new RegExp(`ssh root@${own}-2\\.local`));
  assert.match(machine.said.at(-1) ?? '', new RegExp(`^${own}-2\\.local is ready: `));
  for (const odd of [null, 'x\x1b[2J.local', `${own}.local`]) {
    announced = odd;
    assert.match(await report(), new RegExp(`^name +${own}\\.local\r\naddresses`, 'm'));
  }
});

test('boot report shows the set-up code of the web page until there is an admin, and nothing else that the broker calls so', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  const code = '0123-4567-89ab-cdef-0123-4567-89ab-cdef';
  let answer: unknown = { code };
  mkdirSync(dirname(machine.path(CONTROL)), { recursive: true });
  const operations = { run: async (name: string) => (name === 'setup code' ? answer : { machine: { announced: 'box.local' } }) };
  const control = createControl({ path: machine.path(CONTROL), operations, log: silentLogger });
  await control.start();
  t.after(() => control.stop());
  machine.write('/dev/tty1', '');
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.match(machine.read(REPORT), new RegExp(`^web page +https://box\\.local\r\n(?:.*\r\n)* +${code}\r\n`, 'm'));
  assert.ok(machine.read('/dev/tty1').includes(code), 'the screen shows it too');
  for (const odd of [{ code: null }, { code: 'http://evil.example' }, {}]) {
    answer = odd;
    await reportBoot(machine.world, 'midge', 'machine and broker');
    assert.doesNotMatch(machine.read(REPORT), /set-up code/);
  }
});

test('boot report leaves screen and SSH alone when only the broker is ours', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  machine.write('/dev/tty1', 'login: ');
  await reportBoot(machine.world, 'midge', 'broker');
  assert.equal(machine.read('/dev/tty1'), 'login: ');
  assert.doesNotMatch(machine.read(REPORT), /SSH/);
});

test('boot report shows nobody what is no certificate when it is in the place of the authority', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  machine.write(AUTHORITY, 'root:$6$secret');
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.ok(!machine.exists(COPY));
  assert.match(machine.read(REPORT), /authority +not made yet/);
});

test('boot report does not let the name of an account steer the screen', async (t) => {
  const machine = makeMachine(t, { 'midge.txt': '# nothing\n' });
  machine.write('/var/lib/midge/passwd', 'ja\x1b[2Jne:$7$101$c2FsdHNhbHRzYWx0$aGFzaA==\n');
  await reportBoot(machine.world, 'midge', 'machine and broker');
  assert.match(machine.read(REPORT), /ja\?\[2Jne/);
});
