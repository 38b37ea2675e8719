// How far the axis of values of a chart goes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueRange } from '../../src/web/components/value-range.ts';

test('range has every value, with some room', () => {
  assert.deepEqual(valueRange([[21, 22, 21, 23]], false), [20.7, 23.3]);
  assert.deepEqual(
    valueRange(
      [
        [1, null, 2],
        [undefined, 10],
      ],
      true,
    ),
    [0, 11],
  );
  assert.deepEqual(valueRange([[-5, -1]], true), [-5, 1]);
});

test('values that do not differ lie in the middle', () => {
  assert.deepEqual(valueRange([[20]], false), [18, 22]);
  assert.deepEqual(valueRange([[0, 0]], false), [-1, 1]);
});

test('range of nothing is one', () => {
  assert.deepEqual(valueRange([], true), [0, 1]);
  assert.deepEqual(valueRange([[null]], false), [0, 1]);
});
