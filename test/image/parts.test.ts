// What a Pi needs that QEMU never asks for: each board's firmware, description and drivers are in the image. And what lies beside it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type TestContext, test } from 'node:test';
import { Card, IMAGE, obstacle } from './card.ts';

const skip = obstacle();
const IMAGE_LIMIT = 150e6;
const REMARK = /^\s*(#|$)/;

/** What the boot ROM and the firmware load by themselves: of the Pi 3 and Zero 2 W, and of the Pi 4; the Pi 5 has its own in flash. */
const FIRMWARE = ['bootcode.bin', 'start.elf', 'fixup.dat', 'start4.elf', 'fixup4.dat'];
const BOARDS = [
  'bcm2837-rpi-3-a-plus',
  'bcm2837-rpi-3-b',
  'bcm2837-rpi-3-b-plus',
  'bcm2837-rpi-zero-2-w',
  'bcm2711-rpi-4-b',
  'bcm2711-rpi-400',
  'bcm2711-rpi-cm4-io',
  'bcm2712-rpi-5-b',
  'bcm2712-d-rpi-5-b',
];
/** Card, network, Wi-Fi, watchdog, compressed memory: of each board. */
const DRIVERS = ['smsc95xx', 'lan78xx', 'genet', 'macb', 'brcmfmac', 'bcm2835_wdt', 'zram'];
/** Those that find the root are in the initrd. */
const EARLY_DRIVERS = ['bcm2835', 'sdhci-iproc', 'sdhci-brcmstb', 'ext4'];

test('image has firmware, description and drivers of each board', { skip }, (t) => {
  const card = new Card(t, IMAGE ?? '');
  const names = card.bootNames();
  const config = (card.bootText('config.txt') ?? '').split('\n').filter((line) => !REMARK.test(line));
  const named = config.flatMap((line) => /^(?:kernel=|initramfs )(\S+)/.exec(line)?.[1] ?? []);
  assert.deepEqual(named, ['vmlinuz', 'initrd.img']);
  const wanted = [...named, ...FIRMWARE, ...BOARDS.map((board) => `${board}.dtb`), 'cmdline.txt'];
  assert.deepEqual(
    wanted.filter((name) => !names.includes(name)),
    [],
  );
  const modules = card.debugRoot('ls -p /usr/lib/modules').match(/\d+\.\d+[^/]*/)?.[0] ?? '';
  const described = [...(card.bootText('config.txt') ?? '').matchAll(/^#?device_tree=(\S+)/gm)].map(([, name = '']) => name);
  assert.ok(described.length > 0 && described.every((name) => names.includes(name)), `config.txt names ${described}`);
  const drivers = `${card.debugRoot(`cat /usr/lib/modules/${modules}/modules.dep`)}\n${card.debugRoot(`cat /usr/lib/modules/${modules}/modules.builtin`)}`;
  assert.deepEqual(
    DRIVERS.filter((driver) => !hasDriver(drivers, driver)),
    [],
  );
  const early = `${initrdNames(card)}\n${drivers
    .split('\n')
    .filter((line) => !line.includes(':'))
    .join('\n')}`; // with what is built in
  assert.deepEqual(
    EARLY_DRIVERS.filter((driver) => !hasDriver(early, driver)),
    [],
  );
});

test('image has the licences of all that is in it, on its boot partition too', { skip }, (t) => {
  const card = new Card(t, IMAGE ?? '');
  const list = execFileSync('unzip', ['-Z1', card.take('licences.zip')], { encoding: 'utf8' }).split('\n');
  for (const name of ['midge', 'libc6', 'systemd', 'openssh-server', 'raspi-firmware', 'firmware-brcm80211', 'busybox-static', 'iwd'])
    assert.ok(list.includes(`packages/${name}.txt`), `${name} is not in licences.zip`);
  assert.ok(list.includes('common-licenses/GPL-2.txt'));
  assert.match(card.debugRoot('cat /usr/share/doc/midge/copyright'), /^midge \(/m);
});

test('image says which version it is of, and how old its packages are', { skip }, (t) => {
  const release = new Card(t, IMAGE ?? '').debugRoot('cat /usr/lib/os-release');
  assert.match(release, /^IMAGE_ID=midge$/m);
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as { version: string }; // npm demands it
  assert.match(release, new RegExp(`^IMAGE_VERSION=${version.replaceAll('.', '\\.')}$`, 'm'));
  const [, date = ''] = /^MIDGE_PACKAGES_DATE=(\d{4}-\d\d-\d\d)$/m.exec(release) ?? [];
  assert.ok(date >= '2026-01-01' && Date.parse(date) <= Date.now(), date);
});

test('image has no program that installs others, or that lends rights', { skip }, (t) => {
  const card = new Card(t, IMAGE ?? '');
  for (const name of ['apt', 'apt-get', 'dpkg', 'su', 'passwd', 'newgrp'])
    assert.doesNotMatch(card.debugRoot(`stat /usr/bin/${name}`), /Inode:/, name);
  const rights = card.debugRoot('ls -l /usr/bin').matchAll(/^ *\d+ +(\d+) /gm);
  assert.ok(
    [...rights].every(([, mode = '']) => (Number.parseInt(mode, 8) & 0o6000) === 0),
    'a program of /usr/bin lends its rights',
  );
});

test('image has no secret of its own: no password, no key, no name', { skip }, (t) => {
  const card = new Card(t, IMAGE ?? '');
  const passwords = card
    .debugRoot('cat /etc/shadow')
    .trim()
    .split('\n')
    .map((line) => line.split(':')[1] ?? '');
  assert.ok(passwords.length > 5);
  assert.deepEqual(
    passwords.filter((password) => !/^[!*]/.test(password)),
    [],
  );
  assert.doesNotMatch(card.debugRoot('ls -p /etc/ssh'), /ssh_host/);
  assert.equal(card.debugRoot('cat /etc/machine-id'), '');
  assert.match(card.read('midge.txt') ?? '', /^#account = /m);
  assert.doesNotMatch(card.read('midge.txt') ?? '', /^[^#\r\n]/m);
});

test('image is small, and has its checksum, packages and bill of materials beside it', {
  skip: skip || compressed(),
}, async (t: TestContext) => {
  const packed = `${IMAGE}.xz`;
  t.diagnostic(`${(statSync(packed).size / 1e6).toFixed(1)} MB`);
  assert.ok(statSync(packed).size < IMAGE_LIMIT);
  const hash = createHash('sha256');
  await pipeline(createReadStream(packed), hash);
  assert.equal(readFileSync(`${packed}.sha256`, 'utf8'), `${hash.digest('hex')}  ${basename(packed)}\n`);
  const base = packed.replace(/\.img\.xz$/, '');
  const packages = readFileSync(`${base}.packages`, 'utf8');
  for (const name of ['systemd', 'raspi-firmware', 'openssh-server']) assert.match(packages, new RegExp(`^${name} \\S+ \\S+$`, 'm'));
  const { spdxVersion, packages: bill } = JSON.parse(readFileSync(`${base}.spdx.json`, 'utf8')) as {
    spdxVersion: string;
    packages: { name: string; versionInfo: string; licenseDeclared: string }[];
  };
  assert.deepEqual(
    bill.filter(({ licenseDeclared }) => licenseDeclared === 'NOASSERTION').map(({ name }) => name),
    [],
  );
  assert.equal(spdxVersion, 'SPDX-2.3');
  for (const name of [
    'midge',
    'aedes',
    'node',
    'OpenSSL',
    ...packages
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0] ?? ''),
  ]) {
    assert.ok(
      bill.some((each) => each.name === name && each.versionInfo !== ''),
      `${name} is not in the bill of materials`,
    );
  }
});

function compressed(): string | false {
  return existsSync(`${IMAGE}.xz`) ? false : 'dist has no compressed image, run make image without NO_XZ';
}

function hasDriver(list: string, name: string): boolean {
  return new RegExp(`/${name.replaceAll(/[-_]/g, '[-_]')}\\.ko`, 'm').test(list);
}

function initrdNames(card: Card): string {
  const file = card.bootFile('initrd.img');
  return execFileSync('sh', ['-c', 'zstd -dc "$0" | cpio -t --quiet', join(dirname(file), basename(file))], { encoding: 'utf8' });
}
