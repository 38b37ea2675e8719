// What questions are answered with.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerTo, legacyAnswer } from '../../src/discovery/answer.ts';
import { addressRecords, goodbyeOf, type MdnsRecord, serviceRecords } from '../../src/discovery/records.ts';

const HOST = 'kitchen.local';
const INSTANCE = 'kitchen._mqtt._tcp.local';
const SERVICE = serviceRecords({ type: 'mqtt', instance: 'kitchen', port: 1883, txt: { txtvers: '1' } }, HOST);
const RECORDS = [...SERVICE, ...addressRecords(HOST, ['192.0.2.1', '2001:db8::1'])];
const IPV4_ONLY = [...SERVICE, ...addressRecords(HOST, ['192.0.2.1'])];

function typesOf(records: readonly MdnsRecord[] | undefined): string[] {
  return (records ?? []).map((record) => record.type);
}

test('service records are PTR, SRV, TXT and the list of types, unique ones with the cache-flush bit [RFC 6762 10, 10.2]', () => {
  assert.deepEqual(
    SERVICE.map(({ name, type, ttl, flush }) => [name, type, ttl, flush]),
    [
      ['_mqtt._tcp.local', 'PTR', 4500, false],
      [INSTANCE, 'SRV', 120, true],
      [INSTANCE, 'TXT', 4500, true],
      ['_services._dns-sd._udp.local', 'PTR', 4500, false],
    ],
  );
  assert.deepEqual(SERVICE[1]!.data, { port: 1883, target: HOST });
});

test('a question for the type is answered with the instance, and all about it beside [RFC 6763 12.1]', () => {
  const answer = answerTo({ name: '_MQTT._tcp.local', type: 'PTR' }, [], RECORDS);
  assert.deepEqual(
    answer?.answers.map((record) => record.data),
    [INSTANCE],
  );
  assert.deepEqual(typesOf(answer?.additionals), ['SRV', 'TXT', 'A', 'AAAA', 'NSEC']);
});

test('a question for the list of types is answered [RFC 6763 9]', () => {
  const answer = answerTo({ name: '_services._dns-sd._udp.local', type: 'PTR' }, [], RECORDS);
  assert.deepEqual(
    answer?.answers.map((record) => record.data),
    ['_mqtt._tcp.local'],
  );
});

test('a known answer is not repeated while half of its life is left [RFC 6762 7.1]', () => {
  const question = { name: '_mqtt._tcp.local', type: 'PTR' };
  const known = { ...SERVICE[0]!, ttl: 2250 };
  assert.equal(answerTo(question, [known], RECORDS), null);
  assert.notEqual(answerTo(question, [{ ...known, ttl: 2249 }], RECORDS), null);
  assert.notEqual(answerTo(question, [{ ...known, data: 'other._mqtt._tcp.local' }], RECORDS), null);
});

test('a question for A is answered with AAAA beside it [RFC 6762 6.2]', () => {
  const answer = answerTo({ name: HOST, type: 'A' }, [], RECORDS);
  assert.deepEqual(
    answer?.answers.map((record) => record.data),
    ['192.0.2.1'],
  );
  assert.deepEqual(typesOf(answer?.additionals), ['AAAA', 'NSEC']);
});

test('a question for AAAA is denied when there is only A [RFC 6762 6.1]', () => {
  const answer = answerTo({ name: HOST, type: 'AAAA' }, [], IPV4_ONLY);
  assert.deepEqual(answer?.answers[0]?.data, { nextDomain: HOST, rrtypes: ['A'] });
});

test('a question for ANY is answered with all records of the name', () => {
  assert.deepEqual(typesOf(answerTo({ name: INSTANCE, type: 'ANY' }, [], RECORDS)?.answers), ['SRV', 'TXT']);
  assert.deepEqual(typesOf(answerTo({ name: HOST, type: 'ANY' }, [], RECORDS)?.answers), ['A', 'AAAA']);
});

test('a question about somebody else is not answered', () => {
  assert.equal(answerTo({ name: 'bedroom.local', type: 'A' }, [], RECORDS), null);
  assert.equal(answerTo({ name: '_http._tcp.local', type: 'PTR' }, [], RECORDS), null);
});

test('a legacy answer repeats id and question, lives ten seconds, and has no cache-flush bit [RFC 6762 6.7]', () => {
  const question = { name: HOST, type: 'A' };
  const packet = legacyAnswer({ id: 77 }, question, answerTo(question, [], RECORDS)!);
  assert.equal(packet.id, 77);
  assert.deepEqual(packet.questions, [question]);
  const records = [...packet.answers!, ...packet.additionals!];
  assert.deepEqual(typesOf(records), ['A', 'AAAA']);
  assert.ok(records.every((record) => record.ttl === 10 && !record.flush));
});

test('a goodbye has TTL 0 and leaves the list of types to others [RFC 6762 10.1]', () => {
  const goodbye = goodbyeOf(RECORDS);
  assert.ok(goodbye.every((record) => record.ttl === 0));
  assert.ok(goodbye.every((record) => record.name !== '_services._dns-sd._udp.local'));
  assert.equal(goodbye.length, RECORDS.length - 1);
});
