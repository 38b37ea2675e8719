// One row for one cause.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Held, type Refused, rowsOf } from '../../src/web/refusal-rows.ts';

function refused(given: Partial<Refused>): Refused {
  return {
    ...{
      cause: 'credentials',
      what: 'wrong password',
      address: '192.0.2.7',
      listenerPort: 1883,
      clientId: '',
      username: 'lamp',
      topicName: null,
    },
    ...{ reason: 'gives a wrong password', values: {}, advice: null, adviceCode: 'new password', adviceValues: {} },
    ...{ first: 1, last: 1, count: 1, settled: null, isBrowser: false },
    ...given,
  };
}

const UNSEEN = { cause: 'held', what: '', reason: 'is held', adviceCode: 'held' } as const;
const HOLD: Held = { address: '192.0.2.7', username: 'lamp', failures: 7, until: 1000 };

function shownOf(rows: ReturnType<typeof rowsOf>) {
  return rows.map(({ refusal, held, count, clientIds }) => [
    refusal?.cause ?? null,
    refusal?.last ?? null,
    held?.failures ?? null,
    count,
    clientIds,
  ]);
}

test('wrong passwords, what was refused unseen after them, and the hold are one row', () => {
  const refusals = [
    refused({ clientId: 'lamp-1', count: 3, last: 5 }),
    refused({ ...UNSEEN, clientId: 'lamp-2', count: 20, last: 9 }),
    refused({ what: 'unknown user', clientId: 'lamp-1', last: 2 }),
  ];
  assert.deepEqual(shownOf(rowsOf(refusals, [HOLD])), [['credentials', 9, 7, 24, ['lamp-2', 'lamp-1']]]);
  assert.equal(rowsOf(refusals, [HOLD])[0]?.refusal?.what, 'wrong password');
  assert.deepEqual(shownOf(rowsOf(refusals, [])), [['credentials', 9, null, 24, ['lamp-2', 'lamp-1']]]);
});

test('other users, addresses and causes have rows of their own, and so has the page', () => {
  const refusals = [
    refused({ last: 1 }),
    refused({ username: 'jane', last: 2 }),
    refused({ address: '192.0.2.8', last: 3 }),
    refused({ cause: 'page', last: 4 }),
    refused({ cause: 'page', what: 'no role', last: 5 }),
    refused({ cause: 'topic', topicName: 'a', what: 'no rule', last: 6 }),
    refused({ cause: 'topic', topicName: 'b', what: 'no rule', last: 7 }),
    refused({ cause: 'held', what: '', username: null, last: 8 }),
  ];
  assert.deepEqual(
    rowsOf(refusals, []).map(({ refusal }) => refusal?.last),
    [8, 7, 6, 5, 4, 3, 2, 1],
  );
});

test('hold belongs to the wrong passwords that began it, and not to what was refused unseen elsewhere', () => {
  const refusals = [refused({ last: 1 }), refused({ cause: 'page', what: 'held', last: 9 })];
  assert.deepEqual(
    rowsOf(refusals, [HOLD]).map(({ refusal, held }) => [refusal?.cause, held]),
    [
      ['credentials', HOLD],
      ['page', null],
    ],
  );
});

test('hold of an address or of a user is a row of its own, before all others', () => {
  const ofAddress = { ...HOLD, username: null };
  const ofUser = { ...HOLD, address: null };
  const rows = rowsOf([refused({})], [ofAddress, ofUser, HOLD]);
  assert.deepEqual(
    rows.map(({ refusal, held }) => [refusal === null, held]),
    [
      [true, ofAddress],
      [true, ofUser],
      [false, HOLD],
    ],
  );
  assert.equal(new Set(rows.map(({ key }) => key)).size, 3);
});
