// `make image BASE=...`: the program on an image of Raspberry Pi OS's layout, which the test makes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { obstacle } from './card.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROGRAM = join(ROOT, 'dist/midge-linux-arm64');
const BOOT_START = 8192;
const BOOT_SECTORS = 131_072;
const ROOT_START = BOOT_START + BOOT_SECTORS;
const ROOT_MB = 48;

test('image gets the program, its units and midge.txt when Raspberry Pi OS is its base', { skip: obstacle() }, (t) => {
  const folder = temporaryFolder(t);
  const base = join(folder, 'raspios-lite.img');
  makeBase(folder, base);
  const before = sha256(readFileSync(base));
  const out = join(folder, 'out.img');
  execFileSync(join(ROOT, 'build/image/overlay.sh'), [base, out], { stdio: 'pipe' });

  assert.equal(sha256(readFileSync(base)), before, 'the base was changed');
  const rootFile = join(folder, 'root');
  execFileSync('dd', [`if=${out}`, `of=${rootFile}`, 'bs=512', `skip=${ROOT_START}`, 'status=none']);
  const debug = (command: string) =>
    execFileSync('debugfs', ['-R', command, rootFile], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  debug(`dump /usr/local/bin/midge ${join(folder, 'midge')}`);
  assert.equal(sha256(readFileSync(join(folder, 'midge'))), sha256(readFileSync(PROGRAM)));
  assert.match(debug('stat /usr/local/bin/midge'), /Mode: +0755/);
  assert.match(debug('stat /etc/systemd/system/multi-user.target.wants/midge.service'), /Fast link dest: "\.\.\/midge\.service"/);
  assert.match(debug('cat /etc/systemd/system/midge-boot.service.d/10-raspios.conf'), /midge boot broker\n/);
  assert.match(debug('cat /etc/systemd/system/midge-report.service.d/10-raspios.conf'), /midge boot report broker\n/);
  assert.equal(debug('cat /etc/fstab'), 'the fstab of Raspberry Pi OS\n');
  assert.match(debug('stat /usr/local/bin'), /Mode: +02775/);
  assert.doesNotMatch(debug('ls /etc/systemd/system'), /midge-data|midge-swap/);
  execFileSync('mcopy', ['-i', `${out}@@${BOOT_START * 512}`, '::/midge.txt', '::/config.txt', folder]);
  assert.match(readFileSync(join(folder, 'midge.txt'), 'utf8'), /#account = /);
  assert.equal(readFileSync(join(folder, 'config.txt'), 'utf8'), 'theirs\n');
});

test('image is not made when its base is something else', { skip: obstacle() }, (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'holiday.img'), Buffer.alloc(1_000_000));
  assert.throws(
    () => execFileSync(join(ROOT, 'build/image/overlay.sh'), [join(folder, 'holiday.img'), join(folder, 'out.img')], { stdio: 'pipe' }),
    /Cannot put midge onto .*two partitions/,
  );
});

function makeBase(folder: string, base: string): void {
  const tree = join(folder, 'tree');
  for (const path of ['etc/systemd/system', 'usr/local', 'usr/lib/sysusers.d']) mkdirSync(join(tree, path), { recursive: true });
  mkdirSync(join(tree, 'usr/local/bin'));
  execFileSync('chmod', ['2775', join(tree, 'usr/local/bin')]);
  writeFileSync(join(tree, 'etc/fstab'), 'the fstab of Raspberry Pi OS\n');
  const [boot, root] = [join(folder, 'p1'), join(folder, 'p2')];
  execFileSync('truncate', ['-s', String(BOOT_SECTORS * 512), boot]);
  execFileSync('mkfs.vfat', ['-F', '32', boot], { stdio: 'ignore' });
  writeFileSync(join(folder, 'config.txt'), 'theirs\n');
  execFileSync('mcopy', ['-i', boot, join(folder, 'config.txt'), '::/']);
  rmSync(join(folder, 'config.txt'));
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', tree, root, `${ROOT_MB}M`]);
  execFileSync('truncate', ['-s', `${ROOT_START / 2048 + ROOT_MB}M`, base]);
  const table = `label: dos\nstart=${BOOT_START},size=${BOOT_SECTORS},type=c\nstart=${ROOT_START},type=83\n`;
  execFileSync('sfdisk', ['-q', base], { input: table, stdio: ['pipe', 'ignore', 'ignore'] });
  for (const [file, start] of [
    [boot, BOOT_START],
    [root, ROOT_START],
  ]) {
    execFileSync('dd', [`if=${file}`, `of=${base}`, 'bs=512', `seek=${start}`, 'conv=notrunc', 'status=none']);
  }
  assert.ok(existsSync(base));
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
