// Since when the oldest message waits.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QueueAge } from '../../src/bridges/queue-age.ts';

const waiting = (oldestOrder: number | null, newestOrder: number) => ({ oldestOrder, newestOrder });

test('age of a queue is that of its oldest message while others come and go', () => {
  const age = new QueueAge();
  age.note(waiting(null, 7), 1000);
  assert.equal(age.oldest(waiting(null, 7), 1500), null);
  assert.equal(age.oldest(waiting(8, 8), 1500), 1500, 'it has just come');
  age.note(waiting(8, 8), 2000);
  age.note(waiting(8, 20), 3000);
  age.note(waiting(8, 20), 4000);
  assert.equal(age.oldest(waiting(8, 20), 4500), 2000);
  assert.equal(age.oldest(waiting(9, 20), 4500), 3000);
  age.note(waiting(21, 30), 5000);
  assert.equal(age.oldest(waiting(21, 30), 5500), 5000, 'it is never empty, and never old');
});

test('age of a queue is known although it grows for long', () => {
  const age = new QueueAge();
  for (let second = 1; second <= 5000; second++) age.note(waiting(1, second), second * 1000);
  assert.equal(age.oldest(waiting(1, 5000), 5_000_000), 1000);
  const late = age.oldest(waiting(4000, 5000), 5_000_000)!;
  assert.ok(late >= 3_900_000 && late <= 4_100_000, `${late}`);
});
