// Who is held after wrong logins, for how long, and who is not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KnownLogins } from '../../src/access/known-logins.ts';
import { LoginThrottle } from '../../src/access/login-throttle.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { TestClock } from '../support/ports/test-clock.ts';

function throttleOf(exempt: readonly string[] = []) {
  const [clock, log] = [new TestClock(), recordingLog()];
  const throttle = new LoginThrottle({ enabled: true, exempt }, { clock, log, known: new KnownLogins(null, log) });
  const fail = (address: string, username: string, times = 1) => {
    for (let index = 0; index < times; index++) throttle.failed(address, username);
  };
  return { throttle, clock, log, fail };
}

test('throttle holds a user at an address after three wrong passwords, as the documents say, twice as long each time, up to five minutes', () => {
  const { throttle, clock, fail } = throttleOf();
  fail('192.0.2.1', 'jane', 2);
  assert.equal(throttle.isHeld('192.0.2.1', 'jane'), false);
  for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]) {
    fail('192.0.2.1', 'jane');
    clock.advance(seconds * 1000 - 1);
    assert.equal(throttle.isHeld('192.0.2.1', 'jane'), true, `${seconds} s`);
    clock.advance(1);
    assert.equal(throttle.isHeld('192.0.2.1', 'jane'), false, `${seconds} s`);
  }
});

test('throttle lets one device with a wrong password hold nobody but itself', () => {
  const { throttle, clock, fail } = throttleOf();
  for (let hour = 0; hour < 100; hour++) {
    if (!throttle.isHeld('192.0.2.1', 'lamp')) fail('192.0.2.1', 'lamp');
    clock.advance(60_000);
    assert.equal(throttle.isHeld('192.0.2.1', 'jane'), false);
    assert.equal(throttle.isHeld('192.0.2.2', 'lamp'), false);
  }
  fail('192.0.2.1', 'lamp');
  assert.equal(throttle.isHeld('192.0.2.1', 'lamp'), true);
});

test('throttle holds an address that tries many users, but not a user who has logged in from there', () => {
  const { throttle, fail } = throttleOf();
  throttle.succeeded('192.0.2.1', 'jane');
  for (let index = 0; index < 9; index++) fail('192.0.2.1', `user${index}`);
  assert.equal(throttle.isHeld('192.0.2.1', 'joe'), false);
  fail('192.0.2.1', 'user9');
  assert.equal(throttle.isHeld('192.0.2.1', 'joe'), true);
  assert.equal(throttle.isHeld('192.0.2.1', 'jane'), false);
  assert.equal(throttle.isHeld('192.0.2.2', 'joe'), false);
  fail('192.0.2.1', 'jane', 3);
  assert.equal(throttle.isHeld('192.0.2.1', 'jane'), true);
});

test('throttle holds a user whom some addresses try only where they were wrong', () => {
  const { throttle, fail } = throttleOf();
  for (let index = 0; index < 8; index++) fail(`198.51.100.${index}`, 'jane', 19);
  assert.equal(throttle.isHeld('198.51.100.1', 'jane'), true);
  assert.equal(throttle.isHeld('198.51.100.99', 'jane'), false, 'a phone that comes from elsewhere');
  fail('198.51.100.99', 'jane');
  assert.equal(throttle.isHeld('198.51.100.99', 'jane'), true, 'one more that guesses');
  assert.equal(throttle.isHeld('198.51.100.99', 'joe'), false);
});

test('throttle holds a user whom a hundred addresses try, but not from where that user has logged in', () => {
  const { throttle, fail } = throttleOf();
  throttle.succeeded('192.0.2.1', 'jane');
  for (let index = 0; index < 99; index++) fail(`198.51.100.${index}`, 'jane');
  assert.equal(throttle.isHeld('198.51.100.199', 'jane'), false);
  fail('198.51.100.99', 'jane');
  assert.equal(throttle.isHeld('198.51.100.199', 'jane'), true);
  assert.equal(throttle.isHeld('192.0.2.1', 'jane'), false);
  assert.equal(throttle.isHeld('198.51.100.199', 'joe'), false);
});

test('throttle forgets after an hour without a wrong login', () => {
  const { throttle, clock, fail } = throttleOf();
  fail('192.0.2.1', 'jane', 6);
  clock.advance(3_600_001);
  fail('192.0.2.1', 'jane', 2);
  assert.equal(throttle.isHeld('192.0.2.1', 'jane'), false);
});

test('throttle lets one device of an IPv6 network hold nobody but itself', () => {
  const { throttle, fail } = throttleOf();
  throttle.succeeded('2001:db8:0:12::3', 'home');
  fail('2001:db8:0:12::1', 'home', 19);
  for (let index = 0; index < 30; index++) fail('2001:db8:0:12::1', `user${index}`);
  assert.equal(throttle.isHeld('2001:db8:0:12::1', 'home'), true);
  assert.equal(throttle.isHeld('2001:db8:0:12::1', 'jane'), true);
  assert.equal(throttle.isHeld('2001:db8:0:12::2', 'home'), false, 'a neighbour with the same account');
  assert.equal(throttle.isHeld('2001:db8:0:12::3', 'home'), false);
});

