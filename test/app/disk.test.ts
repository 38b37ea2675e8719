// Files that root writes into a folder of the broker's user: never through a link that this user has made.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lchownSync, linkSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Disk } from '../../src/app/disk.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ME = process.geteuid?.() ?? 0;
const OTHER = 12_345;
const RIGHTS = { mode: 0o700, owner: OTHER };

test('disk makes a folder in place of a link when another user has planted it', (t) => {
  const { disk, root, plant } = makeDisk(t);
  mkdirSync(join(root, 'victim'), { mode: 0o755 });
  plant('victim', 'conf.d');
  disk.makeFolder('conf.d', RIGHTS);
  assert.ok(lstatSync(join(root, 'conf.d')).isDirectory());
  const { mode, uid } = lstatSync(join(root, 'victim'));
  assert.deepEqual([mode & 0o777, uid], [0o755, ME]);
});

test('disk writes a file in place of a link when another user has planted it, and does not read through it', (t) => {
  const { disk, root, plant } = makeDisk(t);
  writeFileSync(join(root, 'shadow'), 'secret', { mode: 0o644 });
  plant('shadow', 'passwd');
  assert.equal(disk.text('passwd'), null);
  for (const text of ['secret', 'mine']) disk.write('passwd', text, { mode: 0o600, owner: OTHER });
  assert.ok(lstatSync(join(root, 'passwd')).isFile());
  assert.equal(readFileSync(join(root, 'shadow'), 'utf8'), 'secret');
  const { mode, uid } = lstatSync(join(root, 'shadow'));
  assert.deepEqual([mode & 0o777, uid], [0o644, ME]);
});

test('disk gives no file away when it has a second name', (t) => {
  const { disk, root } = makeDisk(t);
  writeFileSync(join(root, 'shadow'), 'secret', { mode: 0o644 });
  linkSync(join(root, 'shadow'), join(root, 'passwd'));
  disk.write('passwd', 'secret', { mode: 0o600, owner: OTHER });
  assert.deepEqual([lstatSync(join(root, 'shadow')).mode & 0o777, lstatSync(join(root, 'shadow')).uid], [0o644, ME]);
});

test('disk does not wait when a pipe is in the place of a file', (t) => {
  const { disk, root } = makeDisk(t);
  execFileSync('mkfifo', [join(root, 'passwd')]);
  assert.equal(disk.text('passwd'), null);
  disk.write('passwd', 'mine', { mode: 0o600 });
  assert.equal(disk.text('passwd'), 'mine');
});

// Only root can make such a link.
if (ME === 0) {
  test("disk follows a link when it is root's", (t) => {
    const { disk, root } = makeDisk(t);
    mkdirSync(join(root, 'large-disk'));
    symlinkSync(join(root, 'large-disk'), join(root, 'midge'));
    disk.makeFolder('midge', RIGHTS);
    assert.ok(lstatSync(join(root, 'midge')).isSymbolicLink());
    assert.equal(lstatSync(join(root, 'large-disk')).uid, OTHER);
  });
}

test('disk tells a file that cannot be read from one that is not there when it is going to be changed', (t) => {
  const { disk } = makeDisk(t);
  assert.equal(disk.textToChange('passwd'), null);
  const unreadable = 'x'.repeat(300);
  assert.equal(disk.text(unreadable), null);
  assert.throws(() => disk.textToChange(unreadable), { code: 'ENAMETOOLONG' });
});

function makeDisk(t: TestContext) {
  const root = temporaryFolder(t);
  const plant = (target: string, name: string) => {
    symlinkSync(join(root, target), join(root, name));
    if (ME === 0) lchownSync(join(root, name), OTHER, OTHER);
  };
  return { disk: new Disk(root), root, plant };
}
