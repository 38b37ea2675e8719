// From a blank card with a midge.txt to messages over TLS, seen from outside.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { makeSshKey, runBySsh } from '../support/network/ssh.ts';
import type { Outcome } from '../support/process/outcome.ts';
import { CARD_BYTES, Card, IMAGE, obstacle } from './card.ts';
import { BOOT_PATIENCE, switchOn } from './machine.ts';

const run = promisify(execFile);
const skip = obstacle();

const MIDGE_TXT = `\ufeff# as Notepad writes it\r
hostname = testbed\r
account = jane correct horse battery\r
certificate_names = mqtt.test.example\r
\r
wifi_contry = DE\r
time_server = 10.0.2.2\r
`;
/** What Raspberry Pi Imager writes: midge.txt goes before it where both speak. */
const userData = (key: string) => `#cloud-config
hostname: somethingelse
timezone: Europe/Berlin
users:
  - name: jane
    passwd: $5$not$areal-hash-of-a-password
    ssh_authorized_keys:
      - ${key}
`;
const NETWORK_CONFIG = `network:
  version: 2
  wifis:
    wlan0:
      regulatory-domain: DE
      access-points:
        "Net of Jane":
          password: "wifi horse battery"
`;
const ALARMING = /fail|error|warn|unable|cannot|did not stop|timed out|busy/i;
const MEMORY_LIMIT_KB = 200 * 1024;
const LOGIN = { username: 'jane', password: 'correct horse battery' };

