// New options for an open listener: who is in the middle of a handshake goes on, unless other things are asked for than before.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { ListenerOptions } from '../../src/listeners/options.ts';
import { closed } from '../support/network/closed.ts';
import { testAuthority } from '../support/network/test-certificates.ts';
import { openListener, PLAIN, type TestListener, TLS } from './test-listener.ts';

const CONNECT = Buffer.from('100c00044d5154540402003c0000', 'hex');

async function dial(context: TestContext, { listener }: TestListener, first: Buffer): Promise<Socket> {
  const socket = connect(listener.port, '127.0.0.1');
  context.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.write(first);
  while (listener.connections === 0) await new Promise(setImmediate);
  return socket;
}

async function reload({ listener }: TestListener, options: Partial<ListenerOptions>): Promise<void> {
  const putInForce = await listener.prepare({ ...listener.options, ...options });
  putInForce();
}

test('listener lets a TLS handshake go on when it is reloaded, and takes the policy of now', async (context) => {
  const pair = await (await testAuthority()).issue('CN=localhost');
  const made = await openListener(context, { tls: TLS }, pair);
  const socket = await dial(context, made, Buffer.alloc(0));
  await reload(made, { policy: { ...PLAIN.policy, autoIdPrefix: 'new-' } });
  const secure = connectTls({ socket, rejectUnauthorized: false });
  await once(secure, 'secureConnect');
  const { origin } = await made.next();
  assert.equal(origin.policy.autoIdPrefix, 'new-');
});

test('listener lets half a WebSocket upgrade go on when it is reloaded, and asks the origins of now', async (context) => {
  const made = await openListener(context, { protocol: 'websockets' });
  const [first, rest] = [
    'GET / HTTP/1.1\r\nHost: broker\r\nConnection: upgrade\r\n',
    'Upgrade: websocket\r\nOrigin: http://evil.example\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
      'Sec-WebSocket-Protocol: mqtt\r\n\r\n',
  ];
  for (const [websocketsOrigins, expected] of [
    [[], /^HTTP\/1\.1 101 /],
    [['https://home.example'], /^HTTP\/1\.1 403 /],
  ] as const) {
    const socket = await dial(context, made, Buffer.from(first));
    await reload(made, { websocketsOrigins });
    socket.write(rest);
    const [chunk] = await once(socket, 'data');
    assert.match(String(chunk), expected);
    socket.destroy();
  }
});

test('listener lets half a PROXY header go on when it is reloaded', async (context) => {
  const made = await openListener(context, { proxyProtocol: 1 });
  const socket = await dial(context, made, Buffer.from('PROXY TCP4 192.0.2.7 '));
  await reload(made, {});
  socket.write(Buffer.concat([Buffer.from('198.51.100.1 51234 1883\r\n'), CONNECT]));
  const { origin } = await made.next();
  assert.equal(origin.address, '192.0.2.7');
});

test('listener closes who has not signed in when other things are asked for than before', async (context) => {
  const made = await openListener(context, {});
  const socket = await dial(context, made, CONNECT);
  await made.next();
  await reload(made, { proxyProtocol: 1 });
  await closed(socket.resume());
});
