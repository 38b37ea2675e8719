// Which of the open listeners are announced, and under which addresses.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advertisedListeners, reachableAddresses } from '../../src/discovery/advertised.ts';

test('discovery advertises listeners that others can reach, under the addresses that they are bound to', () => {
  const options = { protocol: 'mqtt', unixPath: null, tls: null, policy: { allowAnonymous: false } } as const;
  const open = [
    { options, port: 1883, addresses: ['0.0.0.0', '::'] },
    { options, port: 1884, addresses: ['127.0.0.1'] },
    { port: 0, addresses: ['/run/m.sock'], options: { ...options, unixPath: '/run/m.sock' } },
  ];
  assert.deepEqual(advertisedListeners(open), [{ protocol: 'mqtt', tls: false, port: 1883, anonymous: false }]);
  assert.deepEqual(reachableAddresses(open, ['192.0.2.7', '2001:db8::1']), ['192.0.2.7', '2001:db8::1']);
  const one = [{ options, port: 1883, addresses: ['192.0.2.7'] }];
  assert.deepEqual(reachableAddresses(one, ['192.0.2.7', '198.51.100.1', '2001:db8::1']), ['192.0.2.7']);
});
