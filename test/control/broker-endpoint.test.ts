// What one message may ask of $CONTROL/broker/v1.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBrokerEndpoint } from '../../src/control/broker-endpoint.ts';

test('one message has a thousand commands answered at most, as by dynamic security', async () => {
  const endpoint = createBrokerEndpoint({ listeners: () => [], hasDynamicSecurity: () => false });
  const counts: number[] = [];
  const commands = Array.from({ length: 5000 }, () => ({ command: 'listListeners' }));
  await endpoint.run(commands, { clientId: 'x', username: null } as never, (answers) => counts.push(answers.length)); // it is not looked at
  assert.deepEqual(counts, [1000]);
});
