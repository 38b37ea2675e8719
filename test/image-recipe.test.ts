// The recipe of the image, as far as it shows before anything is made.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from './support/disk/temporary-folder.ts';
import { missing } from './support/process/foreign-program.ts';

const ROOT = join(import.meta.dirname, '..');

test('image recipe says at once that it needs root, before it builds anything', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'id'), '#!/bin/sh\necho 1000\n');
  chmodSync(join(folder, 'id'), 0o755);
  const recipe = join(ROOT, 'build/image.sh');
  const { status, stdout, stderr } = spawnSync(recipe, ['--with-program'], { encoding: 'utf8', env: { PATH: `${folder}:/usr/bin:/bin` } });
  assert.deepEqual([status, stdout], [1, '']);
  assert.equal(stderr, "Cannot make the image: only root may, because the image's files are root's - run: sudo make image\n");
});

/** What Debian has: `newest` is the kernel of today. */
const DEBIAN = [
  { name: 'mended', version: '1.0-1+deb13u2' },
  { name: 'same', version: '2.0-1' },
  { name: 'linux-image-7-arm64', version: '7.1-1' },
  { name: 'linux-image-arm64', version: '7.1-1', depends: 'linux-image-7-arm64 (= 7.1-1)' },
] as const;

const skip = missing(['apt-get', 'apt-cache'], 'apt');

test('image recipe names the packages that Debian has newer: mended ones, and a kernel of another name', { skip }, (t) => {
  const { tar, list } = rootTree(t, [
    'linux-image-6-arm64 6.12-1 linux',
    'mended 1.0-1+deb13u1 mended',
    'same 2.0-1 same',
    'unknown 1 unknown',
  ]);
  const { status, stdout, stderr } = newerPackages(tar, list);
  assert.deepEqual([status, stdout], [0, 'mended 1.0-1+deb13u1 1.0-1+deb13u2\nlinux-image-7-arm64 - 7.1-1\n'], stderr);
});

test('image recipe names no package when all are as Debian has them', { skip }, (t) => {
  const { tar, list } = rootTree(t, ['linux-image-7-arm64 7.1-1 linux', 'mended 1.0-1+deb13u2 mended', 'same 2.0-1 same']);
  const { status, stdout, stderr } = newerPackages(tar, list);
  assert.deepEqual([status, stdout], [0, ''], stderr);
});

test('image recipe does not take silence for an answer when Debian cannot be asked', { skip }, (t) => {
  const { tar, list } = rootTree(t, ['same 2.0-1 same'], '/nowhere');
  const { status, stdout } = newerPackages(tar, list);
  assert.notEqual(status, 0);
  assert.equal(stdout, '');
});

/** A root tree as the recipe keeps it, with the packages of an index in a folder. */
function rootTree(context: TestContext, packages: readonly string[], archive = temporaryFolder(context)): { tar: string; list: string } {
  const folder = temporaryFolder(context);
  if (archive !== '/nowhere') {
    const index = DEBIAN.map(({ name, version, ...rest }) => {
      const depends = 'depends' in rest ? `Depends: ${rest.depends}\n` : '';
      return `Package: ${name}\nVersion: ${version}\nArchitecture: arm64\n${depends}Filename: ./${name}.deb\nSize: 1\nSHA256: ${'0'.repeat(64)}\n`;
    });
    writeFileSync(join(archive, 'Packages'), index.join('\n'));
  }
  mkdirSync(join(folder, 'etc/apt/preferences.d'), { recursive: true });
  writeFileSync(join(folder, 'etc/apt/sources.list'), `deb [trusted=yes] file:${archive} ./\n`);
  const [tar, list] = [join(folder, 'root.tar'), join(folder, 'root.tar.packages')];
  execFileSync('tar', ['-cf', tar, '-C', folder, './etc']);
  writeFileSync(list, `${packages.join('\n')}\n`);
  return { tar, list };
}

function newerPackages(tar: string, list: string) {
  return spawnSync(join(ROOT, 'build/image/newer-packages.sh'), [tar, list], { encoding: 'utf8' });
}
