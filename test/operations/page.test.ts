// Pages of a list that changes while it is read.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Page, takePage } from '../../src/operations/page.ts';

const same = (text: string) => text;

test('pages give every entry once, in the order of the keys, and the last one has no cursor', () => {
  const entries = ['d', 'a', '', 'c', 'b'];
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<string> = takePage(entries, { limit: 2, cursor }, same, same);
    assert.equal(page.total, 5);
    seen.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== null);
  assert.deepEqual(seen, ['', 'a', 'b', 'c', 'd']);
});

test('pages go on behind their cursor although its entry has gone and others came before it', () => {
  const { cursor } = takePage(['a', 'b', 'c', 'd'], { limit: 2 }, same, same);
  assert.deepEqual(takePage(['0', 'a', 'c', 'd'], { limit: 2, cursor }, same, same), { items: ['c', 'd'], cursor: null, total: 4 });
});

test('pages refuse a cursor that none ended with, and name the field', () => {
  for (const cursor of ['', '7', '!', 'aw==']) {
    const message = 'Cannot go on at this cursor: no page ended with it';
    const failure = { reason: 'bad input', faults: [{ path: ['cursor'], message }] };
    assert.throws(() => takePage(['a'], { limit: 1, cursor }, same, same), failure, cursor);
  }
});
