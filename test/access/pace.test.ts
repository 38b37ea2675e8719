// Refusals that cost nothing to make, one behind the other.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from '../../src/access/pace.ts';
import { systemClock } from '../../src/base/clock.ts';

test('pace lets one that comes alone go at once, and many one by one in the order of asking', async () => {
  const pace = new Pace(systemClock);
  const order: number[] = [];
  const began = performance.now();
  await pace.turn();
  await Promise.all(Array.from({ length: 20 }, (_, index) => pace.turn().then(() => order.push(index))));
  assert.ok(performance.now() - began >= 19, 'a millisecond each');
  assert.deepEqual(
    order,
    order.toSorted((one, other) => one - other),
  );
  assert.equal(order.length, 20);
});
