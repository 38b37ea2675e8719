// mosquitto.db as bytes: what is read of a file that Debian's mosquitto 2.0.11 wrote, of the same in version 5, and of damaged ones.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../../src/broker/message-digest.ts';
import { makeTopic } from '../../src/broker/topic.ts';
import { keptState } from '../../src/import/kept-state.ts';
import { type MosquittoDatabase, parseMosquittoDatabase } from '../../src/import/mosquitto-database.ts';

/** Made by mosquitto-state.ts. */
const FILE = readFileSync(join(import.meta.dirname, 'mosquitto-2.0.11.db'));
const HEADER = 23;
const CLIENT = 6;

function parse(bytes: Buffer): MosquittoDatabase {
  const parsed = parseMosquittoDatabase(bytes);
  assert.ok(typeof parsed !== 'string', String(parsed));
  return parsed;
}

/** The session with an expiry was written when it had just ended its connection. */
function whenWritten(database: MosquittoDatabase): number {
  const phone = database.clients.find(({ clientId }) => clientId === 'phone');
  return ((phone?.expiresAt ?? 0) - (phone?.expiryInterval ?? 0)) * 1000;
}

function keptOf(database: MosquittoDatabase, later = 0, mountPoints: readonly string[] = []) {
  const writtenAt = whenWritten(database);
  return keptState(database, { now: writtenAt + later, writtenAt, mountPoints });
}

test('mosquitto.db gives sessions, subscriptions, messages in every state and retained values', () => {
  const database = parse(FILE);
  assert.deepEqual([database.version, database.fault], [6, null]);
  const { sessions, retained, left } = keptOf(database);
  assert.deepEqual([...left], []);
  const summary = sessions.map(({ session, subscriptions, deliveries, incoming }) => ({
    session: [session.clientId, session.version, session.expiryInterval],
    subscriptions: subscriptions.map((one) => [one.topicFilter, one.qos, one.noLocal, one.retainAsPublished, one.identifier]),
    deliveries: deliveries.map(({ delivery, message }) => [message.payload.toString(), delivery.qos, delivery.packetId, delivery.state]),
    incoming,
  }));
  assert.deepEqual(summary, [
    {
      session: ['old', 4, 0xffffffff],
      subscriptions: [['home/#', 2, false, false, 0]],
      deliveries: [
        ['first', 1, 1, 'sent'],
        ['second', 2, 2, 'released'],
        ['third', 1, 0, 'queued'],
        ['unreleased', 2, 0, 'queued'],
      ],
      incoming: [],
    },
    {
      session: ['phone', 5, 3600],
      subscriptions: [['home/+/door', 1, true, true, 7]],
      deliveries: [
        ['first', 1, 1, 'sent'],
        ['second', 1, 2, 'sent'],
        ['third', 1, 0, 'queued'],
        ['unreleased', 1, 0, 'queued'],
      ],
      incoming: [],
    },
    {
      session: ['publisher', 4, 0xffffffff],
      subscriptions: [],
      deliveries: [],
      incoming: [[5, digestOf(makeTopic('home/c/door'), Buffer.from('unreleased'), 0, 10)]],
    },
  ]);
  const [, phone] = sessions;
  assert.deepEqual(phone?.deliveries[0]?.delivery.identifiers, [7]);
  assert.equal(phone?.deliveries[2]?.message.properties.toString('hex'), '2600016b000176');
  assert.deepEqual(retained.map((one) => [one.topicName, one.payload.toString()]).sort(), [
    ['home/a/door', 'first'],
    ['other/lamp', 'on'],
  ]);
});

test('mosquitto.db leaves out what has expired, and says so', () => {
  const { sessions, left } = keptOf(parse(FILE), 3601_000);
  assert.deepEqual(
    sessions.map(({ session }) => session.clientId),
    ['old', 'publisher'],
  );
  assert.equal(left.get('session that has expired'), 1);
  assert.equal(left.get('message for a session that is not kept'), 3);
});

test('mosquitto.db is read alike in version 5', () => {
  const six = keptOf(parse(FILE));
  const five = keptOf(parse(asVersion5(FILE)));
  const withoutListener = six.sessions.map(({ session, ...lists }) => ({ session: { ...session, listener: '' }, ...lists }));
  assert.deepEqual([five.sessions, five.retained], [withoutListener, six.retained]);
});

test('mosquitto.db gives filters as the client sent them when its listener has a mount point', () => {
  const [old] = keptOf(parse(FILE), 0, ['home/']).sessions;
  assert.deepEqual([old?.subscriptions[0]?.topicFilter, old?.subscriptions[0]?.mountedFilter], ['#', 'home/#']);
});

test('mosquitto.db is refused with the reason when it is no such file', () => {
  const refusals = [Buffer.alloc(4096), Buffer.from('SQLite format 3'), FILE.subarray(0, 18), withVersion(FILE, 4), withVersion(FILE, 7)];
  assert.deepEqual(refusals.map(parseMosquittoDatabase), [
    'it holds nothing but zeros',
    'it is no database of mosquitto',
    'it ends in its header',
    'it has format version 4: 5 and 6 can be read - start mosquitto 2 with it once, which writes it anew',
    'it has format version 7: 5 and 6 can be read',
  ]);
});

test('mosquitto.db gives what stands before the damage when it is cut anywhere, and never throws when bytes are changed', () => {
  for (let end = HEADER; end < FILE.length; end++) {
    const { clients } = parse(FILE.subarray(0, end));
    assert.ok(clients.length <= 3);
  }
  const whole = parse(FILE.subarray(0, FILE.length - 1));
  assert.match(whole.fault ?? '', /^it ends within a chunk, at byte \d+$/);
  for (let round = 0; round < 2000; round++) {
    const changed = Buffer.from(FILE);
    for (let bytes = 0; bytes < 4; bytes++) changed[randomInt(HEADER, FILE.length)] = randomInt(256);
    keptOf(parse(changed));
  }
});

function withVersion(bytes: Buffer, version: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt32BE(version, HEADER - 4);
  return changed;
}

/** Clients have neither listener nor user name there. */
function asVersion5(bytes: Buffer): Buffer {
  const parts = [withVersion(bytes, 5).subarray(0, HEADER)];
  for (let at = HEADER; at < bytes.length; at += 8 + bytes.readUInt32BE(at + 4)) {
    const body = bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at + 4));
    const isClient = bytes.readUInt32BE(at) === CLIENT;
    const shorter = isClient ? Buffer.concat([body.subarray(0, 16), body.subarray(24, 24 + body.readUInt16BE(14))]) : body;
    const head = Buffer.from(bytes.subarray(at, at + 8));
    head.writeUInt32BE(shorter.length, 4);
    parts.push(head, shorter);
  }
  return Buffer.concat(parts);
}
