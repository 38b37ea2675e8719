// What a family is told about the wear of its card.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cardWear, isWearing } from '../../src/telemetry/card-wear.ts';

const GB = 1e9;

test('cardWear says in words how long a card lasts', () => {
  const text = (bytesPerDay: number | null, size: number | null) => cardWear(bytesPerDay, size).text;
  assert.match(text(20e6, 32 * GB), /^At this rate even a cheap card of this size \(32 GB\) lasts for more than 50 years/);
  assert.match(text(400e6, 32 * GB), /lasts for about 11 years\.$/);
  assert.match(text(10 * GB, 32 * GB), /may be worn out in about 5 months\. Use a larger card/);
  assert.match(text(1000 * GB, 8 * GB), /in about 1 month\. /);
  assert.match(text(0, 32 * GB), /more than 50 years/);
  assert.match(text(null, 32 * GB), /too early to say/);
  assert.match(text(20e6, null), /not known/);
});

test('cardWear asks for something to be done only when a card lasts for less than two years', () => {
  assert.deepEqual([cardWear(null, GB), cardWear(20e6, 32 * GB), cardWear(3 * GB, 32 * GB)].map(isWearing), [false, false, true]);
});
