// A request whose head comes byte by byte, so that no timer of silence ever ends it, holds no connection for long.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { HttpStreams } from '../../src/api/http-streams.ts';

/** A client of streams that give a head so many milliseconds. */
async function clientOf(context: TestContext, answer: RequestListener, headMs: number) {
  const streams = new HttpStreams<null>(answer, undefined, headMs);
  const server = createServer((socket) => streams.serve(socket, null)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1'); // it listens on a port
  context.after(() => {
    client.destroy();
    streams.stop();
    server.close();
  });
  return client.on('error', () => {});
}

test('connection is closed whose head does not come to an end', async (context) => {
  const client = await clientOf(context, () => assert.fail('there is no request'), 300);
  client.write('GET / HTTP/1.1\r\nhost: box\r\nx-slow: ');
  const drip = setInterval(() => client.write('x'), 20);
  context.after(() => clearInterval(drip));
  await new Promise<void>((resolve) => client.once('close', () => resolve())); // maybe by a reset: it is still sending
});

test('answer that takes longer than a head may is not cut off, and neither is that to a request that came before the answer to another', async (context) => {
  const open: ServerResponse[] = [];
  const client = await clientOf(context, (_, response) => void open.push(response), 100);
  let text = '';
  client.on('data', (chunk) => {
    text += chunk;
  });
  client.write('GET /1 HTTP/1.1\r\nhost: box\r\n\r\nGET /2 HTTP/1.1\r\nhost: box\r\n\r\n');
  while (open.length < 2) await new Promise((resolve) => setImmediate(resolve));
  open[0]?.end('first');
  await new Promise((resolve) => setTimeout(resolve, 400)); // heads were there long ago
  open[1]?.end('second');
  while (!text.endsWith('second')) await once(client, 'data');
  assert.match(text, /first[\s\S]*second$/);
});
