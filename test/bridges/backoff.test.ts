// How long a bridge waits before it tries again.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Backoff } from '../../src/bridges/backoff.ts';

it('waits always as long with one time', () => {
  const backoff = new Backoff({ base: 7, cap: 7, stable: 0 }, () => 0.1);
  assert.deepEqual([backoff.next(0), backoff.next(0), backoff.next(5)], [7000, 7000, 7000]);
});

it('waits a part of a time that doubles up to the cap, and begins anew after a stable connection', () => {
  const backoff = new Backoff({ base: 5, cap: 30, stable: 10 }, () => 1);
  assert.deepEqual(
    [backoff.next(0), backoff.next(0), backoff.next(0), backoff.next(0), backoff.next(9000)],
    [5000, 10_000, 20_000, 30_000, 30_000],
  );
  assert.equal(backoff.next(10_000), 5000);
});

it('does not try again at once, whatever chance says', () => {
  assert.equal(new Backoff({ base: 5, cap: 30, stable: 0 }, () => 0).next(0), 250);
});
