// What one packet of a stranger draws from us: no more than each record once, and not again within a second.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createAdvertiser, waitAfter } from '../../src/discovery/discovery.ts';
import { dnsPacket, muteNetwork } from '../support/network/mute-network.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { TestClock } from '../support/ports/test-clock.ts';

const PROTOCOLS = ['mqtt', 'websockets'] as const;

test('advertiser answers a packet full of questions with each record once, and repeats and legacy questions with little', async (t) => {
  const network = muteNetwork();
  const log = recordingLog(['notice']);
  const clock = new TestClock();
  const advertiser = createAdvertiser({
    options: { advertise: true, name: 'kitchen' },
    listeners: () =>
      PROTOCOLS.flatMap((protocol) => [false, true].map((tls, at) => ({ protocol, tls, port: 1883 + at, anonymous: false }))),
    hostName: 'kitchen',
    machine: null,
    caFingerprint: null,
    addresses: () => ['127.0.0.1'],
    log,
    clock,
  });
  t.after(async () => {
    await advertiser.stop();
    network.end();
  });
  await advertiser.start();
  while (!log.lines.some((line) => line.startsWith('Announced by mDNS'))) await pause(50);
  clock.advance(10_000); // what was just announced is not repeated within a second
  const names = [
    'kitchen.local',
    '_mqtt._tcp.local',
    '_secure-mqtt._tcp.local',
    'kitchen._mqtt._tcp.local',
    '_services._dns-sd._udp.local',
  ];
  const questions = Array.from({ length: 40 }, (_, at) => ({ name: names[at % names.length]!, type: 'ANY' }));
  const query = dnsPacket().encode({ type: 'query', questions });
  const bytes = async (from: { address: string; port: number }, times = 1) => {
    network.forget();
    for (let count = 0; count < times; count++) network.hear(query, from);
    await pause(300); // shared records are answered after 120 ms at most
    return network.sent.reduce((sum, packet) => sum + packet.length, 0);
  };
  const first = await bytes({ address: '127.0.0.2', port: 5353 });
  t.diagnostic(`${query.length} bytes of questions draw ${first} bytes`);
  assert.ok(first > 300 && first < 8 * query.length, `${query.length} bytes draw ${first}`);
  assert.equal(await bytes({ address: '127.0.0.2', port: 5353 }, 50), 0);
  const legacy = await bytes({ address: '127.0.0.2', port: 40_000 }, 500);
  t.diagnostic(`500 of them from a port of a resolver draw ${legacy} bytes`);
  assert.ok(legacy > 0 && legacy < 40 * 1500, `${legacy} bytes`);
  clock.advance(10_000);
  const before = network.sent.length;
  network.hear(query, { address: '192.0.2.9', port: 40_000 }); // not of this link
  assert.equal(network.sent.length, before);
});

test('waitAfter leaves five conflicts in an hour without a wait, and makes each further one wait longer up to a quarter of an hour', () => {
  assert.deepEqual([1, 5, 6, 7, 8, 11, 12, 50].map(waitAfter), [0, 0, 15_000, 30_000, 60_000, 480_000, 900_000, 900_000]);
});
