// The version of the sources.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildStamp } from '../../src/base/build-stamp.ts';

test('build stamp has the version of package.json when the sources run', () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  assert.equal(buildStamp().version, version);
  assert(Date.parse(buildStamp().date) < Date.now());
});
