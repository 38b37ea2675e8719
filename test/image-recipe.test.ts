// The recipe of the image, as far as it shows before anything is made.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from './support/disk/temporary-folder.ts';

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
