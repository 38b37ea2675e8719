// WebSocket listeners: upgrade, byte stream, what is turned away.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { test } from 'node:test';
import WebSocket from 'ws';
import type { ConnectionOrigin } from '../../src/broker/options.ts';
import { closed } from '../support/network/closed.ts';
import { testAuthority } from '../support/network/test-certificates.ts';
import { openListener, TLS } from './test-listener.ts';

test('WebSocket listener carries bytes both ways when a client offers mqtt [MQTT-6.0.0-2] [MQTT-6.0.0-4]', async (context) => {
  const { listener, next, log } = await openListener(context, { protocol: 'websockets' });
  assert.deepEqual(log.lines, [`Opening websockets listen socket on port ${listener.port}.`]);
  const client = new WebSocket(`ws://127.0.0.1:${listener.port}/any/path`, ['mqtt']);
  const { stream, origin } = await next();
  assert.equal(origin.address, '127.0.0.1');
  await once(client, 'open');
  assert.equal(client.protocol, 'mqtt');
  client.send(Buffer.from('ab'));
  client.send(Buffer.from('cd'));
  assert.equal(await bytes(stream, 4), 'abcd');
  stream.write(framed(origin, Buffer.from('one')));
  const [message, isBinary] = await once(client, 'message');
  assert.deepEqual([String(message), isBinary], ['one', true]);
  stream.end();
  const [code] = await once(client, 'close');
  assert.equal(code, 1000);
  await closed(stream);
});

test('WebSocket listener sends each packet, framed as it asks for, as a message of its own, whole and in order', async (context) => {
  const { listener, next } = await openListener(context, { protocol: 'websockets' });
  const client = new WebSocket(`ws://127.0.0.1:${listener.port}`, ['mqtt']);
  const { stream, origin } = await next();
  await once(client, 'open');
  const packets = [4, 125, 126, 303, 65_535, 65_536, 70_004].map((length, at) => Buffer.alloc(length, at));
  const got: Buffer[] = [];
  client.on('message', (message: Buffer) => got.push(message));
  const all = packets.map((packet) => framed(origin, packet));
  stream.write(Buffer.concat(all));
  stream.cork(); // frames in several pieces
  for (const frame of all) {
    stream.write(frame.subarray(0, 3));
    stream.write(frame.subarray(3));
  }
  stream.uncork();
  stream.end();
  await once(client, 'close');
  assert.deepEqual(got, [...packets, ...packets]);
});

test('WebSocket listener accepts the older subprotocol when only mqttv3.1 is offered', async (context) => {
  const { listener } = await openListener(context, { protocol: 'websockets' });
  const client = new WebSocket(`ws://127.0.0.1:${listener.port}`, ['x', 'mqttv3.1']);
  await once(client, 'open');
  assert.equal(client.protocol, 'mqttv3.1');
  client.terminate();
});

test('WebSocket listener ends the stream when the client closes or vanishes', async (context) => {
  const { listener, next } = await openListener(context, { protocol: 'websockets' });
  for (const leave of ['close', 'terminate'] as const) {
    const client = new WebSocket(`ws://127.0.0.1:${listener.port}`, ['mqtt']);
    const { stream } = await next();
    await once(client, 'open');
    client[leave]();
    await closed(stream.resume());
  }
});

test('WebSocket listener answers pings, only the latest of many, and gives a client its closing code back', async (context) => {
  const { listener, next } = await openListener(context, { protocol: 'websockets' });
  const client = new WebSocket(`ws://127.0.0.1:${listener.port}`, ['mqtt']);
  const { stream } = await next();
  await once(client, 'open');
  const pongs: string[] = [];
  client.on('pong', (data) => pongs.push(String(data)));
  const { _socket: wire } = client as unknown as { readonly _socket: Duplex };
  wire.cork();
  for (let count = 1; count <= 1000; count++) client.ping(`${count}`);
  process.nextTick(() => wire.uncork());
  client.send(Buffer.from('ab'));
  assert.equal(await bytes(stream, 2), 'ab');
  while (pongs.at(-1) !== '1000') await once(client, 'pong');
  assert.ok(pongs.length < 100, `${pongs.length} answers`);
  client.close(3001);
  const [code] = await once(client, 'close');
  assert.equal(code, 3001);
  await closed(stream.resume());
});

test('WebSocket listener cuts a client that does not say goodbye, and one that only closes its side of the connection', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const { listener, next } = await openListener(context, { protocol: 'websockets' });
  const client = new WebSocket(`ws://127.0.0.1:${listener.port}`, ['mqtt']);
  const { stream } = await next();
  await once(client, 'open');
  client.pause(); // it reads no close frame
  stream.end();
  stream.resume();
  await once(stream, 'finish');
  assert.equal(stream.destroyed, false);
  context.mock.timers.tick(5000);
  await closed(stream);
  client.terminate();
  const other = new WebSocket(`ws://127.0.0.1:${listener.port}`, ['mqtt']);
  const { stream: second } = await next();
  await once(other, 'open');
  (other as unknown as { readonly _socket: Duplex })._socket.end();
  await closed(second.resume());
  other.terminate();
});

test('WebSocket listener closes the connection when text arrives [MQTT-6.0.0-1]', async (context) => {
  const { listener, next } = await openListener(context, { protocol: 'websockets' });
  const client = new WebSocket(`ws://127.0.0.1:${listener.port}`, ['mqtt']);
  const { stream } = await next();
  let received = 0;
  stream.on('data', (chunk) => {
    received += chunk.length;
  });
  await once(client, 'open');
  client.send('text');
  const [code] = await once(client, 'close');
  assert.equal(code, 1003);
  await closed(stream);
  assert.equal(received, 0);
});

