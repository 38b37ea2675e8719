// Connections through a proxy that says who is behind it: PROXY protocol 1 and 2.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import type { ListenerOptions } from '../../src/listeners/options.ts';
import { parseProxyHeader } from '../../src/listeners/proxy-protocol.ts';
import { closed } from '../support/closed.ts';
import { testAuthority } from '../support/test-certificates.ts';
import { openListener, TLS } from './test-listener.ts';

const LINE = 'PROXY TCP4 192.0.2.7 198.51.100.1 51234 1883\r\n';
const SIGNATURE = '0d0a0d0a000d0a515549540a';

function binary(command: number, family: number, body: string): Buffer {
  const content = Buffer.from(body.replaceAll(' ', ''), 'hex');
  const head = Buffer.from([command, family, content.length >> 8, content.length & 0xff]);
  return Buffer.concat([Buffer.from(SIGNATURE, 'hex'), head, content]);
}

const V4 = 'c0000207 c6336401 c822 075b';
const V6 = '20010db8000000000000000000000007 20010db8000000000000000000000001 c822 075b';
/** TLVs: no operation, then SSL with the client's flags and a result. */
const BY_TLS = '04 0001 00  20 0005 01 00000000';
const NOT_BY_TLS = '20 0005 00 00000001';

for (const [what, bytes, version, expected] of [
  ['a line for IPv4', Buffer.from(`${LINE}rest`), 1, { length: LINE.length, client: { address: '192.0.2.7', port: 51234 }, byTls: false }],
  [
    'a line for IPv6',
    Buffer.from('PROXY TCP6 2001:db8::7 ::1 1 2\r\n'),
    1,
    { length: 32, client: { address: '2001:db8::7', port: 1 }, byTls: false },
  ],
  ['a line that does not know', Buffer.from('PROXY UNKNOWN ffff::1 x 1 2\r\n'), 1, { length: 29, client: null, byTls: false }],
  ['IPv4 in version 2', binary(0x21, 0x11, V4), 2, { length: 28, client: { address: '192.0.2.7', port: 51234 }, byTls: false }],
  ['IPv6 in version 2', binary(0x21, 0x21, V6), 2, { length: 52, client: { address: '2001:db8::7', port: 51234 }, byTls: false }],
  [
    'a client that came by TLS',
    binary(0x21, 0x11, V4 + BY_TLS),
    2,
    { length: 40, client: { address: '192.0.2.7', port: 51234 }, byTls: true },
  ],
  ['one that did not', binary(0x21, 0x11, V4 + NOT_BY_TLS), 2, { length: 36, client: { address: '192.0.2.7', port: 51234 }, byTls: false }],
  ['a health check of the proxy', binary(0x20, 0x00, ''), 2, { length: 16, client: null, byTls: false }],
  ['a Unix socket behind the proxy', binary(0x21, 0x31, '00'.repeat(216)), 2, { length: 232, client: null, byTls: false }],
] as const) {
  test(`PROXY header is read when it is ${what}, whole and cut anywhere`, () => {
    assert.deepEqual(parseProxyHeader(bytes, version), expected);
    for (let end = 0; end < expected.length; end++) assert.equal(parseProxyHeader(bytes.subarray(0, end), version), null, `${end} bytes`);
  });
}

for (const [what, bytes, version, reason] of [
  ['MQTT', Buffer.from('101000044d515454', 'hex'), 1, /it sent no PROXY header/],
  ['MQTT for version 2', Buffer.from('10', 'hex'), 2, /it sent no PROXY header/],
  ['of version 2 where 1 is wanted', binary(0x21, 0x11, V4), 1, /it sent no PROXY header/],
  ['of version 1 where 2 is wanted', Buffer.from(LINE), 2, /it sent no PROXY header/],
  ['too long', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`), 1, /too long/],
  ['without address', Buffer.from('PROXY TCP4 nobody 1 2 3\r\n'), 1, /has no address/],
  ['with an address of the other family', Buffer.from('PROXY TCP4 ::1 ::1 2 3\r\n'), 1, /has no address/],
  ['without port', Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1\r\n'), 1, /has no port/],
  ['of a later version', binary(0x31, 0x11, V4), 2, /no known version/],
  ['cut short', binary(0x21, 0x11, 'c0000207'), 2, /cut short/],
] as const) {
  test(`PROXY header is refused when it is ${what}`, () => {
    assert.throws(() => parseProxyHeader(bytes, version), reason);
  });
}

async function through(context: TestContext, options: Partial<ListenerOptions>, ...pieces: (string | Buffer)[]) {
  const opened = await openListener(context, { proxyProtocol: 1, ...options });
  const socket = connect({ port: opened.listener.port, host: '127.0.0.1', noDelay: true }).on('error', () => {});
  context.after(() => socket.destroy());
  await once(socket, 'connect');
  for (const piece of pieces) socket.write(piece);
  return { ...opened, socket };
}

test('listener hands over what comes later when the header comes alone', async (context) => {
  const { next, socket } = await through(context, { proxyProtocol: 2 }, binary(0x21, 0x21, V6));
  const { stream, origin } = await next();
  assert.equal(origin.address, '2001:db8::7');
  socket.write('hello');
  assert.equal(String((await once(stream, 'data'))[0]), 'hello');
});

test('listener turns a connection away when it brings no header, and remembers it', async (context) => {
  const { socket, log, refusals } = await through(context, {}, Buffer.from('101000044d515454', 'hex'));
  await closed(socket.resume());
  assert.match(await log.line(/denied/), /^Client from 127\.0\.0\.1:\d+ denied: it sent no PROXY header\.$/);
  assert.equal(refusals[0]?.cause, 'proxy');
});

test('listener turns a client away when it came to the proxy without TLS and proxy_protocol_v2_require_tls is there', async (context) => {
  const options = { proxyProtocol: 2, proxyRequiresTls: true } as const;
  const plain = await through(context, options, binary(0x21, 0x11, V4));
  await plain.log.line(/^Client from 127\.0\.0\.1:\d+ denied: it came to the proxy without TLS\.$/);
  const secure = await through(context, options, binary(0x21, 0x11, V4 + BY_TLS), 'hello');
  assert.equal((await secure.next()).origin.address, '192.0.2.7');
});

test('listener does TLS behind the header when the proxy passes it on', async (context) => {
  const authority = await testAuthority();
  const opened = await openListener(context, { proxyProtocol: 1, tls: TLS }, await authority.issue('CN=localhost'));
  const socket: Socket = connect(opened.listener.port, '127.0.0.1');
  socket.write(LINE);
  const secure = connectTls({ socket, servername: 'localhost', ca: authority.cert });
  const { stream, origin } = await opened.next();
  assert.deepEqual([origin.address, origin.tls?.version], ['192.0.2.7', 'TLSv1.3']);
  secure.write('hello');
  assert.equal(String((await once(stream, 'data'))[0]), 'hello');
  secure.destroy();
});

test('listener speaks WebSocket behind the header', async (context) => {
  const opened = await openListener(context, { proxyProtocol: 1, protocol: 'websockets' });
  const createConnection = () => {
    const socket = connect(opened.listener.port, '127.0.0.1');
    socket.write(LINE);
    return socket;
  };
  const client = new WebSocket(`ws://127.0.0.1:${opened.listener.port}/`, 'mqtt', { createConnection });
  await once(client, 'open');
  const { stream, origin } = await opened.next();
  assert.equal(origin.address, '192.0.2.7');
  client.send(Buffer.from('hello'));
  assert.equal(String((await once(stream, 'data'))[0]), 'hello');
  client.terminate();
});
