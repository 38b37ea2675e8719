// Connections through a proxy that says who is behind it: PROXY protocol 1 and 2.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import type { ListenerOptions } from '../../src/listeners/options.ts';
import { parseProxyHeader } from '../../src/listeners/proxy-protocol.ts';
import { closed } from '../support/network/closed.ts';
import { testAuthority } from '../support/network/test-certificates.ts';
import { openListener, TLS } from './test-listener.ts';

const LINE = 'PROXY TCP4 192.0.2.7 198.51.100.1 51234 1883\r\n';
const SIGNATURE = '0d0a0d0a000d0a515549540a';

function binary(command: number, family: number, body: string): Buffer {
  const content = Buffer.from(body.replaceAll(' ', ''), 'hex');
  const head = Buffer.from([command, family, content.length >> 8, content.length & 0xff]);
  return Buffer.concat([Buffer.from(SIGNATURE, 'hex'), head, content]);
}

function unixPaths(...paths: [string, string]): string {
  return paths.map((path) => Buffer.from(path.padEnd(108, '\0')).toString('hex')).join('');
}

const V4 = 'c0000207 c6336401 c822 075b';
const V6 = '20010db8000000000000000000000007 20010db8000000000000000000000001 c822 075b';
/** TLVs: no operation, then SSL with the client's flags and a result. */
const BY_TLS = '04 0001 00  20 0005 01 00000000';
const NOT_BY_TLS = '20 0005 00 00000001';
/** With a certificate that is valid, TLS 1.3, its common name and a cipher. */
const BY_CERTIFICATE = '20 001c 05 00000000  21 0007 544c5376312e33  22 0004 6c616d70  23 0003 414553';
const CERTIFICATE_FAILED = '20 0005 05 00000001';
const NO_NAME = '20 0005 05 00000000';

