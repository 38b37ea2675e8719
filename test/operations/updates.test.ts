// Updates of midge as operations: what is told, who may ask for what, and where nothing can be installed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperationNeeds } from '../../src/operations/needs.ts';
import type { UpdatesState } from '../../src/updates/updates.ts';
import { operationsOn } from './test-operations.ts';

const PROGRAM = { title: 'midge version 1.0.0', buildDate: Date.UTC(2026, 0, 1), since: 0 };
const ATTEMPT = { at: '2026-02-02T03:00:00.123Z', from: '1.0.0', to: '1.1.0', outcome: 'failed', reason: 'It fell.' } as const;
const STATE: UpdatesState = {
  options: { mode: 'check', url: 'https://example.org/midge/', window: { from: 180, to: 1439 }, account: null },
  current: '1.0.0',
  way: 'service',
  newest: { version: '1.1.0', date: '2026-02-01T00:00:00.000Z', notes: 'New.', isNewer: true },
  checked: { at: Date.UTC(2026, 1, 2), fault: null },
  nextCheck: null,
  progress: null,
  last: { ...ATTEMPT, hasBegun: true },
};

function askOn(change: Partial<UpdatesState> = {}) {
  const asked: string[] = [];
  const updates: OperationNeeds['updates'] = async () => ({
    state: { ...STATE, ...change },
    check: async () => void asked.push('check'),
    install: async (report) => {
      report({ step: 'fetching', version: '1.1.0', bytes: 1, size: 2 });
      asked.push('install');
      return { ...ATTEMPT, hasBegun: true };
    },
  });
  return { ask: operationsOn({ updates, program: PROGRAM }), asked };
}

test('updates tells what is known, and asks nobody', async () => {
  const { ask, asked } = askOn();
  const known = await ask('updates', {}, 'viewer');
  assert.deepEqual(known.window, { from: '03:00', to: '23:59' });
  assert.deepEqual([known.built, known.newest.version, known.checked.at], ['2026-01-01T00:00:00Z', '1.1.0', '2026-02-02T00:00:00Z']);
  assert.equal(known.last.at, '2026-02-02T03:00:00Z');
  assert.deepEqual(asked, []);
});

test('a look is for operators, an installation for admins, and neither takes any input', async () => {
  const { ask, asked } = askOn();
  await assert.rejects(ask('check updates', {}, 'viewer'), /needs the right "operator"/);
  await assert.rejects(ask('install update', {}, 'operator'), /needs the right "admin"/);
  for (const input of [{ url: 'http://evil.example/' }, { version: '0.0.1' }, { allowDowngrade: true }])
    await assert.rejects(ask('install update', input), /Unrecognized key/);
  await ask('check updates', {}, 'operator');
  assert.equal((await ask('install update')).reason, 'It fell.');
  assert.deepEqual(asked, ['check', 'install']);
});

test('nothing is installed where apt-get or a person does that', async () => {
  for (const [way, reason] of [
    ['package', /Debian package here .*apt-get/],
    ['by hand', /not a service of this machine/],
  ] as const) {
    const { ask, asked } = askOn({ way });
    await assert.rejects(ask('install update'), { reason: 'not possible', message: reason });
    assert.deepEqual(asked, []);
  }
});
