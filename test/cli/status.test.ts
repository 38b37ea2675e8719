// What `midge status` says a person should look at.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerTroubles, troublesOf } from '../../src/cli/status.ts';

type Status = Parameters<typeof troublesOf>[0];

for (const [what, machine, told] of [
  ['no time server has set the clock', { clockSet: false, uptime: 3600 }, /^No time server has set the clock .* 2026-01-31T/],
  ['the machine still asks for the time', { clockSet: false, uptime: 60 }, null],
  ['a time server has set the clock', { clockSet: true, uptime: 3600 }, null],
  ['the machine does not know', { clockSet: null, uptime: 3600 }, null],
] as const) {
  test(`status tells ${told === null ? 'nothing of the clock' : 'of the clock'} when ${what}`, () => {
    const troubles = troublesOf(statusOf(machine));
    if (told === null) assert.deepEqual(troubles, []);
    else assert.match(troubles.join('\n'), told);
  });
}

function statusOf(machine: Pick<Status['machine'], 'clockSet' | 'uptime'>): Status {
  const rest = { store: null, certificates: null, reload: null, bridges: [], internet: null, kept: { isFull: false } };
  const clock = { now: '2026-01-31T12:00:00.000Z', trusted: true };
  return { ...rest, clock, machine: { power: null, disk: null, ...machine } } as unknown as Status; // no more is looked at
}

for (const [what, systemDate, told] of [
  ['half a year old', '2025-08-03', /^The newest of Debian's packages on this card is 181 days old: install an update/],
  ['of this month', '2026-01-02', null],
  ['not of the image', null, null],
] as const) {
  test(`status ${told === null ? 'says nothing' : 'asks for an update'} when the system is ${what}`, () => {
    const { machine, ...rest } = statusOf({ clockSet: true, uptime: 60 });
    const troubles = troublesOf({ ...rest, machine: { ...machine, systemDate } });
    if (told === null) assert.deepEqual(troubles, []);
    else assert.match(troubles.join('\n'), told);
  });
}

test('status tells of an update that failed, and of a look by itself that found nothing, but not of one that a person has asked for', () => {
  const last = { at: '2026-01-30T03:00:00Z', from: '0.1.0', to: '0.2.0', reason: 'It fell.' };
  const known = { built: '2026-01-01T00:00:00Z', automatic: 'off', newer: '0.2.0', checked: null, fault: null, last: null };
  const troubles = (change: object) =>
    troublesOf({ ...statusOf({ clockSet: true, uptime: 60 }), update: { ...known, ...change } as Status['update'] });
  assert.deepEqual(troubles({}), []);
  assert.deepEqual(troubles({ last: { ...last, outcome: 'failed' } }), ['The update to 0.2.0 on 2026-01-30 was not done: It fell.']);
  assert.deepEqual(troubles({ last: { ...last, outcome: 'installed' } }), []);
  assert.deepEqual(troubles({ last: { ...last, outcome: 'on trial' } }), []);
  assert.deepEqual(troubles({ automatic: 'check', fault: 'No server.' }), ['No server.']);
  assert.deepEqual(troubles({ fault: 'No server.' }), []);
});

test('status tells troubles of the broker itself from those of the machine, the network and updates', () => {
  const { machine, ...rest } = statusOf({ clockSet: false, uptime: 3600 });
  const last = { at: '2026-01-30T03:00:00Z', from: '0.1.0', to: '0.2.0', reason: 'It fell.', outcome: 'failed' };
  const power = { now: ['low voltage'] };
  const store = { state: 'failed', text: 'It cannot be written.', damage: null, wear: { years: null, text: '' } };
  const status = { ...rest, machine: { ...machine, power, systemDate: '2024-01-01' }, update: { last } } as unknown as Status;
  assert.equal(troublesOf(status).length, 4);
  assert.deepEqual(brokerTroubles(status), []);
  assert.deepEqual(brokerTroubles({ ...status, store } as unknown as Status), ['It cannot be written.']);
});
