// A phone that tells too much is kept within a bound, and the others are not kept out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptToday, MOST_PER_DAY } from '../../src/phones/kept-today.ts';

test('a phone is kept up to the number of a day, is said once to be beyond it, and is kept again on the next day', () => {
  const today = new KeptToday();
  const noon = Date.UTC(2026, 0, 1, 12);
  for (let index = 0; index < MOST_PER_DAY; index++) assert.equal(today.count('owntracks/jane/phone', noon), 'kept');
  assert.equal(today.count('owntracks/jane/phone', noon), 'first beyond');
  assert.equal(today.count('owntracks/jane/phone', noon), 'beyond');
  assert.equal(today.count('owntracks/john/phone', noon), 'kept');
  assert.equal(today.count('owntracks/jane/phone', noon + 43_200_000), 'kept');
});
