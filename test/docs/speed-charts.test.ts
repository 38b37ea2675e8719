// The pictures of docs/speed.md show what its tables say.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { SPEED_CHARTS } from '../../build/speed-charts.ts';

for (const { file, draw } of SPEED_CHARTS) {
  test(`${basename(file)} is as the table when it was made by node build/speed-charts.ts`, () => {
    const picture = draw();
    assert.equal(readFileSync(file, 'utf8'), picture);
    assert.ok([...picture.matchAll(/<(rect|circle) /g)].length > 10, 'it shows figures');
  });
}
