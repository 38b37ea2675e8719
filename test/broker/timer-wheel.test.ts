// The clockwork: nothing too early, nothing forgotten, however far away.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimerWheel } from '../../src/broker/timer-wheel.ts';
import { TestClock } from '../support/ports/test-clock.ts';

function turn(wheel: TimerWheel, clock: TestClock, seconds: number): void {
  clock.advance(seconds * 1000);
  wheel.advance();
}

test('TimerWheel fires a timer after its seconds and not before', () => {
  const clock = new TestClock();
  const wheel = new TimerWheel(clock);
  let fired = 0;
  wheel.after(3, () => fired++);
  turn(wheel, clock, 2.9);
  assert.equal(fired, 0);
  turn(wheel, clock, 0.2);
  assert.equal(fired, 1);
  turn(wheel, clock, 1000);
  assert.equal(fired, 1);
});

test('TimerWheel fires a timer that is many rounds of the wheel away at its time', () => {
  const clock = new TestClock();
  const wheel = new TimerWheel(clock);
  let fired = 0;
  wheel.after(86_400, () => fired++);
  for (let hour = 0; hour < 23; hour++) turn(wheel, clock, 3600);
  assert.equal(fired, 0);
  turn(wheel, clock, 3600.5);
  assert.equal(fired, 1);
});

test('TimerWheel does not fire a timer that was cancelled', () => {
  const clock = new TestClock();
  const wheel = new TimerWheel(clock);
  const timer = wheel.after(1, () => assert.fail('fired'));
  wheel.cancel(timer);
  turn(wheel, clock, 5);
});

test('TimerWheel runs timers that a timer hangs up, each at its own time', () => {
  const clock = new TestClock();
  const wheel = new TimerWheel(clock);
  const seen: string[] = [];
  wheel.after(1, () => {
    seen.push('first');
    wheel.after(1, () => seen.push('second'));
  });
  turn(wheel, clock, 1.25);
  assert.deepEqual(seen, ['first']);
  turn(wheel, clock, 1.5);
  assert.deepEqual(seen, ['first', 'second']);
});
