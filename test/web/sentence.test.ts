// What the box says, as a sentence of the page.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asSentence } from '../../src/web/sentence.ts';

test('words begin and end as a sentence does, and a name at the beginning stays as it is', () => {
  assert.equal(asSentence('no broker listens at 192.0.2.1:1883'), 'No broker listens at 192.0.2.1:1883.');
  assert.equal(asSentence('über TLS: nein'), 'Über TLS: nein.');
  assert.equal(asSentence('l’autre broker refuse'), 'L’autre broker refuse.');
  assert.equal(asSentence('vm.local is not known'), 'vm.local is not known.');
  assert.equal(asSentence('It waits. It tries again!'), 'It waits. It tries again!');
});
