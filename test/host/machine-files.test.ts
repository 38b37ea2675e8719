// Files that root writes into a folder of the broker's user: never through a link that this user has made.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lchownSync, linkSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MachineFiles } from '../../src/host/machine-files.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const ME = process.geteuid?.() ?? 0;
const OTHER = 12_345;
const RIGHTS = { mode: 0o700, owner: OTHER };

test('machine files make a folder in place of a link when another user has planted it', (t) => {
  const { files, root, plant } = makeFiles(t);
  mkdirSync(join(root, 'victim'), { mode: 0o755 });
  plant('victim', 'conf.d');
  files.makeFolder('conf.d', RIGHTS);
  assert.ok(lstatSync(join(root, 'conf.d')).isDirectory());
  const { mode, uid } = lstatSync(join(root, 'victim'));
  assert.deepEqual([mode & 0o777, uid], [0o755, ME]);
});

test('machine files write a file in place of a link when another user has planted it, and do not read through it', (t) => {
  const { files, root, plant } = makeFiles(t);
  writeFileSync(join(root, 'shadow'), 'secret', { mode: 0o644 });
  plant('shadow', 'passwd');
  assert.equal(files.text('passwd'), null);
  for (const text of ['secret', 'mine']) files.write('passwd', text, { mode: 0o600, owner: OTHER });
  assert.ok(lstatSync(join(root, 'passwd')).isFile());
  assert.equal(readFileSync(join(root, 'shadow'), 'utf8'), 'secret');
  const { mode, uid } = lstatSync(join(root, 'shadow'));
  assert.deepEqual([mode & 0o777, uid], [0o644, ME]);
});

test('machine files give no file away when it has a second name', (t) => {
  const { files, root } = makeFiles(t);
  writeFileSync(join(root, 'shadow'), 'secret', { mode: 0o644 });
  linkSync(join(root, 'shadow'), join(root, 'passwd'));
  files.write('passwd', 'secret', { mode: 0o600, owner: OTHER });
  assert.deepEqual([lstatSync(join(root, 'shadow')).mode & 0o777, lstatSync(join(root, 'shadow')).uid], [0o644, ME]);
});

test('machine files do not wait when a pipe is in the place of a file', (t) => {
  const { files, root } = makeFiles(t);
  execFileSync('mkfifo', [join(root, 'passwd')]);
  assert.equal(files.text('passwd'), null);
  files.write('passwd', 'mine', { mode: 0o600 });
  assert.equal(files.text('passwd'), 'mine');
});

// Only root can make such a link.
if (ME === 0) {
  test("machine files follow a link when it is root's", (t) => {
    const { files, root } = makeFiles(t);
    mkdirSync(join(root, 'large-disk'));
    symlinkSync(join(root, 'large-disk'), join(root, 'midge'));
    files.makeFolder('midge', RIGHTS);
    assert.ok(lstatSync(join(root, 'midge')).isSymbolicLink());
    assert.equal(lstatSync(join(root, 'large-disk')).uid, OTHER);
  });
}

test('machine files tell a file that cannot be read from one that is not there when it is going to be changed', (t) => {
  const { files } = makeFiles(t);
  assert.equal(files.textToChange('passwd'), null);
  const unreadable = 'x'.repeat(300);
  assert.equal(files.text(unreadable), null);
  assert.throws(() => files.textToChange(unreadable), { code: 'ENAMETOOLONG' });
});

function makeFiles(t: TestContext) {
  const root = temporaryFolder(t);
  const plant = (target: string, name: string) => {
    symlinkSync(join(root, target), join(root, name));
    if (ME === 0) lchownSync(join(root, name), OTHER, OTHER);
  };
  return { files: new MachineFiles(root), root, plant };
}
