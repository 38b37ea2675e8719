// Refusals that cost nothing to make, one behind the other.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusalPacer } from '../../src/access/refusal-pacer.ts';
import { nextTurn } from '../support/broker/turns.ts';
import { TestClock } from '../support/ports/test-clock.ts';

test('pace lets one that comes alone go at once, and many one by one in the order of asking', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const pace = new RefusalPacer(new TestClock());
  await pace.turn();
  const order: number[] = [];
  const turns = Array.from({ length: 20 }, (_, index) => pace.turn().then(() => order.push(index)));
  for (let gone = 0; gone <= 20; gone++) {
    await nextTurn();
    assert.deepEqual(
      order,
      Array.from({ length: gone }, (_, index) => index),
      `after ${gone} ms`,
    );
    context.mock.timers.tick(1);
  }
  await Promise.all(turns);
});
