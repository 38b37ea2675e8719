// The page for browsers on the network: as a web server, not as a broker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advertisedListeners } from '../../src/discovery/advertised.ts';
import { announcementsOf } from '../../src/discovery/announcement.ts';

test('page is announced as web server with and without TLS, and a listener of this machine only is not', () => {
  const listener = (port: number, tls: object | null, address: string) => ({
    port,
    addresses: [address],
    options: { protocol: 'http', unixPath: null, tls, policy: { allowAnonymous: false } } as const,
  });
  const listeners = advertisedListeners([listener(443, {}, '::'), listener(80, null, '::'), listener(8081, null, '127.0.0.1')]);
  const subject = { listeners, name: 'kitchen', ordinal: 1, machine: { vendor: 'v', model: 'm' }, caFingerprint: 'AB:CD' };
  assert.deepEqual(announcementsOf(subject), [
    { type: 'https', instance: 'kitchen', port: 443, txt: { txtvers: '1', path: '/' } },
    { type: 'http', instance: 'kitchen', port: 80, txt: { txtvers: '1', path: '/' } },
  ]);
});
