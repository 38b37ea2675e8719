// What is remembered of refusals, and which clients are found to push each other out.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { DEFAULT_LISTENER_POLICY } from '../../src/broker/options.ts';
import type { Refusal } from '../../src/broker/ports.ts';
import { type Advice, advise } from '../../src/refusals/advice.ts';
import { ConnectionRhythm } from '../../src/refusals/connection-rhythm.ts';
import type { Explanation } from '../../src/refusals/explain-refusal.ts';
import { RefusalMemory } from '../../src/refusals/refusal-memory.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { heldBytes } from '../support/process/memory.ts';

function refusal(address: string, changes: Partial<Refusal> = {}): Refusal {
  const from = { address, port: 1, policy: DEFAULT_LISTENER_POLICY };
  return { reason: { cause: 'credentials', what: 'wrong' }, from, clientId: 'phone', username: 'jane', topicName: null, ...changes };
}

const PHONE = { clientId: 'phone', username: 'jane', isProven: true };

function memory() {
  const log = recordingLog();
  const time = { now: 0 };
  let explained = 0;
  const explain = ({ reason }: Refusal) => {
    explained++;
    return { reason: explanations.shift() ?? reason, advice: advices.shift() ?? null };
  };
  const explanations: Refusal['reason'][] = [];
  const advices: Advice[] = [];
  const locked = new Set<string>();
  const allowed = new Set<string>();
  const accounts = new Set<string>();
  const clock = { ...systemClock, now: () => time.now };
  return {
    refusals: new RefusalMemory({
      clock,
      log,
      explain,
      isPage: () => false,
      mayPublish: (...question) => allowed.has(question[2]),
      letsIn: (_, username) => !locked.has(username),
      hasAccount: (_, username) => accounts.has(username),
    }),
    log,
    time,
    explanations,
    explained: () => explained,
    allowed,
    accounts,
    advices,
    locked,
  };
}

test('refusal memory says why a client is refused now and counts from then, when it has another reason than before', () => {
  const { refusals, time, explanations } = memory();
  explanations.push({ cause: 'credentials', what: 'unknown user', username: 'jane' }, { cause: 'credentials', what: 'wrong' });
  refusals.refused(refusal('10.0.0.1'));
  time.now += 1000;
  refusals.refused(refusal('10.0.0.1'));
  assert.deepEqual(
    refusals.list(null).map(({ what, first, last, count }) => [what, first, last, count]),
    [['wrong', 1000, 1000, 1]],
  );
});

test('refusal memory counts what is the same and explains it once', () => {
  const { refusals, explained } = memory();
  for (let index = 0; index < 1000; index++) refusals.refused(refusal('10.0.0.1'));
  refusals.refused(refusal('10.0.0.2'));
  assert.deepEqual(
    refusals.list(null).map(({ address, count }) => [address, count]),
    [
      ['10.0.0.2', 1],
      ['10.0.0.1', 1000],
    ],
  );
  assert.equal(explained(), 2);
});

test('refused sign-in to the page ends when the same account signs in there from the same address, and not with a client', () => {
  const { refusals, time } = memory();
  const atPage = (address: string, username: string) =>
    refusals.refused(refusal(address, { reason: { cause: 'page', what: 'wrong password', username }, clientId: '', username }));
  refusals.refused(refusal('10.0.0.1'));
  atPage('10.0.0.1', 'jane');
  atPage('10.0.0.2', 'jane');
  atPage('10.0.0.1', 'tom');
  const settled = () => refusals.list(null).map(({ cause, address, username, settled: end }) => [cause, address, username, end !== null]);
  time.now = 5;
  refusals.signedIn('jane', '10.0.0.1');
  const expected = [
    ['page', '10.0.0.1', 'tom', false],
    ['page', '10.0.0.2', 'jane', false],
    ['page', '10.0.0.1', 'jane', true],
    ['credentials', '10.0.0.1', 'jane', false],
  ];
  assert.deepEqual(settled(), expected);
  refusals.connected({ clientId: '', username: 'tom', isProven: true }, refusal('10.0.0.1').from, null);
  assert.deepEqual(settled(), expected);
});

test('refusal memory keeps the last 200 and cuts long names when it is flooded', () => {
  const { refusals } = memory();
  for (let index = 0; index < 1000; index++) refusals.refused(refusal(`10.0.0.${index}`, { clientId: 'x'.repeat(60_000) }));
  const all = refusals.list(null);
  assert.equal(all.length, 200);
  assert.equal(all[0]?.address, '10.0.0.999');
  assert.ok(all.every(({ clientId }) => clientId.length < 200));
});

test('refusal memory gives those of an address, a client or a user when it is asked about one', () => {
  const { refusals } = memory();
  refusals.refused(refusal('10.0.0.1'));
  refusals.refused(refusal('10.0.0.2', { clientId: 'lamp', username: null }));
  for (const [about, count] of [
    ['10.0.0.2', 1],
    ['lamp', 1],
    ['jane', 1],
    ['nobody', 0],
  ] as const) {
    assert.equal(refusals.list(about).length, count, about);
  }
});

