// What `midge install` says before it looks at the machine's own things.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runMidge } from '../support/process/command-line.ts';

test('install takes no password from the command line, and does not repeat it', async () => {
  const { status, stdout, stderr } = await runMidge(['install', '--dry-run', '--user', 'jane:secret']);
  assert.notEqual(status, 0);
  assert.match(stderr, /Cannot take a password from the command line.*--password-file/);
  assert.ok(!`${stdout}${stderr}`.includes('secret'));
});
