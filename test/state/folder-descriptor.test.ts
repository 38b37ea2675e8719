// Work by descriptor in a folder where somebody else may write.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, linkSync, mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FolderDescriptor, giveIfRoots } from '../../src/state/folder-descriptor.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const NOBODY = 65534;
const NOT_ROOT = process.getuid?.() === 0 ? false : 'only root gives files away (run the tests as root)';

test('own folder is refused when a link stands in its place', (context) => {
  const path = temporaryFolder(context);
  symlinkSync('/etc', join(path, 'link'));
  assert.throws(() => FolderDescriptor.open(join(path, 'link')), /ELOOP|ENOTDIR/);
  const folder = open(context, path);
  assert.throws(() => folder.folder('link'), /ELOOP|ENOTDIR/);
});

test('own folder opens regular files only: no link, no hard link, no FIFO, nothing outside', (context) => {
  const path = temporaryFolder(context);
  const victim = join(temporaryFolder(context), 'victim');
  writeFileSync(victim, 'secret');
  symlinkSync(victim, join(path, 'link'));
  linkSync(victim, join(path, 'hard'));
  execFileSync('mkfifo', [join(path, 'fifo')]);
  writeFileSync(join(path, 'file'), '');
  const folder = open(context, path);
  assert.throws(() => folder.open('link', constants.O_RDWR), /ELOOP/);
  assert.throws(() => folder.open('hard', constants.O_RDWR), /it has other names/);
  assert.throws(() => folder.open('fifo', constants.O_RDONLY), /is no regular file/);
  for (const name of ['..', '.', '', '../victim']) assert.throws(() => folder.open(name, constants.O_RDONLY), /is not the name of a file/);
  closeSync(folder.open('file', constants.O_RDONLY));
});

test('own folder stays the one that was opened when another takes its name', (context) => {
  const path = temporaryFolder(context);
  mkdirSync(join(path, 'state'));
  const folder = open(context, join(path, 'state'));
  renameSync(join(path, 'state'), join(path, 'moved'));
  symlinkSync('/etc', join(path, 'state'));
  closeSync(folder.open('made', constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL));
  assert.equal(statSync(join(path, 'moved/made')).mode & 0o777, 0o600);
});

test('what root has made is given away, what only looks so is not', { skip: NOT_ROOT }, (context) => {
  const path = temporaryFolder(context);
  const outside = temporaryFolder(context);
  for (const name of ['victim', 'other']) writeFileSync(join(outside, name), '');
  mkdirSync(join(path, 'certificates/clients'), { recursive: true });
  writeFileSync(join(path, 'certificates/clients/phone.crt'), '');
  symlinkSync(join(outside, 'victim'), join(path, 'certificates/link'));
  symlinkSync(outside, join(path, 'certificates/folder'));
  linkSync(join(outside, 'other'), join(path, 'certificates/hard'));
  execFileSync('mkfifo', [join(path, 'certificates/fifo')]);
  const folder = open(context, path);
  for (const entry of folder.entries()) giveIfRoots(folder, entry, NOBODY, NOBODY);
  const owners = (base: string, names: readonly string[]) => names.map((name) => statSync(join(base, name)).uid);
  assert.deepEqual(owners(path, ['certificates', 'certificates/clients', 'certificates/clients/phone.crt']), [NOBODY, NOBODY, NOBODY]);
  assert.deepEqual(owners(outside, ['', 'victim', 'other']), [0, 0, 0]);
  assert.equal(statSync(join(path, 'certificates/fifo')).uid, 0);
});

function open(context: TestContext, path: string): FolderDescriptor {
  const folder = FolderDescriptor.open(path);
  context.after(() => folder.close());
  return folder;
}
