// What make bench writes into docs/speed.md.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withMeasured } from './speed-page.ts';

const PAGE = 'before\n<!-- measured: written by make bench -->\n\nold\n<!-- end of what was measured -->\nafter\n';

test('a measurement takes the place of the one before, and nothing else', () => {
  const page = withMeasured(PAGE, 'new');
  assert.equal(page, PAGE.replace('old', 'new'));
  assert.equal(withMeasured(page, 'new'), page);
});

test('a page without the marks is left alone', () => {
  assert.throws(() => withMeasured('a page', 'new'), RangeError);
});
