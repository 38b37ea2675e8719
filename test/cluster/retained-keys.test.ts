// Two brokers never give two values of a topic the same key, also where both count on from one that they have heard of.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SharedRetained } from '../../src/cluster/retained.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';
import { nextTurn } from '../support/broker/turns.ts';

/** A key of a clock that is hours ahead. */
const AHEAD = (Date.now() + 36_000_000) * 1024;

async function scene(t: TestContext, id: string) {
  const { broker, stop } = await startTestBroker();
  t.after(stop);
  const told: Buffer[] = [];
  const values = new SharedRetained({ broker, id, tell: (records) => told.push(records), noRoom: () => {} });
  values.begin();
  broker.keys.raise(AHEAD);
  broker.publish({ ...{ cmd: 'publish', topic: 'x', payload: Buffer.from(`of ${id}`) }, qos: 0, retain: true, dup: false });
  await nextTurn();
  return { broker, values, told };
}

test('brokers that both count on from a key ahead of their clocks agree on a value', async (t) => {
  const [a, b] = [await scene(t, 'a'), await scene(t, 'b')];
  for (const records of a.told) b.values.take(records);
  for (const records of b.told) a.values.take(records);
  assert.equal(a.broker.retained.get('x')?.payload.toString(), b.broker.retained.get('x')?.payload.toString());
  assert.equal(a.values.digest, b.values.digest);
});