test('throttle holds an IPv6 network, or a link, that guesses from a hundred addresses, but not who is known there', () => {
  const { throttle, fail } = throttleOf();
  for (const [network, zone] of [
    ['2001:db8:0:12', ''],
    ['fe80', '%eth0'],
  ]) {
    throttle.succeeded(`${network}::ffff${zone}`, 'home');
    for (let index = 1; index <= 100; index++) fail(`${network}::${index}${zone}`, `${network}${index}`);
    assert.equal(throttle.isHeld(`${network}::abcd${zone}`, 'home'), true);
    assert.equal(throttle.isHeld(`${network}::ffff${zone}`, 'home'), false);
  }
  assert.equal(throttle.isHeld('2001:db8:0:13::1', 'home'), false);
  assert.equal(throttle.isHeld('fe80::1%eth1', 'home'), false);
  assert.deepEqual(
    throttle.held().map(({ address }) => address),
    ['2001:db8:0:12::/64', 'fe80::%eth0/64'],
  );
});

test('throttle counts an IPv4 address that is written as IPv6 as itself', () => {
  const { throttle, fail } = throttleOf();
  fail('::ffff:192.0.2.1', 'joe', 3);
  assert.equal(throttle.isHeld('192.0.2.1', 'joe'), true);
});

test('throttle does not count in exempt networks, on Unix sockets, and when it is off', () => {
  const { throttle, fail } = throttleOf(['192.168.0.0/16', '10.0.0.5', 'fd00::/8']);
  for (const address of ['192.168.7.7', '::ffff:192.168.7.7', '10.0.0.5', 'fd12::1', '']) {
    fail(address, 'jane', 20);
    assert.equal(throttle.isHeld(address, 'jane'), false, address);
  }
  fail('10.0.0.6', 'jane', 20);
  assert.equal(throttle.isHeld('10.0.0.6', 'jane'), true);
  throttle.setOptions({ enabled: true, exempt: ['10.0.0.6'] });
  assert.equal(throttle.isHeld('10.0.0.6', 'jane'), false);
  throttle.setOptions({ enabled: false, exempt: [] });
  assert.equal(throttle.isHeld('10.0.0.6', 'jane'), false);
});

test('throttle lists who is held until when, and logs each hold once', () => {
  const { throttle, clock, log, fail } = throttleOf();
  fail('192.0.2.1', 'ja"ne', 4);
  for (let index = 0; index < 10; index++) fail('192.0.2.9', `user${index}`);
  const now = clock.now();
  assert.deepEqual(throttle.held(), [
    { address: '192.0.2.9', username: null, failures: 10, until: now + 1000 },
    { address: '192.0.2.1', username: 'ja"ne', failures: 4, until: now + 2000 },
  ]);
  assert.deepEqual(log.lines, [
    'Warning: 3 wrong logins: those of user "ja\\"ne" from 192.0.2.1 are refused for 1 s.',
    'Warning: 4 wrong logins: those of user "ja\\"ne" from 192.0.2.1 are refused for 2 s.',
    'Warning: 10 wrong logins: those from 192.0.2.9 are refused for 1 s.',
  ]);
  clock.advance(2001);
  assert.deepEqual(throttle.held(), []);
});

test('throttle keeps a bounded number of entries', () => {
  const { throttle, fail } = throttleOf();
  fail('192.0.2.1', 'first', 4);
  for (let index = 0; index < 20_000; index++) {
    throttle.failed(`10.${index >> 8}.${index & 255}.1`, `user${index}`);
    throttle.succeeded(`10.${index >> 8}.${index & 255}.2`, `user${index}`);
  }
  assert.equal(throttle.isHeld('192.0.2.1', 'first'), false, 'the oldest made room');
});

test('throttle forgets the wrong logins of a user who has another password, wherever they came from', () => {
  const { throttle, fail } = throttleOf();
  fail('192.0.2.1', 'lamp', 5);
  for (let index = 0; index < 10; index++) fail(`198.51.100.${index}`, 'lamp', 3);
  fail('192.0.2.1', 'jane', 3);
  throttle.passwordsChanged((username) => username === 'lamp');
  assert.deepEqual(
    throttle.held().map(({ address, username }) => [address, username]),
    [['192.0.2.1', 'jane']],
  );
  fail('192.0.2.1', 'lamp', 2);
  assert.equal(throttle.isHeld('192.0.2.1', 'lamp'), false, 'it counts from the beginning');
});

test('throttle ends one hold of its list, and counts from the beginning', () => {
  const { throttle, clock, fail } = throttleOf();
  for (let index = 0; index < 10; index++) fail('192.0.2.1', `user${index}`);
  for (let index = 1; index <= 100; index++) fail(`2001:db8:0:12::${index}`, 'jane');
  fail('192.0.2.9', 'lamp', 5);
  const holds = throttle.held();
  const told = [
    ['192.0.2.1', null],
    ['2001:db8:0:12::/64', null],
    [null, 'jane'],
    ['192.0.2.9', 'lamp'],
  ];
  assert.deepEqual(
    holds.map(({ address, username }) => [address, username]),
    told,
  );
  for (const [index, hold] of holds.entries()) {
    assert.equal(throttle.end(hold), true);
    assert.equal(throttle.end(hold), false, 'there is none any more');
    assert.equal(throttle.held().length, told.length - 1 - index);
  }
  assert.equal(throttle.end({ address: null, username: null }), false);
  fail('192.0.2.9', 'lamp', 5);
  clock.advance(5000);
  assert.equal(throttle.end({ address: '192.0.2.9', username: 'lamp' }), true, 'its time is over, and its wrong logins go all the same');
  fail('192.0.2.9', 'lamp', 2);
  assert.equal(throttle.isHeld('192.0.2.9', 'lamp'), false);
  fail('192.0.2.9', 'lamp');
  clock.advance(1001);
  assert.equal(throttle.isHeld('192.0.2.9', 'lamp'), false, 'the first hold is short again');
});
