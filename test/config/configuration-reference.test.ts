// docs/configuration.md must say what the table of directives says.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { configurationReference, REFERENCE_FILE } from '../../build/configuration-reference.ts';

test('configuration reference is as the table when it was made by node build/configuration-reference.ts', () => {
  assert.equal(readFileSync(REFERENCE_FILE, 'utf8'), configurationReference());
});
