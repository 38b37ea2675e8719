// A broker that cannot start leaves nothing behind that keeps the process alive.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatorError } from '../../src/base/errors.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';

test('a broker whose store cannot be opened ends its clockwork', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const openStore = () => Promise.reject(new OperatorError('it is the database of another program'));
  for (let times = 0; times < 3; times++) await assert.rejects(startTestBroker({ openStore }), /another program/);
  assert.equal(timers(), before);
});
