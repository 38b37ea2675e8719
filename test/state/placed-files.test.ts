// Files outside the state folder: what a list in somebody else's folder makes root do, and what stays of what was there.

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { finishFiles, PlacedFiles } from '../../src/state/placed-files.ts';
import { moveAside } from '../../src/store/file-names.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const STAMP = '20260131T235959Z';

test('a list that somebody has made renames nothing in a folder where each user may change only their own files, such as /tmp', (t) => {
  const folder = join(temporaryFolder(t), 'tmp');
  mkdirSync(folder);
  chmodSync(folder, 0o1777);
  writeFileSync(join(folder, 'theirs'), 'theirs');
  writeFileSync(join(folder, `theirs.restoring-${STAMP}`), 'planted');
  for (const isBegun of [true, false]) finishFiles([join(folder, 'theirs')], STAMP, isBegun, moveAside);
  assert.equal(readFileSync(join(folder, 'theirs'), 'utf8'), 'theirs');
  assert.deepEqual(readdirSync(folder).sort(), ['theirs', `theirs.restoring-${STAMP}`]);
});

test('a link that leads nowhere is kept aside, and comes back when what took its place is taken back', (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'midge.conf');
  symlinkSync('/srv/not-mounted/midge.conf', path);
  const files = new PlacedFiles(STAMP, moveAside);
  files.prepare([{ path, content: Buffer.from('new'), mode: 0o644 }]);
  assert.deepEqual(files.place(), [{ path, aside: `${path}.before-${STAMP}` }]);
  assert.equal(readlinkSync(`${path}.before-${STAMP}`), '/srv/not-mounted/midge.conf');
  files.undo();
  assert.equal(readlinkSync(path), '/srv/not-mounted/midge.conf');
});