test('image carries messages over TLS when a blank card is booted', { skip }, async (t) => {
  const card = new Card(t, IMAGE ?? '');
  const key = makeSshKey(temporaryFolder(t));
  card.write('midge.txt', MIDGE_TXT);
  card.write('user-data', userData(key.line));
  card.write('network-config', NETWORK_CONFIG);
  card.write('MAKE-BACKUP.TXT', '');
  const root = card.rootDigest();
  const start = Date.now();
  const machine = await switchOn(t, card, { memoryMb: 512 });
  const client = await machine.connect(LOGIN);
  t.diagnostic(`first CONNACK after ${((Date.now() - start) / 1000).toFixed(0)} s`);
  const line = await machine.ready();
  t.diagnostic(line);
  assert.match(line, /testbed\.local is ready: addresses=10\.0\.2\.15/);
  assert.match(line, /accounts=1 /);
  assert.doesNotMatch(line, /failed=/);

  await t.test('image refuses whoever has no account', async () => {
    for (const login of [{}, { ...LOGIN, password: 'wrong' }, { username: 'midge', password: 'midge' }]) {
      await assert.rejects(machine.connect(login), { code: 5 });
    }
  });

  await t.test('image is known by every name when TLS asks', async () => {
    const authority = authorityOf(card, line);
    for (const servername of ['testbed.local', 'testbed', 'mqtt.test.example']) {
      const secure = await machine.connect({
        ...LOGIN,
        protocol: 'mqtts',
        port: machine.ports.secure,
        ca: readFileSync(authority),
        servername,
      });
      await secure.endAsync();
    }
    await assert.rejects(
      run('openssl', [
        's_client',
        '-connect',
        `127.0.0.1:${machine.ports.secure}`,
        '-CAfile',
        authority,
        '-verify_hostname',
        'other.local',
        '-verify_return_error',
        '-brief',
      ]),
      /hostname mismatch/i,
    );
  });

  await t.test('image carries a message when mosquitto_pub and mosquitto_sub verify its certificate', async () => {
    const authority = authorityOf(card, line);
    const words = [
      '-h',
      'localhost',
      '-p',
      String(machine.ports.secure),
      '--cafile',
      authority,
      '-u',
      LOGIN.username,
      '-P',
      LOGIN.password,
    ];
    await run('mosquitto_pub', [...words, '-t', 'owntracks/jane/phone', '-q', '1', '-r', '-m', 'hello']);
    const { stdout } = await run('mosquitto_sub', [...words, '-t', 'owntracks/#', '-C', '1', '-W', '30', '-v']);
    assert.equal(stdout, 'owntracks/jane/phone hello\n');
  });

  await t.test('image announces itself by mDNS', () => {
    const traffic = readFileSync(machine.traffic);
    for (const name of ['_mqtt', '_secure-mqtt', 'testbed']) assert.ok(traffic.includes(label(name)), `no ${name} in the announcements`);
    assert.ok(traffic.includes(Buffer.from([0x14, 0xe9, 0x14, 0xe9])), 'nothing from port 5353 to port 5353');
  });

  await t.test('image is as it should be when one looks into it', async (t) => {
    const found = await lookInside((line) => runBySsh({ port: machine.ports.ssh, key, patience: BOOT_PATIENCE }, line));
    t.diagnostic(`${Math.round(Number(found['memory']) / 1024)} MB of memory in use, security exposure ${found['exposure']}`);
    const { memory, exposure, users, ...rest } = found;
    assert.ok(Number(memory) < MEMORY_LIMIT_KB, `${memory} KB of memory are in use`);
    assert.ok(Number(exposure) <= 2, `the exposure of midge.service is ${exposure}`);
    assert.equal(users, '', 'somebody has a password');
    assert.deepEqual(rest, {
      root: 'ext4 ro',
      data: 'ext4 rw',
      boot: 'vfat ro',
      swap: '/dev/zram0',
      watchdog: '15s',
      journal: 'volatile',
      clock: 'kept',
      servers: 'SystemNTPServers=10.0.2.2',
      zone: '/usr/share/zoneinfo/Europe/Berlin',
      wifi: 'Passphrase=wifi horse battery',
      avahi: '',
      ports: '1883 22 443 80 8084 8883 9001',
      ssh: 'permitrootlogin without-password passwordauthentication no kbdinteractiveauthentication no permitemptypasswords no',
      broker: 'midge',
      process: 'midge',
      failed: '',
      status: '0',
    });
  });

  await client.endAsync();

  await t.test('image goes off without an alarming word when it is told to', async () => {
    const from = machine.console.lines.length;
    await runBySsh({ port: machine.ports.ssh, key, patience: BOOT_PATIENCE }, 'systemctl poweroff');
    await machine.console.ended;
    const words = machine.console.lines.slice(from);
    assert.ok(
      words.some((line) => /Power down/.test(line)),
      words.join('\n'),
    );
    assert.deepEqual(
      words.filter((line) => ALARMING.test(line)),
      [],
    );
  });

  await t.test('image has written its report when the power is off', () => {
    const report = card.read('midge-report.txt') ?? '';
    assert.match(report, /testbed\.local\r\n/);
    assert.match(report, /10\.0\.2\.15/);
    assert.match(report, /accounts +jane\r\n/);
    assert.match(report, /the broker is running/);
    assert.match(report, /midge\.txt line 6: there is no setting "wifi_contry" - did you mean wifi_country\?/);
    assert.match(report, /user-data: there is no login "jane" here/);
    assert.match(report, /The Wi-Fi "Net of Jane" is not in use: this machine has no Wi-Fi adapter/);
    assert.match(card.read('midge-log.txt') ?? '', /^What is wrong:\r\n {4}The Wi-Fi "Net of Jane"(?:.*\r\n)+.* midge\[\d+\]: /);
    assert.match(report, /Ports 1883 and 9001 have no TLS/);
    assert.doesNotMatch(report, /horse/);
  });

  await t.test('image has made the backup that was ordered', () => {
    const [name = '', ...others] = card.names().filter((each) => /^midge-testbed-\w+\.tar\.gz$/.test(each));
    assert.deepEqual(others, []);
    const held = execFileSync('tar', ['-tzf', card.take(name)], { encoding: 'utf8' }).split('\n');
    for (const wanted of ['backup.json', 'state/passwd', 'state/appliance.conf'])
      assert.ok(held.includes(wanted), `${wanted} is not in ${held}`);
    assert.ok(!card.names().some((each) => /make-backup/i.test(each)), 'the order is there still');
    assert.match(card.read('midge-report.txt') ?? '', /The backup midge-testbed-\w+\.tar\.gz was made\. It holds the keys/);
  });

  await t.test('image has taken the passwords out of the boot partition', () => {
    assert.match(card.read('midge.txt') ?? '', /# account jane: taken/);
    const { start: at, size } = card.partition('card');
    const bytes = card.bytes(at, size);
    for (const secret of ['correct horse', 'wifi horse', 'areal-hash']) assert.ok(!bytes.includes(secret), `"${secret}" is still there`);
  });

  await t.test('image has grown its data partition to the end of the card', () => {
    const { start: at, size } = card.partition('data');
    assert.equal(at + size, CARD_BYTES);
  });

  await t.test('image has left its root alone', () => assert.equal(card.rootDigest(), root));
});

/** LOOK prints NAME=VALUE lines about the machine it runs on. */
const LOOK = `
mounted() { awk -v at="$1" '$2 == at { split($4, words, ","); print $3, words[1] }' /proc/mounts; }
echo "root=$(mounted /)"
echo "data=$(mounted /var)"
echo "boot=$(mounted /boot/firmware)"
echo "swap=$(awk 'NR > 1 { print $1 }' /proc/swaps)"
echo "watchdog=$(systemctl show -p RuntimeWatchdogUSec --value)"
echo "journal=$([ -d /run/log/journal ] && [ ! -e /var/log/journal ] && echo volatile)"
echo "clock=$([ -e /var/lib/systemd/timesync/clock ] && systemctl is-active -q systemd-timesyncd && echo kept)"
echo "servers=$(timedatectl show-timesync -p SystemNTPServers)"
echo "zone=$(readlink /run/midge-boot/localtime)"
echo "wifi=$(grep Passphrase '/var/lib/iwd/Net of Jane.psk')"
echo "avahi=$(find /usr/sbin /usr/lib/systemd -name 'avahi*')"
echo "ports=$(ss -Hltn | awk '$4 !~ /^127[.]|%lo/ { sub(/.*:/, "", $4); print $4 }' | sort -u | paste -sd' ')"
echo "ssh=$(sshd -T | grep -E '^(permitrootlogin|passwordauthentication|kbdinteractiveauthentication|permitemptypasswords) ' | paste -sd' ')"
echo "users=$(awk -F: 'length($2) > 1 && $2 !~ /^[!*]/ || $2 == "" { print $1 }' /etc/shadow | paste -sd' ')"
echo "broker=$(stat -c %U "/proc/$(systemctl show -p MainPID --value midge)")"
echo "process=$(cat "/proc/$(systemctl show -p MainPID --value midge)/comm")"
echo "failed=$(systemctl list-units --failed --plain --no-legend | awk '{ print $1 }' | paste -sd' ')"
midge status >/run/status 2>&1; echo "status=$?"
echo "memory=$(awk '/^MemTotal/ { total = $2 } /^MemAvailable/ { print total - $2 }' /proc/meminfo)"
echo "exposure=$(systemd-analyze security --no-pager midge.service | awk '/Overall exposure level/ { print $7 }')"
`;

async function lookInside(run: (line: string) => Promise<Outcome>): Promise<Record<string, string>> {
  const { status, stdout, stderr } = await run(LOOK);
  assert.equal(status, 0, stdout + stderr);
  return Object.fromEntries(
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

function authorityOf(card: Card, line: string): string {
  const file = join(card.folder, 'ca.crt');
  const text = card.read('ca.crt');
  assert.ok(text, `no ca.crt on the boot partition: ${line}`);
  writeFileSync(file, text);
  return file;
}

/** A label of a domain name, RFC 1035 3.1. */
function label(text: string): Buffer {
  return Buffer.from([text.length, ...Buffer.from(text)]);
}
