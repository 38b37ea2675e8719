// How long a message may wait for the other broker, and when a change of a bridge's block takes effect.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../support/network/free-ports.ts';
import { TestClock } from '../support/ports/test-clock.ts';
import { listening, publish } from './clients.ts';
import { bridgeOptions, eventually, OTHER_MIDGE, startNear } from './scene.ts';

const HOUR_MS = 3_600_000;

test('bridge drops what has waited longer than bridge_queue_expiry, and carries the rest', async (context) => {
  const port = await freePort();
  const clock = new TestClock();
  const near = await startNear(context, [bridgeOptions(port, ['a/# out 1'], { queueExpiry: 3600 })], { clock });
  await publish(context, near.port, 'a/x', 'old', { qos: 1 });
  assert.equal(near.state().queued, 1);
  clock.advance(HOUR_MS / 2);
  await publish(context, near.port, 'a/x', 'young', { qos: 1 });
  clock.advance(HOUR_MS / 2);
  await publish(context, near.port, 'a/x', 'new', { qos: 1 });
  await eventually(() => near.state().queued === 2 && near.state().dropped === 1, 'the old one goes');
  const other = await OTHER_MIDGE.start(context, port);
  const there = await listening(context, other.port, 'a/#');
  await near.connected();
  await there.got(2);
  assert.deepEqual(there.texts(), ['young', 'new']);
});

test('bridge drops what is overdue although nothing new comes', async (context) => {
  const clock = new TestClock();
  const near = await startNear(context, [bridgeOptions(await freePort(), ['a/# out 1'], { queueExpiry: 3600 })], { clock });
  await publish(context, near.port, 'a/x', 'old', { qos: 2 });
  clock.advance(HOUR_MS);
  await eventually(() => near.state().queued === 0 && near.state().dropped === 1, 'the message goes');
});

test('bridge with bridge_reload_type lazy takes a change over when it connects the next time', async (context) => {
  const port = await freePort();
  const other = await OTHER_MIDGE.start(context, port);
  const options = bridgeOptions(port, ['a/# out 1'], { reload: 'lazy' });
  const near = await startNear(context, [options]);
  await near.connected();
  const { since } = near.state();
  near.bridges.use([bridgeOptions(port, ['b/# out 1'], { reload: 'lazy' })]);
  const first = await listening(context, port, '+/x');
  await publish(context, near.port, 'b/x', 'not yet', { qos: 1 });
  await publish(context, near.port, 'a/x', 'still', { qos: 1 });
  await first.got(1);
  assert.deepEqual(first.texts(), ['still']);
  assert.equal(near.state().since, since);
  await other.stop();
  await eventually(() => near.state().phase !== 'connected', 'it notices');
  await OTHER_MIDGE.start(context, port);
  const second = await listening(context, port, '+/x');
  await near.connected();
  await publish(context, near.port, 'a/x', 'no more', { qos: 1 });
  await publish(context, near.port, 'b/x', 'now', { qos: 1 });
  await second.got(1);
  assert.deepEqual(second.texts(), ['now']);
});
