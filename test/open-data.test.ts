// What becomes of the data partition before it is mounted: the script of the appliance, with programs that fail as cards and memory do.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from './support/disk/temporary-folder.ts';

const SCRIPT = join(import.meta.dirname, '../rootfs/usr/libexec/midge/open-data');
const MENDED = /has been mended/;
const USED = /is used as it is/;
const LEFT = /is left as it is/;
const EMPTY = /An empty one was made/;
const BROKEN = /neither read nor written/;

/** What the card does. Without a word of it, it is in order. */
interface Card {
  /** Exit statuses of e2fsck, one after the other; the last one stays. */
  readonly e2fsck?: readonly number[];
  /** Ways to mount it: as ever, or without playing the journal back. */
  readonly mounts?: readonly ('rw' | 'ro')[];
  readonly isUnreadable?: boolean;
  readonly isUnwritable?: boolean;
}

test('open-data says nothing and makes nothing when the file system is sound', (t) => {
  const { said, calls } = openData(t, { e2fsck: [0] });
  assert.deepEqual([said, calls], ['', ['e2fsck -p']]);
});

test('open-data mends what the journal cannot', (t) => {
  const { said, calls } = openData(t, { e2fsck: [4, 1] });
  assert.match(said, MENDED);
  assert.deepEqual(calls, ['e2fsck -p', 'e2fsck -fy']);
});

test('open-data tries again when the check fails for a moment', (t) => {
  const { said, calls } = openData(t, { e2fsck: [8, 8, 1] });
  assert.match(said, MENDED);
  assert.ok(!calls.includes('mke2fs'));
});

for (const [status, what] of [
  [8, 'has an operational error'],
  [137, 'is killed, out of memory'],
  [127, 'is missing'],
  [4, 'leaves errors'],
] as const) {
  test(`open-data keeps a file system that can be mounted when e2fsck ${what}`, (t) => {
    const { said, calls, isInMemory } = openData(t, { e2fsck: [status] });
    assert.match(said, USED);
    assert.match(said, new RegExp(`e2fsck: ${status}`));
    assert.ok(!calls.includes('mke2fs') && !isInMemory, calls.join());
  });
}

for (const [card, what] of [
  [{ e2fsck: [137], mounts: [] }, 'nobody could look at it'],
  [{ e2fsck: [8], mounts: [], isUnreadable: true }, 'it cannot be read at the moment'],
  [{ e2fsck: [8], mounts: ['ro'] }, 'it can be read but not written'],
] as const) {
  test(`open-data leaves the partition alone and stays in memory when ${what}`, (t) => {
    const { said, calls, isInMemory } = openData(t, card);
    assert.match(said, LEFT);
    assert.ok(!calls.includes('mke2fs') && isInMemory, calls.join());
  });
}

test('open-data makes an empty file system only when there is none to be mounted in any way', (t) => {
  const { said, calls, isInMemory } = openData(t, { e2fsck: [8], mounts: [] });
  assert.match(said, EMPTY);
  assert.ok(calls.includes('mke2fs') && !isInMemory, calls.join());
});

test('open-data stays in memory when the card takes no new file system', (t) => {
  const { said, isInMemory } = openData(t, { e2fsck: [8], mounts: [], isUnwritable: true });
  assert.match(said, BROKEN);
  assert.ok(isInMemory);
});

/** Runs the script in a folder instead of a machine, and with our own programs in front. */
function openData(t: TestContext, { e2fsck = [0], mounts = ['rw', 'ro'], isUnreadable = false, isUnwritable = false }: Card) {
  const root = temporaryFolder(t);
  const write = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text, { mode });
  };
  const text = (path: string) => (existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '');
  const program = (name: string, lines: string) => write(`bin/${name}`, `#!/bin/sh\necho "${name} $1" >>${root}/calls\n${lines}\n`, 0o755);
  write('statuses', e2fsck.map((status) => `${status}\n`).join(''));
  program('e2fsck', `cd ${root}; s=$(head -n 1 statuses); [ $(wc -l <statuses) -eq 1 ] || sed -i 1d statuses; exit $s`);
  program(
    'mount',
    `[ -e ${root}/made ] && exit 0; case "$*" in *noload*) exit ${exitOf(mounts, 'ro')};; *) exit ${exitOf(mounts, 'rw')};; esac`,
  );
  program('mke2fs', isUnwritable ? 'exit 1' : `touch ${root}/made`);
  program('dd', `exit ${isUnreadable ? 1 : 0}`);
  for (const name of ['umount', 'systemctl', 'cp']) program(name, 'exit 0');
  for (const [name, number] of Object.entries({ start: 0, size: 1000, '../size': 1000, partition: 3 })) {
    mkdirSync(join(root, 'sys/devices/mmcblk0/mmcblk0p3'), { recursive: true });
    write(`sys/devices/mmcblk0/mmcblk0p3/${name}`, `${number}\n`);
  }
  mkdirSync(join(root, 'sys/class/block'), { recursive: true });
  for (const disk of ['mmcblk0', 'mmcblk0/mmcblk0p3']) {
    symlinkSync(join(root, 'sys/devices', disk), join(root, 'sys/class/block', disk.replace(/.*\//, '')));
  }
  write('dev/mmcblk0p3', '');
  const script = readFileSync(SCRIPT, 'utf8')
    .replaceAll(/(?<![\w$}])\/(run|sys|var)\//g, `${root}/$1/`)
    .replace(/^PART=.*$/m, `PART=${root}/dev/mmcblk0p3`);
  execFileSync('sh', ['-c', script], { env: { PATH: `${join(root, 'bin')}:${process.env['PATH']}` }, stdio: 'pipe' });
  const calls = text('calls')
    .split('\n')
    .flatMap((line) => (/^(e2fsck|mke2fs)/.test(line) ? [line.replace(/^(mke2fs).*/, '$1')] : []));
  return { said: text('run/midge-boot/data'), calls, isInMemory: existsSync(join(root, 'run/systemd/system/var.mount.d/50-memory.conf')) };
}

function exitOf(mounts: readonly string[], way: string): number {
  return mounts.includes(way) ? 0 : 32;
}
