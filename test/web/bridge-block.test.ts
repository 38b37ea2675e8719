// What somebody types about another broker, as a block that the box takes for an invitation.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInvitationName, readInvitation } from '../../src/config/bridge-invitation.ts';
import { blockFor, isBridgeName, type Wish } from '../../src/web/views/bridges/bridge-block.ts';
import { isWholeLine, NEW_LINE, readTopicLine, writeTopicLine } from '../../src/web/views/bridges/topic-line.ts';

const AUTHORITY = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';

const WISH: Wish = {
  ...{ name: 'cloud', address: ' broker.example.org ', isPrivate: true, authority: null, username: 'jane', password: 'a b#c' },
  topics: ['home/# out 1', 'alarm out 1'],
};

test('topic line that nobody has changed is written as it stood, and a changed one keeps its QoS and its prefixes', () => {
  const lines = ['home/#', 'home/# both', 'a in 2', 'sensors/# out 1 home/ barn/', '# both 0 "" there/', '"a b" out 1'];
  assert.deepEqual(lines.map(readTopicLine).map(writeTopicLine), lines);
  const changed = (text: string, change: object) => writeTopicLine({ ...readTopicLine(text), ...change, text: null });
  assert.equal(changed('sensors/# out 1 home/ barn/', { direction: 'in' }), 'sensors/# in 1 home/ barn/');
  assert.equal(changed('home/#', { direction: 'in' }), 'home/# in');
  assert.equal(changed('home/#', { filter: 'home/+' }), 'home/+ out');
  assert.equal(writeTopicLine({ ...NEW_LINE, filter: ' shed/# ' }), 'shed/# both 1');
  assert.equal(writeTopicLine({ ...NEW_LINE, filter: 'shed/# in 2' }), 'shed/# in 2');
  assert.equal(writeTopicLine(NEW_LINE), '');
  assert.deepEqual(lines.map(readTopicLine).map(isWholeLine), [false, false, false, false, false, true]);
});

test('block has the address with TLS, the account and the topics', () => {
  const { name, lines, authority, topics } = readInvitation(blockFor(WISH));
  assert.deepEqual([name, authority], ['cloud', null]);
  assert.deepEqual(lines, [
    ...['connection cloud', 'address mqtts://broker.example.org', 'remote_username jane', 'remote_password a b#c'],
    ...['notifications_local_only true', 'topic home/# out 1', 'topic alarm out 1'],
  ]);
  assert.deepEqual(
    topics.map(({ pattern, direction, qos }) => [pattern, direction, qos]),
    [
      ['home/#', 'out', 1],
      ['alarm', 'out', 1],
    ],
  );
});

test('block trusts an authority of its own, and has neither TLS nor an account where none is wanted', () => {
  const own = readInvitation(blockFor({ ...WISH, authority: `${AUTHORITY}\n` }));
  assert.equal(own.authority?.trim(), AUTHORITY);
  const plain = readInvitation(blockFor({ ...WISH, isPrivate: false, authority: AUTHORITY, username: '', password: '' }));
  assert.equal(plain.authority, null);
  assert.deepEqual(plain.lines.slice(0, 3), ['connection cloud', 'address broker.example.org', 'notifications_local_only true']);
  assert.equal(readInvitation(blockFor({ ...WISH, address: 'wss://broker.example.org/mqtt' })).addresses, 'wss://broker.example.org/mqtt');
});

test('names of bridges are those that the box takes', () => {
  for (const name of ['anna', 'a', 'A-1_b', '', '-a', 'a b', 'a/b', 'ä', 'x'.repeat(63), 'x'.repeat(64)])
    assert.equal(isBridgeName(name), isInvitationName(name), name);
});
