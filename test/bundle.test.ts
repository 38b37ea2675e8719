// The bundle is the same wherever its checkout lies.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bundle, bundlePackages, PACKAGES_APART, ROOT, readStamp } from '../build/bundle.ts';
import { temporaryFolder } from './support/disk/temporary-folder.ts';

test('bundle does not tell in which folder it was made', async (context) => {
  const folder = temporaryFolder(context);
  const stamp = readStamp();
  await bundle({ entry: join(ROOT, 'src/main.ts'), outfile: join(folder, 'main.cjs'), stamp });
  await bundlePackages(folder, stamp);
  for (const name of ['main.cjs', ...Object.values(PACKAGES_APART)]) {
    const at = readFileSync(join(folder, name), 'utf8').indexOf(`${ROOT}/`);
    assert.equal(at, -1, `${name} has it at ${at}`);
  }
});
