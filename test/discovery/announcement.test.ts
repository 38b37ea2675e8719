// How listeners become DNS-SD services.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announcementsOf } from '../../src/discovery/announcement.ts';
import type { AdvertisedListener } from '../../src/discovery/options.ts';
import { serviceRecords } from '../../src/discovery/records.ts';

const PLAIN: AdvertisedListener = { protocol: 'mqtt', tls: false, port: 1883, anonymous: true };
const SECURE_WEB: AdvertisedListener = { protocol: 'websockets', tls: true, port: 8084, anonymous: false };
const FINGERPRINT = 'AB:CD:'.repeat(16).slice(0, -1);

function announce(listeners: readonly AdvertisedListener[], changes: object = {}) {
  return announcementsOf({ listeners, name: 'kitchen', ordinal: 1, machine: null, caFingerprint: null, ...changes });
}

test('announcements have the type of their listener', () => {
  const listeners = [PLAIN, { ...PLAIN, tls: true, port: 8883 }, { ...SECURE_WEB, tls: false, port: 9001 }, SECURE_WEB];
  assert.deepEqual(
    announce(listeners).map((each) => [each.type, each.port]),
    [
      ['mqtt', 1883],
      ['secure-mqtt', 8883],
      ['mqtt-ws', 9001],
      ['mqtt-wss', 8084],
    ],
  );
});

test('TXT of a plain listener says what a client must know, txtvers first [RFC 6763 6.7]', () => {
  const [announcement] = announce([PLAIN]);
  assert.deepEqual(Object.entries(announcement!.txt), [
    ['txtvers', '1'],
    ['protocol', 'mqtt'],
    ['versions', '3.1,3.1.1,5.0'],
    ['tls', '0'],
    ['auth', 'password'],
    ['anon', '1'],
  ]);
});

test('TXT of a secure WebSocket listener has path, fingerprint and machine', () => {
  const machine = { vendor: 'Works', model: 'One' };
  const [announcement] = announce([SECURE_WEB], { machine, caFingerprint: FINGERPRINT });
  assert.deepEqual(announcement!.txt, {
    txtvers: '1',
    protocol: 'mqtt',
    versions: '3.1,3.1.1,5.0',
    tls: '1',
    path: '/mqtt',
    auth: 'password',
    anon: '0',
    fp: `sha256:${'abcd'.repeat(8)}`,
    vendor: 'Works',
    model: 'One',
  });
});

test('TXT stays under 400 bytes when vendor and model are long [RFC 6763 6.2]', () => {
  const machine = { vendor: 'ü'.repeat(300), model: '\u{1f3e0}'.repeat(300) };
  const [announcement] = announce([SECURE_WEB], { machine, caFingerprint: FINGERPRINT });
  const txt = serviceRecords(announcement!, 'kitchen.local').find((record) => record.type === 'TXT')!;
  const strings = txt.data as Buffer[];
  assert.ok(strings.every((string) => string.length <= 255));
  assert.ok(strings.reduce((sum, string) => sum + string.length + 1, 0) < 400);
  assert.equal(announcement!.txt['model'], '\u{1f3e0}'.repeat(16), 'cut between characters');
});

test('announcements of two listeners of one type differ in their instance name', () => {
  const names = announce([PLAIN, { ...PLAIN, port: 1884 }, PLAIN]).map((each) => each.instance);
  assert.deepEqual(names, ['kitchen', 'kitchen port 1884']);
});

test('announcements after a conflict have a number behind the name [RFC 6763 D]', () => {
  assert.deepEqual(announce([PLAIN], { ordinal: 2 })[0]!.instance, 'kitchen (2)');
});
