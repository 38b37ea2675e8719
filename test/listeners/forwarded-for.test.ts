// X-Forwarded-For: the address of a client behind reverse proxies, and of nobody else.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import WebSocket from 'ws';
import { Networks } from '../../src/base/networks.ts';
import { clientBehind } from '../../src/listeners/forwarded-for.ts';
import { openListener } from './test-listener.ts';

const TRUSTED = new Networks(['10.0.0.0/24', 'fd00::/8', '::1']);

for (const [when, peer, header, expected] of [
  ['there is no header', '10.0.0.3', undefined, '10.0.0.3'],
  ['the peer is not trusted', '10.0.1.3', '203.0.113.5', '10.0.1.3'],
  ['the peer is trusted', '10.0.0.3', '203.0.113.5', '203.0.113.5'],
  ['another proxy stands before', '10.0.0.3', '203.0.113.5, 10.0.0.2', '203.0.113.5'],
  ['the client has written a header itself', '10.0.0.3', '127.0.0.1, 198.51.100.9, 203.0.113.5,10.0.0.2', '203.0.113.5'],
  ['all are trusted', '10.0.0.3', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
  ['it ends in something that is no address', '10.0.0.3', '203.0.113.5, unknown', '10.0.0.3'],
  ['something in it is no address', '10.0.0.3', '203.0.113.5, _hidden, 10.0.0.2', '10.0.0.2'],
  ['it is empty', '10.0.0.3', '', '10.0.0.3'],
  ['addresses have ports', 'fd00::3', '203.0.113.5:4711, [fd00::2]:99', '203.0.113.5'],
  ['addresses are IPv6', '::1', '2001:DB8::5', '2001:db8::5'],
  ['an address is IPv4 written as IPv6', '::1', '::ffff:203.0.113.5', '203.0.113.5'],
  ['the other end is a Unix socket', '', '203.0.113.5', ''],
] as const) {
  test(`clientBehind gives the client or the last who is known when ${when}`, () => {
    assert.equal(clientBehind(peer, header, TRUSTED), expected);
  });
}

for (const [trustedProxies, expected] of [
  [[], '127.0.0.1'],
  [['192.0.2.1'], '127.0.0.1'],
  [['127.0.0.1'], '203.0.113.5'],
] as const) {
  test(`WebSocket listener takes ${expected} for the client when trusted_proxies is ${trustedProxies.join() || 'not there'}`, async (context) => {
    const { listener, next, refusals } = await openListener(context, { protocol: 'websockets', trustedProxies });
    const dial = (...protocols: string[]) =>
      new WebSocket(`ws://127.0.0.1:${listener.port}`, protocols, { headers: { 'X-Forwarded-For': '203.0.113.5' } });
    const client = dial('mqtt');
    assert.equal((await next()).origin.address, expected);
    await once(client, 'open');
    client.terminate();
    const [error] = await once(dial('chat'), 'error');
    assert.match(String(error), /400/);
    assert.deepEqual(
      refusals.map(({ from }) => from.address),
      [expected],
    );
  });
}
