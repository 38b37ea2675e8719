// A real installation on Debian trixie for arm64, booted: the tree that `make image` installs from packages, before anything of midge is put into it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Card, IMAGE, obstacle } from '../image/card.ts';
import { BOOT_PATIENCE, startQemu } from '../image/machine.ts';
import { liveThrough, type Programs, writePrograms } from '../machine/installation.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { makeSshKey, runBySsh, type SshKey } from '../support/network/ssh.ts';

const ROOT = join(import.meta.dirname, '../..');
const EXECUTABLE = join(ROOT, 'dist/midge-linux-arm64');
const TREES = globSync('.cache/image/root-*.tar', { cwd: ROOT }).map((file) => join(ROOT, file));
const DISK_MB = 3072;
/** An emulated core starts the broker in a minute or two. */
const PATIENCE = ['--within', '900'];

test('midge installs itself, is upgraded, goes back from a bad upgrade, and goes when it is on Debian trixie for arm64', {
  skip: process.getuid?.() === 0 ? obstacle() : 'files of root can only be made by root',
}, async (t) => {
  const folder = temporaryFolder(t);
  const key = makeSshKey(folder);
  const disk = join(folder, 'disk.img');
  const programs = makeDisk(folder, disk, key);
  const card = new Card(t, IMAGE ?? '');
  const { ports, console } = await startQemu(t, {
    folder,
    disk,
    kernel: card.take('vmlinuz'),
    initrd: card.take('initrd.img'),
    kernelWords: 'root=/dev/vda rw',
  });
  const place = { port: ports.ssh, key, patience: BOOT_PATIENCE };
  await liveThrough((...words) => runBySsh(place, words.map(quote).join(' ')), programs, PATIENCE);
  t.diagnostic((await runBySsh(place, 'uname -rm; . /etc/os-release; echo "$PRETTY_NAME"; systemctl --version | head -n 1')).stdout);
  await console.kill();
});

/** A file system with the newest tree, a network, a key to sign in with, and the programs. */
function makeDisk(folder: string, disk: string, key: SshKey): Programs {
  const tree = join(folder, 'tree');
  const [newest] = TREES.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  assert.ok(newest !== undefined, 'make image leaves its tree in .cache/image/');
  mkdirSync(tree);
  execFileSync('tar', ['-xf', newest, '-C', tree, '--exclude=./dev/*']);
  const write = (path: string, text: string, mode = 0o644) => writeFileSync(join(tree, path), text, { mode });
  write('etc/fstab', '/dev/vda / ext4 rw,noatime 0 0\n');
  write('etc/hostname', 'trixie\n');
  write('etc/systemd/network/wired.network', '[Match]\nType=ether\n[Network]\nDHCP=yes\n');
  mkdirSync(join(tree, 'root/.ssh'), { recursive: true, mode: 0o700 });
  write('root/.ssh/authorized_keys', `${key.line}\n`, 0o600);
  makeHostKey(tree);
  for (const kernel of readdirSync(join(tree, 'usr/lib/modules'))) execFileSync('depmod', ['-b', tree, kernel]); // it was only unpacked
  execFileSync('chroot', [tree, 'systemctl', 'enable', '-q', 'systemd-networkd', 'ssh'], { stdio: 'pipe' });
  const programs = writePrograms(tree, EXECUTABLE);
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', tree, disk, `${DISK_MB}M`]);
  rmSync(tree, { recursive: true });
  return programs;
}

/** The tree has empty ones. */
function makeHostKey(tree: string): void {
  for (const kind of ['rsa', 'ecdsa', 'ed25519']) rmSync(join(tree, `etc/ssh/ssh_host_${kind}_key`), { force: true });
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(tree, 'etc/ssh/ssh_host_ed25519_key')]);
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
