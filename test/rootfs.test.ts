// What lies on the appliance's disk is what the program accepts.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfiguration } from '../src/config/config.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const FILE = join(import.meta.dirname, '../rootfs/etc/midge/midge.conf');

test('midge.conf leaves the embedded defaults when it is taken as it stands', () => {
  const { configuration, diagnostics } = loadConfiguration({ file: FILE, port: null, verbose: false, lan: false });
  assert.deepEqual(diagnostics, []);
  assert.equal(configuration?.localOnly, true);
});

test('midge.conf is accepted without a warning when every # before a setting is removed', (t) => {
  const file = join(temporaryFolder(t), 'midge.conf');
  const text = readFileSync(FILE, 'utf8').replace(/^#(?=[a-z_]+ )/gm, '');
  writeFileSync(file, text, { mode: 0o600 });
  const { configuration, diagnostics } = loadConfiguration({ file, port: null, verbose: false, lan: false });
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(configuration?.listeners.map((each) => each.port).sort(), [1883, 8083, 8883]);
});