test('refusal is settled when the same account comes in from the same address, and open again with the next', () => {
  const { refusals, time } = memory();
  const settled = () => refusals.list(null)[0]?.settled;
  const from = (address: string) => ({ address, port: 1, policy: DEFAULT_LISTENER_POLICY });
  refusals.refused(refusal('10.0.0.1'));
  time.now = 5000;
  refusals.connected(PHONE, from('10.0.0.2'), null);
  refusals.connected({ clientId: 'phone', username: 'tom', isProven: true }, from('10.0.0.1'), null);
  refusals.connected({ clientId: 'phone', username: null, isProven: false }, from('10.0.0.1'), null);
  assert.equal(settled(), null, 'others say nothing about it');
  refusals.connected({ clientId: 'other', username: 'jane', isProven: true }, from('10.0.0.1'), null);
  assert.equal(settled(), 5000);
  refusals.refused(refusal('10.0.0.1'));
  assert.equal(settled(), null);
});

test('refusal of a topic is settled when the rules allow it, and open again with the next; a name that was cut is not judged', () => {
  const { refusals, time, allowed } = memory();
  const denied = (topicName: string) => refusals.refused(refusal('10.0.0.1', { reason: { cause: 'topic', what: 'denied' }, topicName }));
  const settled = () => refusals.list(null).map((each) => each.settled);
  denied('home/door');
  denied(`home/${'x'.repeat(200)}`);
  assert.deepEqual(settled(), [null, null]);
  for (const topicName of ['home/door', `home/${'x'.repeat(115)}...`]) allowed.add(topicName);
  time.now = 7000;
  assert.deepEqual(settled(), [null, 7000]);
  allowed.clear();
  time.now = 8000;
  assert.deepEqual(settled(), [null, 7000], 'it was put right then');
  denied('home/door');
  assert.deepEqual(settled(), [null, null]);
});

test('refusal of a locked account is settled when the account lets in again, and a wrong password is not', () => {
  const { refusals, time, advices, locked } = memory();
  const wrong = (username: string) => refusals.refused(refusal('10.0.0.1', { reason: { cause: 'credentials', what: 'wrong' }, username }));
  const settled = () => refusals.list(null).map((each) => [each.username, each.settled]);
  advices.push(advise('unlock', { command: '' }), advise('new password', { command: '' }));
  locked.add('jane');
  for (const username of ['jane', 'tom']) wrong(username);
  assert.deepEqual(settled(), [
    ['tom', null],
    ['jane', null],
  ]);
  locked.clear();
  time.now = 7000;
  assert.deepEqual(settled(), [
    ['tom', null],
    ['jane', 7000],
  ]);
});

test('refusal of a certificate is settled at its port, and that of a topic by no connection', () => {
  const { refusals } = memory();
  const from = (port: number) => ({ address: '10.0.0.1', port: 1, policy: { ...DEFAULT_LISTENER_POLICY, port } });
  const tls = { cause: 'tls', what: 'handshake', problem: 'left' } as const;
  refusals.refused(refusal('10.0.0.1', { reason: tls, from: from(8883), clientId: '', username: null }));
  refusals.refused(refusal('10.0.0.1', { reason: { cause: 'topic', what: 'denied' }, from: from(8883), topicName: 'a' }));
  const settled = () => refusals.list(null).map((each) => each.settled !== null);
  refusals.connected(PHONE, from(1883), null);
  assert.deepEqual(settled(), [false, false]);
  refusals.connected(PHONE, from(8883), null);
  assert.deepEqual(settled(), [false, true]);
});

test('client that comes and goes is told as let in only until it is refused', () => {
  const { refusals, time } = memory();
  const from = { address: '10.0.0.1', port: 1, policy: DEFAULT_LISTENER_POLICY };
  for (let count = 0; count < 30; count++, time.now += 1000) refusals.connected(PHONE, from, null);
  const causes = () => refusals.list(null).map(({ cause }) => cause);
  assert.deepEqual(causes(), ['flapping']);
  refusals.refused(refusal('10.0.0.1'));
  assert.deepEqual(causes(), ['credentials']);
});

test('refusal memory warns once a minute when two devices use one client id', () => {
  const { refusals, log } = memory();
  const [one, other] = ['10.0.0.1', '10.0.0.2'].map((address) => ({ address, port: 1, policy: DEFAULT_LISTENER_POLICY }));
  refusals.connected(PHONE, one!, null);
  for (let index = 0; index < 50; index++) {
    refusals.connected(PHONE, other!, one!);
    refusals.connected(PHONE, one!, other!);
  }
  assert.deepEqual(log.lines, [
    'Warning: Client phone was taken over 4 times in 1 s, by 10.0.0.1 and 10.0.0.2 in turn - two devices use the same client id: give each its own.',
  ]);
  assert.equal(refusals.list('phone')[0]?.cause, 'duel');
});

