// What waits for the other broker: retained messages that were cleared meanwhile, expiry, and limits.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TestClock } from '../support/ports/test-clock.ts';
import { client, listening, publish } from './clients.ts';
import { frailWire } from './frail-wire.ts';
import { bridgeOptions, eventually, FARS, OTHER_MIDGE, startNear } from './scene.ts';

for (const far of FARS) {
  for (const version of [4, 5] as const) {
    it(`a retained message cleared while the link was down is cleared over there: ${far.name}, MQTT level ${version}`, async (test) => {
      const other = await far.start(test);
      const wire = await frailWire(test, other.port);
      const near = await startNear(test, [bridgeOptions(wire.port, ['# out 0 "" r/'], { versions: [version] })]);
      await near.connected();
      const there = await listening(test, other.port, 'r/#');
      for (const topic of ['gone', 'changed', 'stays']) await publish(test, near.port, topic, 'old', { qos: 0, retain: true });
      await there.got(3);
      wire.isOpen = false;
      wire.cut();
      await eventually(() => near.state().phase !== 'connected', 'the link is down');
      const publisher = await client(test, near.port);
      await publisher.publishAsync('gone', '', { qos: 0, retain: true });
      await publisher.publishAsync('changed', '', { qos: 0, retain: true });
      await publisher.publishAsync('changed', 'new', { qos: 1, retain: true });
      wire.isOpen = true;
      await near.connected();
      await eventually(() => there.received.some(({ topic, text }) => topic === 'r/gone' && text === ''), 'it is cleared');
      await eventually(() => there.received.some(({ topic, text }) => topic === 'r/changed' && text === 'new'), 'the new value comes');
      const late = await listening(test, other.port, 'r/#');
      await late.got(2);
      assert.deepEqual(late.received.map(({ topic, text, retain }) => `${topic} ${text} ${retain}`).sort(), [
        'r/changed new true',
        'r/stays old true',
      ]);
    });
  }
}

describe('a queue of a bridge', () => {
  it('drops messages that have waited too long, and those that are too many bytes, and counts them', async (test) => {
    const other = await OTHER_MIDGE.start(test);
    const wire = await frailWire(test, other.port);
    wire.isOpen = false;
    const clock = new TestClock();
    const options = bridgeOptions(wire.port, ['a/# out 1'], { queueExpiry: 60, maxQueuedBytes: 25 });
    const near = await startNear(test, [options], { clock });
    const there = await listening(test, other.port, 'a/#');
    const publisher = await client(test, near.port);
    for (const text of ['0123456789', '0123456789', '0123456789', 'one too many']) await publisher.publishAsync('a/old', text, { qos: 1 });
    assert.deepEqual([near.state().queued, near.state().dropped], [3, 1]);
    clock.advance(61_000);
    wire.isOpen = true;
    await near.connected();
    await publisher.publishAsync('a/new', 'new', { qos: 1 });
    await there.got(1);
    assert.deepEqual(there.texts(), ['new']);
    await eventually(() => near.state().queued === 0, 'its acknowledgement has come back');
  });
});
