// What the local network calls a machine.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostNameOf, labelOf } from '../../src/base/network-label.ts';

test('labelOf keeps a suffix whole and fits 63 bytes when the name is long [RFC 1035 2.3.4]', () => {
  const label = labelOf('é'.repeat(60), ' (12)');
  assert.ok(Buffer.byteLength(label) <= 63);
  assert.match(label, /^é+ \(12\)$/);
});

test('labelOf makes a usable label of dots, control characters and nothing', () => {
  assert.equal(labelOf('my.home\n broker', ''), 'my-home broker');
  assert.equal(labelOf(' ', ''), 'midge');
});

test('hostNameOf puts the first label under local, numbered when it is taken [RFC 6762 9]', () => {
  assert.equal(hostNameOf('kitchen.example.org', 1), 'kitchen.local');
  assert.equal(hostNameOf('kitchen', 2), 'kitchen-2.local');
});