test('refusal memory and connection rhythm keep little of clients with long names', () => {
  const { refusals } = memory();
  const from = { address: '10.0.0.1', port: 1, policy: DEFAULT_LISTENER_POLICY };
  const before = heldBytes();
  for (let index = 0; index < 300; index++) {
    const [clientId, username, topicName] = ['c', 'u', 't'].map((about) => Buffer.alloc(60_000, `${about}${index}`).toString('latin1'));
    refusals.refused({
      reason: { cause: 'topic', what: 'reserved topic', topicName: topicName! },
      from,
      clientId: clientId!,
      username: username!,
      topicName: topicName!,
    });
    for (let times = 0; times < 5; times++) refusals.connected({ clientId: clientId!, username: null, isProven: false }, from, from);
  }
  const held = (heldBytes() - before) / 1_048_576;
  assert(held < 4, `${held} MiB`);
  assert(refusals.list(null).length > 0);
});

test('refusal memory does not advise an account that is there by now', () => {
  const { refusals, advices, accounts } = memory();
  const values = { command: 'midge passwd /etc/midge/passwd tom' };
  advices.push(advise('new account', values));
  refusals.refused({ ...refusal('10.0.0.1'), username: 'tom' });
  assert.equal(refusals.list(null)[0]?.adviceCode, 'new account');
  accounts.add('tom');
  const [told] = refusals.list(null);
  assert.deepEqual([told?.adviceCode, told?.adviceValues, told?.settled], ['new password', values, null]);
  assert.equal(told?.advice, 'a new password: midge passwd /etc/midge/passwd tom');
});

test('connection rhythm speaks again after a minute of trouble, and not of a client that connects now and then', () => {
  const rhythm = new ConnectionRhythm();
  const said: number[] = [];
  for (let second = 0; second <= 150; second++)
    if (rhythm.connected('restless', '10.0.0.1', null, second * 1000) !== null) said.push(second);
  assert.deepEqual(said, [9, 70, 131]);
  for (let second = 0; second <= 600; second += 10) assert.equal(rhythm.connected('calm', '10.0.0.1', null, second * 1000), null);
});

test('connection rhythm tells one machine that takes over from itself', () => {
  const rhythm = new ConnectionRhythm();
  const said = Array.from({ length: 5 }, () => rhythm.connected('app', '10.0.0.1', '10.0.0.1', 0)?.reason);
  assert.deepEqual(said, [undefined, undefined, undefined, 'was taken over 4 times in 1 s, always from 10.0.0.1', undefined]);
});

test('refusal memory tells reason and advice as codes with their values beside the sentences', () => {
  const explain = (): Explanation => ({
    reason: { cause: 'tls', what: 'handshake', problem: { what: 'expired', name: 'lamp', date: new Date('2026-01-31T12:00:00Z') } },
    advice: advise('new password', { command: 'midge passwd /etc/midge/passwd jane' }),
  });
  const refusals = new RefusalMemory({
    clock: systemClock,
    log: recordingLog(),
    explain,
    isPage: () => false,
    mayPublish: () => false,
    letsIn: () => false,
    hasAccount: () => false,
  });
  refusals.refused(refusal('10.0.0.1'));
  const [told] = refusals.list(null);
  assert.deepEqual([told?.what, told?.values], ['expired', { name: 'lamp', date: '2026-01-31' }]);
  assert.equal(told?.reason, 'failed the TLS handshake: its client certificate "lamp" expired on 2026-01-31');
  assert.deepEqual([told?.adviceCode, told?.adviceValues], ['new password', { command: 'midge passwd /etc/midge/passwd jane' }]);
  assert.equal(told?.advice, 'a new password: midge passwd /etc/midge/passwd jane');
});

test('refusal memory tells when a user was let in last, by MQTT or by HTTP, and forgets the first of ten thousand', () => {
  const { refusals, time } = memory();
  const from = { address: '10.0.0.1', port: 1, policy: DEFAULT_LISTENER_POLICY };
  assert.equal(refusals.lastLetIn('jane'), null);
  refusals.connected({ ...PHONE, isProven: false }, from, null);
  assert.equal(refusals.lastLetIn('jane'), null, 'anybody may call themselves jane there');
  refusals.connected(PHONE, from, null);
  time.now = 5000;
  refusals.connected({ ...PHONE, clientId: 'tablet' }, { ...from, address: '' }, null);
  refusals.connected({ clientId: 'lamp', username: null, isProven: true }, from, null);
  assert.deepEqual(refusals.lastLetIn('jane'), { time: 5000, clientId: 'tablet', address: '' });
  refusals.refused(refusal('10.0.0.1', { clientId: '' }));
  refusals.posted('jane', from);
  assert.deepEqual(refusals.lastLetIn('jane'), { time: 5000, clientId: '', address: '10.0.0.1' });
  assert.equal(refusals.list(null)[0]?.settled, 5000);
  for (let index = 0; index < 9999; index++) refusals.posted(`user ${index}`, from);
  assert.notEqual(refusals.lastLetIn('jane'), null);
  refusals.posted('one more', from);
  assert.equal(refusals.lastLetIn('jane'), null);
});
