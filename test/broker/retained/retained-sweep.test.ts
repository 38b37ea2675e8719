// Expired retained messages go in slices.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Message } from '../../../src/broker/message.ts';
import { DEFAULT_BROKER_OPTIONS } from '../../../src/broker/options.ts';
import { RetainedMessages } from '../../../src/broker/retained/retained-messages.ts';
import { RetainedSweep } from '../../../src/broker/retained/retained-sweep.ts';
import { TimerWheel } from '../../../src/broker/timer-wheel.ts';
import { makeTopic } from '../../../src/broker/topic.ts';
import { nextTurn, until } from '../../support/broker/turns.ts';
import { TestClock } from '../../support/ports/test-clock.ts';

interface Scene {
  readonly retained: RetainedMessages;
  readonly sweep: RetainedSweep;
}

function scene(options: Partial<typeof DEFAULT_BROKER_OPTIONS> = {}): Scene {
  const clock = new TestClock();
  const retained = new RetainedMessages();
  const sweep = new RetainedSweep({
    ...{ clock, retained, journal: null, wheel: new TimerWheel(clock) },
    options: { ...DEFAULT_BROKER_OPTIONS, ...options },
  });
  clock.advance(1_000_000);
  return { retained, sweep };
}

function keep({ retained }: Scene, topicName: string, expiresAt?: number): void {
  retained.set(
    Message.of({
      topic: makeTopic(topicName),
      qos: 0,
      retain: true,
      payload: Buffer.from('x'),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    }),
  );
}

test('a sweep deletes what has expired, below $ too, and nothing else', () => {
  const here = scene();
  keep(here, 'old', 1000);
  keep(here, '$home/old', 1000);
  keep(here, 'young', Number.MAX_SAFE_INTEGER);
  keep(here, '$SYS/eternal');
  here.sweep.begin();
  assert.deepEqual(
    [...here.retained.values()].map(({ topicName }) => topicName),
    ['young', '$SYS/eternal'],
  );
});

test('a sweep of many messages lets others have their turn, and comes to its end', async () => {
  const here = scene();
  for (let at = 0; at < 20_000; at++) keep(here, `old/${at % 100}/${at}`, at % 2 === 0 ? 1000 : undefined);
  here.sweep.begin();
  const after = here.retained.count;
  assert.ok(after > 15_000 && after < 20_000, `${after} are left after the first slice`);
  await nextTurn();
  assert.ok(here.retained.count > 10_000, 'the second slice is not the last');
  await until(() => here.retained.count === 10_000);
});

test('a sweep ends with the broker', async () => {
  const here = scene();
  for (let at = 0; at < 20_000; at++) keep(here, `old/${at}`, 1000);
  here.sweep.begin();
  const after = here.retained.count;
  here.sweep.end();
  for (let turn = 0; turn < 10; turn++) await nextTurn();
  assert.equal(here.retained.count, after);
});
