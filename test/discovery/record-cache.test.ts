// What browsing remembers, and for how long.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordCache } from '../../src/discovery/record-cache.ts';
import type { MdnsRecord } from '../../src/discovery/records.ts';
import { TestClock } from '../support/ports/test-clock.ts';

const PTR: MdnsRecord = { name: '_mqtt._tcp.local', type: 'PTR', ttl: 100, flush: false, data: 'kitchen._mqtt._tcp.local' };
const A: MdnsRecord = { name: 'kitchen.local', type: 'A', ttl: 100, flush: true, data: '192.0.2.1' };

test('record cache gives a record back as expired once its time is over [RFC 6762 10]', () => {
  const clock = new TestClock();
  const cache = new RecordCache(clock);
  cache.add('eth0', [PTR]);
  clock.advance(99_000);
  cache.expire();
  assert.deepEqual(cache.instances(), ['kitchen._mqtt._tcp.local']);
  clock.advance(1000);
  cache.expire();
  assert.deepEqual(cache.instances(), []);
  assert.deepEqual(cache.expired(), [{ ...PTR, ttl: 0 }]);
  assert.deepEqual(cache.expired(), []);
});

test('record cache replaces an older set when the cache-flush bit is set, on the same link only [RFC 6762 10.2]', () => {
  const clock = new TestClock();
  const cache = new RecordCache(clock);
  cache.add('eth0', [A, { ...A, data: '192.0.2.2' }]);
  cache.add('wlan0', [{ ...A, data: '198.51.100.1' }]);
  clock.advance(1001);
  cache.add('eth0', [{ ...A, data: '192.0.2.3' }]);
  assert.deepEqual(cache.addressesOf('KITCHEN.local'), ['192.0.2.3', '198.51.100.1']);
});

test('record cache forgets a record that says goodbye [RFC 6762 10.1]', () => {
  const cache = new RecordCache(new TestClock());
  cache.add('eth0', [PTR]);
  cache.add('eth0', [{ ...PTR, ttl: 0 }]);
  assert.deepEqual(cache.records(), []);
});

test('record cache gives known answers with what is left of their life, none past half of it [RFC 6762 7.1]', () => {
  const clock = new TestClock();
  const cache = new RecordCache(clock);
  cache.add('eth0', [PTR]);
  clock.advance(40_000);
  assert.deepEqual(
    cache.knownAnswers().map((record) => record.ttl),
    [60],
  );
  clock.advance(10_000);
  assert.deepEqual(cache.knownAnswers(), []);
});

test('record cache gives link-local addresses with their zone, behind IPv4', () => {
  const cache = new RecordCache(new TestClock());
  cache.add('eth0', [{ ...A, type: 'AAAA', data: 'fe80::1' }, A]);
  assert.deepEqual(cache.addressesOf('kitchen.local'), ['192.0.2.1', 'fe80::1%eth0']);
});

test('record cache is bounded when the network is flooded, and a broker that is heard afterwards is found', () => {
  const cache = new RecordCache(new TestClock());
  const flood = (length: number, text: string) =>
    cache.add(
      'eth0',
      Array.from({ length }, (_, i) => ({ ...PTR, ttl: 0xffffffff, data: `x${i}${text}._mqtt._tcp.local` })),
    );
  flood(5000, '');
  assert.equal(cache.records().length, 2000);
  flood(2000, 'x'.repeat(8000)); // 16 MB
  const texts = cache.records().reduce((sum, { data }) => sum + String(data).length, 0);
  assert.ok(texts > 300_000 && texts < 1_048_576, `${texts} characters are kept`);
  cache.add('eth0', [PTR]);
  assert.ok(cache.instances().includes(String(PTR.data)));
});
