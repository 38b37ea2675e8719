// The bundle is the same wherever its checkout lies, and a command loads what it needs.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { bundle, MAIN, ROOT, readStamp } from '../build/bundle.ts';
import { temporaryFolder } from './support/disk/temporary-folder.ts';

/** The largest share of the program's bytes that a command may load which says something about itself. */
const SMALL_SHARE = 1 / 20;

const LOADED_MODULES = join(import.meta.dirname, 'support/process/loaded-modules.ts');

test('bundle does not tell in which folder it was made, and loads what a command needs', async (context) => {
  const folder = temporaryFolder(context);
  const files = await bundle(folder, readStamp());
  for (const name of files) {
    const at = readFileSync(join(folder, name), 'utf8').indexOf(`${ROOT}/`);
    assert.equal(at, -1, `${name} has it at ${at}`);
  }
  const sizeOf = (names: readonly string[]) => names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  for (const words of [['--version'], ['help', 'serve']]) {
    const share = sizeOf(loadedBy(context, folder, words)) / sizeOf(files);
    assert.ok(share > 0 && share < SMALL_SHARE, `midge ${words.join(' ')} loads ${(share * 100).toFixed(0)} % of the program`);
  }
});

/** loadedBy gives the names of the files of the bundle in `folder` that a command loads. */
function loadedBy(context: TestContext, folder: string, words: readonly string[]): string[] {
  const record = join(temporaryFolder(context), 'loaded');
  execFileSync(process.execPath, ['--import', LOADED_MODULES, join(folder, MAIN), ...words], {
    env: { ...process.env, LOADED_MODULES: record },
    stdio: 'pipe',
  });
  const modules = readFileSync(record, 'utf8').trim().split('\n');
  return modules.filter((url) => url.includes(folder)).map((url) => basename(url));
}