for (const [what, bytes, version, expected] of [
  ['a line for IPv4', Buffer.from(`${LINE}rest`), 1, { length: LINE.length, client: { address: '192.0.2.7', port: 51234 }, tls: null }],
  [
    'a line for IPv6',
    Buffer.from('PROXY TCP6 2001:db8::7 ::1 1 2\r\n'),
    1,
    { length: 32, client: { address: '2001:db8::7', port: 1 }, tls: null },
  ],
  ['a line that does not know', Buffer.from('PROXY UNKNOWN ffff::1 x 1 2\r\n'), 1, { length: 29, client: null, tls: null }],
  ['IPv4 in version 2', binary(0x21, 0x11, V4), 2, { length: 28, client: { address: '192.0.2.7', port: 51234 }, tls: null }],
  ['IPv6 in version 2', binary(0x21, 0x21, V6), 2, { length: 52, client: { address: '2001:db8::7', port: 51234 }, tls: null }],
  [
    'a client that came by TLS',
    binary(0x21, 0x11, V4 + BY_TLS),
    2,
    {
      length: 40,
      client: { address: '192.0.2.7', port: 51234 },
      tls: { version: null, cipher: null, hasCertificate: false, commonName: null },
    },
  ],
  ['one that did not', binary(0x21, 0x11, V4 + NOT_BY_TLS), 2, { length: 36, client: { address: '192.0.2.7', port: 51234 }, tls: null }],
  [
    'a client with a certificate',
    binary(0x21, 0x11, V4 + BY_CERTIFICATE),
    2,
    {
      length: 59,
      client: { address: '192.0.2.7', port: 51234 },
      tls: { version: 'TLSv1.3', cipher: 'AES', hasCertificate: true, commonName: 'lamp' },
    },
  ],
  ['a health check of the proxy', binary(0x20, 0x00, ''), 2, { length: 16, isLocal: true, client: null, tls: null }],
  ['a Unix socket without a path behind the proxy', binary(0x21, 0x31, '00'.repeat(216)), 2, { length: 232, client: null, tls: null }],
  [
    'a Unix socket with a path and TLS behind the proxy',
    binary(0x21, 0x31, unixPaths('/run/client.sock', '/run/proxy.sock') + BY_CERTIFICATE),
    2,
    {
      length: 263,
      client: { address: '/run/client.sock', port: 0 },
      tls: { version: 'TLSv1.3', cipher: 'AES', hasCertificate: true, commonName: 'lamp' },
    },
  ],
  [
    'a Unix socket that only the proxy has a path of',
    binary(0x21, 0x31, unixPaths('', '/run/proxy.sock')),
    2,
    { length: 232, client: { address: '/run/proxy.sock', port: 0 }, tls: null },
  ],
  [
    'a client of unknown address with TLS',
    binary(0x21, 0x00, BY_TLS),
    2,
    { length: 28, client: null, tls: { version: null, cipher: null, hasCertificate: false, commonName: null } },
  ],
] as const) {
  test(`PROXY header is read when it is ${what}, whole and cut anywhere`, () => {
    assert.deepEqual(parseProxyHeader(bytes, version), { isLocal: false, ...expected });
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
  ['of no known family', binary(0x21, 0x41, V4), 2, /cut short/],
  ['of a Unix socket and cut short', binary(0x21, 0x31, '00'.repeat(215)), 2, /cut short/],
  ['without the second address', Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.256 1 2\r\n'), 1, /has no address/],
  ['without the second port', Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 1\r\n'), 1, /has no port/],
  ['with a port that is none', Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 65536 1\r\n'), 1, /has no port/],
  ['cut short', binary(0x21, 0x11, 'c0000207'), 2, /cut short/],
  ['cut short in a TLV', binary(0x21, 0x11, `${V4}04 0002 00`), 2, /cut short/],
  ['cut short in the TLV about TLS', binary(0x21, 0x11, `${V4}20 0002 0100`), 2, /cut short/],
  ['cut short in a TLV within that', binary(0x21, 0x11, `${V4}20 0009 0500000000 22 0009 6c`), 2, /cut short/],
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
  await plain.log.line(/^Client from 192\.0\.2\.7:51234 denied: it came to the proxy without TLS\.$/);
  for (const header of [
    binary(0x21, 0x00, ''),
    binary(0x21, 0x31, unixPaths('', '/run/proxy.sock')),
    binary(0x21, 0x31, '00'.repeat(216)),
  ]) {
    const unnamed = await through(context, options, header);
    await unnamed.log.line(/ denied: it came to the proxy without TLS\.$/);
  }
  const check = await through(context, options, binary(0x20, 0x00, ''));
  assert.equal((await check.next()).origin.address, '127.0.0.1');
  const secure = await through(context, options, binary(0x21, 0x11, V4 + BY_TLS), 'hello');
  assert.equal((await secure.next()).origin.address, '192.0.2.7');
});

test('listener takes the name of the client certificate that the proxy has found valid, and nobody without one', async (context) => {
  const options = { proxyProtocol: 2, proxyCertificate: 'names the user' } as const;
  const named = await through(context, options, binary(0x21, 0x11, V4 + BY_CERTIFICATE));
  assert.deepEqual(
    [(await named.next()).origin.identity, named.log.lines.at(-1)],
    ['lamp', 'Connection from 192.0.2.7:51234 negotiated TLSv1.3 cipher AES.'],
  );
  for (const [header, reason] of [
    [binary(0x20, 0x00, ''), 'it showed the proxy no valid client certificate'],
    [binary(0x21, 0x11, V4), 'it showed the proxy no valid client certificate'],
    [binary(0x21, 0x11, V4 + BY_TLS), 'it showed the proxy no valid client certificate'],
    [binary(0x21, 0x11, V4 + CERTIFICATE_FAILED), 'it showed the proxy no valid client certificate'],
    [binary(0x21, 0x11, V4 + NO_NAME), 'its client certificate has no common name'],
  ] as const) {
    const { socket, refusals } = await through(context, options, header);
    await closed(socket.resume());
    assert.equal(refusals[0]?.reason, `is turned away by the PROXY protocol of this listener: ${reason}`);
  }
  const required = await through(context, { proxyProtocol: 2, proxyCertificate: 'required' }, binary(0x21, 0x11, V4 + NO_NAME));
  assert.equal((await required.next()).origin.identity, null);
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
