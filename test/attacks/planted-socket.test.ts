// What root is told by a program that another user has put in the place of the broker: its words are shown, and command no terminal.

import assert from 'node:assert/strict';
import { chmodSync, chownSync } from 'node:fs';
import { test } from 'node:test';
import { answerInPlace, Machine, skip, USER } from './planted-machine.ts';

/** Colours, the title of a window in the one-byte form, another line, a text that runs backwards. */
const TRICK = 'a\x1b[31mb\x9b0mc\nd\u202ee\x7f';
const COMMANDS = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]/;

const TRICKY = {
  status: {
    program: TRICK,
    pid: TRICK,
    since: '2026-01-01T00:00:00Z',
    state: TRICK,
    configuration: TRICK,
    reload: null,
    changedFiles: [TRICK],
    access: [TRICK],
    bridges: [
      {
        name: TRICK,
        phase: 'waiting',
        since: null,
        nextAttempt: null,
        address: TRICK,
        received: 0,
        sent: TRICK,
        queued: 0,
        oldestQueued: null,
        dropped: 0,
        lastError: { at: '2026-01-01T00:00:00Z', words: TRICK },
        refusedFilters: [TRICK],
      },
    ],
    clients: { connected: TRICK, away: 0 },
    messages: {},
    certificates: { serverExpires: '2036', serverNames: [TRICK], authorityExpires: '2036', authorityFingerprint: TRICK },
    refusals: 0,
    held: [],
    store: { state: TRICK, text: TRICK, damage: TRICK, wear: { text: TRICK }, bytesLastHour: 0, bytesLastDay: 0 },
    clock: { now: '2026-01-01T00:00:00Z', trusted: true },
    kept: { bytes: 0, limit: 0, isFull: true, most: { user: TRICK } },
    machine: {
      hostName: TRICK,
      addresses: [TRICK],
      announced: TRICK,
      cpuTemperature: null,
      clockSet: null,
      power: { now: [TRICK] },
      load: [],
      memory: { available: 0, total: 0 },
      disk: { path: TRICK, free: 1, total: 1 },
      wifi: [{ name: TRICK, signal: TRICK }],
    },
  },
  why: {
    refusals: [
      {
        first: 0,
        last: 0,
        count: TRICK,
        address: TRICK,
        what: TRICK,
        listenerPort: TRICK,
        clientId: TRICK,
        username: TRICK,
        reason: TRICK,
        advice: TRICK,
        settled: null,
        isBrowser: false,
      },
    ],
    held: [{ address: TRICK, username: TRICK, failures: TRICK, until: 0 }],
    deaf: [{ clientId: TRICK, reason: TRICK, advice: TRICK }],
    letIn: { time: 0, clientId: TRICK, address: TRICK },
  },
};

for (const [command, result] of Object.entries(TRICKY)) {
  for (const flags of [[], ['--json']]) {
    test(`${[command, ...flags].join(' ')} shows what would command a terminal, when a false broker says so`, { skip }, async (t) => {
      const machine = new Machine(t);
      await answerInPlace(t, machine, { ok: true, result });
      const { text } = await machine.run(command, ...flags, '--state', machine.state);
      assert.doesNotMatch(text, COMMANDS);
      assert.match(text, flags.length > 0 ? /a\\u001b\[31mb\\u009b0mc\\nd\\u202ee\\u007f/ : /a\\x1b\[31mb\\x9b0mc\\x0ad\\u202ee\\x7f/);
      if (flags.length > 0) assert.deepEqual(JSON.parse(text).held, result.held);
    });
  }

  test(`${command} says what is wrong when a false broker gives no such answer, or an error full of commands`, { skip }, async (t) => {
    for (const words of [
      { ok: true, result: null },
      { ok: true, result: 7 },
      { ok: true, result: {} },
      { ok: false, error: TRICK },
    ]) {
      const machine = new Machine(t);
      await answerInPlace(t, machine, words);
      const { status, text } = await machine.run(command, '--state', machine.state);
      assert.equal(status, 1, text);
      assert.doesNotMatch(text, COMMANDS);
      assert.match(text, words.ok ? /^Cannot ask the broker: the broker that answers has another version/ : /^a\\x1b\[31m/);
    }
  });
}

test('no command asks a socket that another user has put into a folder where everybody may write', { skip }, async (t) => {
  const machine = new Machine(t);
  await answerInPlace(t, machine, { ok: true, result: TRICKY.why });
  chownSync(machine.state, 0, 0);
  chmodSync(machine.state, 0o777);
  for (const words of [['status'], ['why'], ['backup', machine.path('home/backup.tar.gz')]]) {
    const { status, text } = await machine.run(...words, '--state', machine.state);
    assert.equal(status, 1, text);
    assert.match(text, /control\.sock" is not a socket of the user who owns the folder/);
  }
});

test('no command asks a socket of a third user in the folder of the broker', { skip }, async (t) => {
  const machine = new Machine(t);
  await answerInPlace(t, machine, { ok: true, result: TRICKY.why }, USER - 1);
  const { status, text } = await machine.run('why', '--state', machine.state);
  assert.equal(status, 1, text);
  assert.match(text, /control\.sock" is not a socket of the user who owns the folder/);
});
