// "Did you mean": near words are found, far ones are not guessed at.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { closestWord } from '../../src/base/closest-word.ts';

const WORDS = ['listener', 'max_connections', 'port', 'protocol', 'password'];

const CASES: readonly (readonly [string, string | null])[] = [
  ['listner', 'listener'],
  ['max_conection', 'max_connections'],
  ['prot', 'port'],
  ['PORT', 'port'],
  ['passwrod', 'password'],
  ['xyzzy', null],
  ['po', null],
  ['', null],
];

for (const [word, closest] of CASES) {
  test(`closestWord gives ${closest} when "${word}" was written`, () => assert.equal(closestWord(word, WORDS), closest));
}

test('closestWord gives the first candidate when two are equally near', () => {
  assert.equal(closestWord('cat', ['car', 'cap']), 'car');
});
