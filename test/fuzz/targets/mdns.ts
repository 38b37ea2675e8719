// mDNS packets at an advertiser and at a browser, on sockets that send nothing: nothing is thrown, and what is remembered stays bounded.

import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import fc from 'fast-check';
import { browse, createAdvertiser } from '../../../src/discovery/discovery.ts';
import { nextTurn } from '../../support/broker/turns.ts';
import { dnsPacket, muteNetwork } from '../../support/network/mute-network.ts';
import { recordingLog } from '../../support/ports/recording-log.ts';
import { damaged, hexOf } from '../mutations.ts';
import type { Target } from '../target.ts';

const names = fc.constantFrom(
  ...['fuzzed.local', '_mqtt._tcp.local', 'fuzzed._mqtt._tcp.local', '_services._dns-sd._udp.local', 'other.local', 'a.b.c', '.', ''],
  ...['Fuzzed.LOCAL', 'x'.repeat(63), `${'y'.repeat(60)}.${'z'.repeat(60)}.local`, 'other._mqtt._tcp.local', '_secure-mqtt._tcp.local'],
);
const ttl = fc.constantFrom(0, 1, 10, 120, 4500, 0xffffffff);
const flush = fc.boolean();
const record = fc.oneof(
  fc.record({ type: fc.constantFrom('PTR', 'CNAME', 'NS'), name: names, ttl, flush, data: names }),
  fc.record({ type: fc.constant('A'), name: names, ttl, flush, data: fc.constantFrom('127.0.0.1', '192.0.2.1', '0.0.0.0') }),
  fc.record({ type: fc.constant('AAAA'), name: names, ttl, flush, data: fc.constantFrom('::1', 'fe80::1', '2001:db8::1') }),
  fc.record({ type: fc.constant('TXT'), name: names, ttl, flush, data: fc.array(fc.string({ maxLength: 30 }), { maxLength: 4 }) }),
  fc.record({
    type: fc.constant('SRV'),
    name: names,
    ttl,
    flush,
    data: fc.record({ port: fc.nat(65_535), target: names, priority: fc.nat(9), weight: fc.nat(9) }),
  }),
  fc.record({
    type: fc.constant('NSEC'),
    name: names,
    ttl,
    flush,
    data: fc.record({ nextDomain: names, rrtypes: fc.constant(['A', 'AAAA']) }),
  }),
);
const question = fc.record({ name: names, type: fc.constantFrom('PTR', 'A', 'AAAA', 'SRV', 'TXT', 'ANY', 'NSEC', 'HINFO') });
const packet = fc.record({
  type: fc.constantFrom('query', 'response'),
  id: fc.constantFrom(0, 1),
  flags: fc.constantFrom(0, 1 << 10, 1 << 9),
  questions: fc.array(question, { maxLength: 6 }),
  answers: fc.array(record, { maxLength: 6 }),
  authorities: fc.array(record, { maxLength: 2 }),
  additionals: fc.array(record, { maxLength: 3 }),
});

const input = damaged(
  packet.map((content) => {
    try {
      return dnsPacket().encode(content);
    } catch {
      return Buffer.alloc(12); // a name that the package itself does not write
    }
  }),
);
const sender = fc.record({
  address: fc.constantFrom('127.0.0.1', '127.0.0.2', '192.0.2.9'),
  port: fc.constantFrom(5353, 5353, 5353, 40_000),
  family: fc.constant('IPv4' as const),
  size: fc.constant(0),
});
type Sender = typeof sender extends fc.Arbitrary<infer T> ? T : never;

export const MDNS: Target<[Buffer, Sender]> = {
  name: 'mdns',
  what: 'mDNS queries and responses at an advertiser and at a browser',
  input: fc.tuple(hexOf(input), sender),
  async open() {
    const network = muteNetwork();
    const uncaught: unknown[] = [];
    const note = (error: unknown) => uncaught.push(error);
    process.on('uncaughtException', note);
    process.on('unhandledRejection', note);
    const ending = new AbortController();
    const log = recordingLog(['error']);
    const advertiser = createAdvertiser({
      options: { advertise: true, name: 'fuzzed' },
      listeners: () => [{ protocol: 'mqtt', tls: false, port: 1883, anonymous: false }],
      hostName: 'fuzzed',
      machine: null,
      caFingerprint: null,
      addresses: () => ['127.0.0.1'],
      log,
    });
    await advertiser.start();
    const browsing = browse({ signal: ending.signal, onFound: () => {}, interfaces: () => ({ lo: networkInterfaces()['lo'] }) });
    return {
      async feed([bytes, from]) {
        network.hear(bytes, from);
        await nextTurn();
        assert.deepEqual([...log.lines, ...uncaught.splice(0)], []);
        return 1;
      },
      async close() {
        ending.abort();
        await Promise.all([advertiser.stop(), browsing]);
        network.end();
        process.off('uncaughtException', note);
        process.off('unhandledRejection', note);
      },
    };
  },
};
