// What keeps a program that has given up root from beginning anew.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type RestartFacts, restartFault } from '../../src/app/restart-fault.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { configurationOf } from './test-configuration.ts';

function factsOf(folder: string, text: string, named: readonly string[] = []): RestartFacts {
  const configuration = configurationOf(folder, text);
  const listeners = configuration.listeners.map((options) => ({ options, port: options.policy.port }));
  return { configuration, listeners, namedFiles: () => named, program: [process.execPath] };
}

test('restartFault finds nothing where all ports are free for every user and all files can be read', (context) => {
  const folder = temporaryFolder(context);
  writeFileSync(join(folder, 'passwd'), '');
  assert.equal(restartFault(factsOf(folder, 'listener 18830\nallow_anonymous true\n', [join(folder, 'passwd')])), null);
});

test('restartFault names a port of root, and what cannot be read or written', (context) => {
  const folder = temporaryFolder(context);
  assert.deepEqual(restartFault(factsOf(folder, 'listener 18830\nlistener 443\n'))?.what, 'open port 443');
  const gone = join(folder, 'gone');
  assert.deepEqual(restartFault(factsOf(folder, 'listener 18830\n', [gone]))?.what, `read "${gone}"`);
  assert.deepEqual(restartFault(factsOf(folder, `listener 18830\npid_file ${gone}/midge.pid\n`))?.what, `write "${gone}"`);
});