test('WebSocket listener closes the connection when a message is too large', async (context) => {
  const { listener, next } = await openListener(context, { protocol: 'websockets' });
  const client = new WebSocket(`ws://127.0.0.1:${listener.port}`, ['mqtt']);
  const { stream } = await next();
  await once(client, 'open');
  client.send(Buffer.alloc(1001));
  const [code] = await once(client, 'close');
  assert.equal(code, 1009);
  assert.equal(stream.destroyed, true);
});

test('WebSocket stream slows its reader down when the broker does not read', async (context) => {
  const { listener, next } = await openListener(context, { protocol: 'websockets' });
  const client = new WebSocket(`ws://127.0.0.1:${listener.port}`, ['mqtt']);
  const { stream } = await next();
  await once(client, 'open');
  const total = 3000 * 1000;
  for (let sent = 0; sent < total; sent += 1000) client.send(Buffer.alloc(1000, 'x'));
  while (stream.readableLength < stream.readableHighWaterMark) await new Promise(setImmediate);
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
  assert(stream.readableLength < total / 2, `${stream.readableLength} bytes wait in memory`);
  assert.equal((await bytes(stream, total)).length, total);
  client.terminate();
});

test('WebSocket listener turns a client away when it does not offer mqtt [MQTT-6.0.0-3]', async (context) => {
  const { listener, log } = await openListener(context, { protocol: 'websockets' });
  const response = await refusal(`ws://127.0.0.1:${listener.port}`, ['other']);
  assert.equal(response.statusCode, 400);
  await log.line(/^Client from 127\.0\.0\.1:\d+ disconnected: Sec-WebSocket-Protocol does not offer mqtt\.$/);
});

test('WebSocket listener turns a web page away when its origin is not allowed', async (context) => {
  const { listener, log } = await openListener(context, { protocol: 'websockets', websocketsOrigins: ['https://home.example/'] });
  const url = `ws://127.0.0.1:${listener.port}`;
  assert.equal((await refusal(url, ['mqtt'], 'https://evil.example')).statusCode, 403);
  assert.equal((await refusal(url, ['mqtt'])).statusCode, 403);
  await log.line(/disconnected: non-matching http origin\.$/);
  const client = new WebSocket(url, ['mqtt'], { origin: 'https://HOME.example' });
  await once(client, 'open');
  client.terminate();
});

test('WebSocket listener turns pages of other machines away when nobody has configured it', async (context) => {
  const { listener, refusals } = await openListener(context, { protocol: 'websockets', websocketsOrigins: 'loopback' });
  const url = `ws://127.0.0.1:${listener.port}`;
  const foreign = [
    'https://evil.example',
    'null',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'http://192.168.1.7',
    'x',
  ];
  for (const origin of foreign) assert.equal((await refusal(url, ['mqtt'], origin)).statusCode, 403, origin);
  assert.equal(refusals.length, foreign.length);
  assert.match(
    refusals[0]?.reason ?? '',
    /non-matching http origin, for without a configuration only web pages of this machine may connect/,
  );
  for (const origin of [undefined, 'http://localhost:3000', 'https://app.localhost', 'http://127.0.0.1:8080', 'http://[::1]:8080']) {
    const client = new WebSocket(url, ['mqtt'], origin === undefined ? {} : { origin });
    await once(client, 'open');
    client.terminate();
  }
});

test('WebSocket listener gives a short answer when a web browser asks for a page', async (context) => {
  const { listener } = await openListener(context, { protocol: 'websockets' });
  const [response]: IncomingMessage[] = await once(get({ port: listener.port, host: '127.0.0.1', agent: false }), 'response');
  assert.equal(response!.statusCode, 426);
  assert.equal(response!.headers.upgrade, 'websocket');
  assert.match(await bytes(response!, 10), /^This port speaks MQTT over WebSocket/);
});

test('secure WebSocket listener hands over the TLS version when a client comes', async (context) => {
  const authority = await testAuthority();
  const { listener, next } = await openListener(context, { protocol: 'websockets', tls: TLS }, await authority.issue('CN=localhost'));
  const client = new WebSocket(`wss://localhost:${listener.port}`, ['mqtt'], { ca: authority.cert, family: 4 });
  const { stream, origin } = await next();
  assert.equal(origin.tls?.version, 'TLSv1.3');
  await once(client, 'open');
  client.send(Buffer.from('hi'));
  assert.equal(await bytes(stream, 2), 'hi');
  client.terminate();
});

async function bytes(stream: Readable, length: number): Promise<string> {
  let text = '';
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (text.length >= length) break;
  }
  return text;
}

async function refusal(url: string, protocols: string[], origin?: string): Promise<IncomingMessage> {
  const client = new WebSocket(url, protocols, origin === undefined ? {} : { origin });
  client.on('error', () => {});
  const [, response] = await once(client, 'unexpected-response');
  response.resume();
  client.terminate();
  return response;
}

/** A packet as the listener wants it to be written. */
function framed({ framing }: ConnectionOrigin, packet: Buffer): Buffer {
  assert.ok(framing !== undefined);
  const size = framing.headerSize(packet.length);
  const frame = Buffer.concat([Buffer.alloc(size), packet]);
  framing.writeHeader(frame, 0, packet.length);
  return frame;
}
