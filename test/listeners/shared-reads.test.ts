// One buffer for what all sockets read: without it the collector stops everybody several times a second.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { shareReads } from '../../src/listeners/shared-reads.ts';
import { closed } from '../support/network/closed.ts';
import { testAuthority } from '../support/network/test-certificates.ts';
import { openListener, type TestListener, TLS } from './test-listener.ts';

/** What a stream handed over reads next, and the memory that it lies in. */
async function read({ next }: TestListener, client: Socket, text: string): Promise<{ memory: ArrayBufferLike; client: Socket }> {
  const { stream } = await next();
  client.write(text);
  const [chunk] = (await once(stream, 'data')) as [Buffer];
  assert.equal(chunk.toString(), text);
  return { memory: chunk.buffer, client };
}

function dial(test: TestContext, socket: Socket): Socket {
  test.after(() => socket.destroy());
  return socket;
}

test('sockets of all listeners read into the same memory, with TLS too', async (context) => {
  const authority = await testAuthority();
  const plain = await openListener(context);
  const secured = await openListener(context, { tls: TLS }, await authority.issue('CN=localhost'));
  const first = await read(plain, dial(context, connect(plain.listener.port, '127.0.0.1')), 'first');
  const second = await read(plain, dial(context, connect(plain.listener.port, '127.0.0.1')), 'second');
  const options = { port: secured.listener.port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert };
  const third = await read(secured, dial(context, connectTls(options)), 'third');
  assert.equal(second.memory, first.memory);
  assert.equal(third.memory, first.memory);
});

test('a socket is read no more while it is paused, and ends as any other', async (context) => {
  const { listener, next } = await openListener(context);
  const client = dial(context, connect(listener.port, '127.0.0.1'));
  const { stream } = await next();
  const chunks: string[] = [];
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk.toString());
    stream.pause();
  });
  client.write('one');
  while (chunks.length < 1) await once(stream, 'data');
  client.write('two');
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(chunks, ['one']);
  stream.resume();
  while (chunks.length < 2) await once(stream, 'data');
  assert.deepEqual(chunks, ['one', 'two']);
  stream.resume();
  client.end();
  await closed(stream);
  assert.equal(listener.connections, 0);
});

test('a stream that is no socket of the system, or holds bytes already, reads as usual', async (context) => {
  const { listener, next } = await openListener(context);
  const client = dial(context, connect(listener.port, '127.0.0.1'));
  const { stream } = await next();
  stream.pause();
  stream.unshift(Buffer.from('held'));
  assert.equal(shareReads(stream as Socket), false);
  assert.equal(shareReads(new PassThrough() as unknown as Socket), false);
  client.destroy();
});
