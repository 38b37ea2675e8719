// What the executables are made of: this commit, the same bytes each time, and no library that a Raspberry Pi lacks.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { makeBinaries } from '../../build/binary.ts';
import { readStamp } from '../../build/bundle.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { findProgram } from '../support/process/foreign-program.ts';
import { EXECUTABLES, runBare } from './executable.ts';

/** LIBRARIES that every Debian with a C++ program has. */
const LIBRARIES = /^(ld-linux[-\w]*|lib(c|dl|m|pthread|gcc_s|stdc\+\+))\.so\.\d+$/;
const NEWEST_GLIBC = '2.28';

const built = EXECUTABLES.every(({ skip }) => skip === false || !skip.includes('make binary'));

test('makeBinaries gives the same bytes when it runs again', {
  skip: built ? false : 'dist is not complete, run make binary first',
}, async (t) => {
  const again = temporaryFolder(t);
  await makeBinaries(again);
  for (const { name, file } of EXECUTABLES) assert.equal(sha256(join(again, name)), sha256(file), `${name} differs from dist/`);
});

for (const { name, file, runner, skip } of EXECUTABLES) {
  test(`${name} says which commit it is when asked for its version`, { skip }, async (t) => {
    const { stdout, stderr, status } = await runBare(temporaryFolder(t), [...runner, file, 'version', '--json']);
    assert.equal(status, 0, stderr);
    const { version, commit, date } = JSON.parse(stdout) as Record<string, unknown>; // a JSON object, or the test fails below
    assert.deepEqual({ version, commit, date }, readStamp(), `dist/${name} is not of these sources, run make binary again`);
  });

  const noReadelf = findProgram('readelf') ? false : 'readelf is not installed (Debian package binutils)';
  test(`${name} needs glibc 2.28 and libstdc++ only when its libraries are listed`, { skip: skip || noReadelf }, () => {
    const dynamic = execFileSync('readelf', ['--dynamic', '--wide', file], { encoding: 'utf8' });
    const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((match) => match[1] ?? '');
    assert.notEqual(needed.length, 0, `no library found in ${basename(file)}`);
    assert.deepEqual(
      needed.filter((library) => !LIBRARIES.test(library)),
      [],
    );
    const symbols = execFileSync('readelf', ['--version-info', '--wide', file], { encoding: 'utf8', maxBuffer: 1e8 });
    const versions = [...symbols.matchAll(/GLIBC_(\d+\.\d+)/g)].map((match) => match[1] ?? '');
    assert.equal(versions.toSorted(byNumber).at(-1), NEWEST_GLIBC);
  });
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
