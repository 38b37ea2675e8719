// Bridges as doors show and try them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrialStep } from '../../src/bridges/trial.ts';
import { operationsOn } from './test-operations.ts';

const STATE = {
  name: 'cloud',
  topics: [{ pattern: 'a/#', direction: 'out', qos: 1, localPrefix: 'home/', remotePrefix: 'cellar/' }],
  phase: 'waiting',
  since: 1_800_000_000_000,
  nextAttempt: 1_800_000_005_000,
  address: 'mqtt.example:8883',
  lastError: { fault: 'tls', words: 'the certificate is of another', advice: null, at: 1_800_000_000_000 },
  refusedFilters: ['a/#'],
  received: 1,
  sent: 2,
  dropped: 3,
  queued: 4,
  oldestQueued: null,
} as const;

test('bridges are listed with their last trouble in words', async () => {
  const [bridge] = await operationsOn({ bridges: [STATE] })('bridges', {}, 'viewer');
  assert.deepEqual(bridge, {
    ...STATE,
    topics: [{ filter: 'home/a/#', remote: 'cellar/a/#', direction: 'out', qos: 1 }],
    since: '2027-01-15T08:00:00Z',
    nextAttempt: '2027-01-15T08:00:05Z',
    lastError: { ...STATE.lastError, at: '2027-01-15T08:00:00Z' },
  });
});

test('bridge is tried step by step, and one that is not there is not found', async () => {
  const step: TrialStep = { step: 'name', ok: false, text: 'the name is not known' };
  const tryBridge = async (name: string, say: (step: TrialStep) => void) => {
    if (name !== 'cloud') return null;
    say(step);
    return false;
  };
  const ask = operationsOn({ tryBridge });
  assert.deepEqual(await ask('test bridge', { name: 'cloud' }, 'operator'), { name: 'cloud', ok: false, steps: [step] });
  await assert.rejects(ask('test bridge', { name: 'other' }), { reason: 'not found' });
});
