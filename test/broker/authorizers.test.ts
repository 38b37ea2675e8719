// What stands on top of an authorizer hides none of its answers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { createBridges } from '../../src/bridges/bridges.ts';
import { exempting, overruling } from '../../src/broker/authorizers.ts';
import type { Authorizer } from '../../src/broker/ports.ts';
import { SelfTestLogin } from '../../src/service/self-test-login.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';

const CLIENT = { clientId: 'phone', username: 'jane', listener: '1883' };
const no = () => false;
const NOTHING: Authorizer = { mayPublish: no, mayReceive: no, maySubscribe: no, mayUnsubscribe: no };

/** What a client may do with a topic, question by question. */
function answers(authorizer: Authorizer | null, requester = CLIENT): (boolean | undefined)[] {
  return [
    authorizer?.mayPublish(requester, 't'),
    authorizer?.mayReceive(requester, 't'),
    authorizer?.maySubscribe(requester, 't'),
    authorizer?.mayUnsubscribe?.(requester, 't'),
  ];
}

test('overruling passes on each question that it has no answer of its own to, and lets everybody do what nobody decides', () => {
  assert.deepEqual(answers(overruling(NOTHING, {})), [false, false, false, false]);
  assert.deepEqual(answers(overruling(null, {})), [true, true, true, true]);
  assert.deepEqual(answers(overruling(NOTHING, { mayPublish: () => true })), [true, false, false, false]);
});

test('exempting frees those that are named and nobody else', () => {
  const free = exempting(NOTHING, ({ username }) => username === 'box');
  assert.deepEqual(answers(free), [false, false, false, false]);
  assert.deepEqual(answers(free, { ...CLIENT, username: 'box' }), [true, true, true, true]);
  assert.equal(exempting(null, no), null);
});

test('the test of itself and bridges leave the rules for others whole, that of unsubscribing too', async () => {
  await using broker = await startTestBroker();
  const bridges = createBridges([], { broker: broker.broker, clock: systemClock, log: silentLogger, tlsFor: () => null });
  assert.deepEqual(answers(bridges.authorizer(NOTHING)), [false, false, false, false]);
  assert.deepEqual(answers(new SelfTestLogin().authorizer(NOTHING)), [false, false, false, false]);
});
