// Passwords from files: what goes wrong is the operator's to mend, in every program that reads one.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { OperatorError } from '../../src/base/errors.ts';
import { readPasswordFile } from '../../src/terminal/passwords.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

test('password is the first line of its file', (context) => {
  const file = join(temporaryFolder(context), 'password');
  writeFileSync(file, 'secret\r\nnot this\n');
  assert.equal(readPasswordFile(file), 'secret');
});

for (const [what, text, expected] of [
  ['is not there', null, /^Error: Unable to read password file ".*": ENOENT/],
  ['is empty', '\n', /^Error: Password file ".*" is empty\.$/],
] as const) {
  test(`password file that ${what} is a mistake of the operator, not of the program`, (context) => {
    const file = join(temporaryFolder(context), 'password');
    if (text !== null) writeFileSync(file, text);
    assert.throws(
      () => readPasswordFile(file),
      (error) => error instanceof OperatorError && expected.test(error.message),
    );
  });
}
