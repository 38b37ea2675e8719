// A little of every target of the fuzzer in each run of the tests, from a new seed each time. `npm run fuzz` does more of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hunt } from './hunt.ts';
import { TARGETS } from './targets.ts';

/** Inputs for each target, or fewer where they take longer than some seconds. */
const INPUTS = 5000;
const SECONDS = 8;

for (const target of TARGETS) {
  test(`fuzzer finds nothing when it feeds ${target.name} with ${target.what}`, async () => {
    const seed = Math.floor(Math.random() * 1e9);
    const report = await hunt(target, { seed, inputs: INPUTS, seconds: SECONDS });
    assert.deepEqual(report.finding, null, `seed ${seed}`);
    assert.ok(report.inputs > 0, 'nothing was fed');
  });
}

test('fuzzer tells the input and the way to it when a target throws, and when it grows', async () => {
  const { default: fc } = await import('fast-check');
  const kept: Buffer[] = [];
  const fragile = { name: 'fragile', what: '', input: fc.nat(100_000), open: () => ({ feed, close: () => {} }) };
  const feed = (value: number) => {
    if (value > 900) throw new Error(`${value} is too much`);
    return 1;
  };
  const { finding } = await hunt(fragile, { seed: 1, inputs: 1000, seconds: 60 });
  assert.equal(finding?.input, '901');
  const again = await hunt(fragile, { seed: finding.seed, path: finding.path, inputs: 1000, seconds: 60 });
  assert.equal(again.finding?.input, '901');
  const leaky = {
    ...fragile,
    open: () => ({ feed: (value: number) => Math.sign(kept.push(Buffer.alloc(10_000, value))), close: () => {} }),
  };
  const grown = await hunt(leaky, { seed: 1, inputs: 10_000, seconds: 60 });
  assert.match(grown.finding?.reason ?? '', /^memory grew by \d+ KiB/);
});
