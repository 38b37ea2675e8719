// What is written past the streams arrives whole and in order, also when the system takes only a part of it at once.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { NOT_WRITTEN, TAKEN, WAITS } from '../../src/broker/transport.ts';
import { directWriter } from '../../src/listeners/direct-writes.ts';
import { closed } from '../support/network/closed.ts';

const CHUNK = 60_000;

/** Both ends of a connection; the far one reads nothing until it is asked to. */
async function pair(context: TestContext): Promise<{ near: Socket; far: Socket }> {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const far = connect({ port: (server.address() as { port: number }).port, host: '127.0.0.1' });
  const [near] = (await once(server, 'connection')) as [Socket];
  context.after(() => {
    for (const socket of [near, far]) socket.destroy();
    server.close();
  });
  return { near, far };
}

/** Writes numbered chunks until the system leaves one waiting, and gives how many those are. */
function fill(near: Socket, written: () => void): number {
  const direct = directWriter(near);
  assert.ok(direct !== null);
  for (let number = 0; ; number++) {
    const outcome = direct.write(Buffer.alloc(CHUNK, number), { directlyWritten: written });
    assert.notEqual(outcome, NOT_WRITTEN);
    if (outcome === TAKEN) continue;
    assert.equal(outcome, WAITS);
    assert.ok(direct.waiting > 0);
    return number + 1;
  }
}

test('what the system does not take at once follows, and then what the stream writes after it', async (context) => {
  const { near, far } = await pair(context);
  const done = Promise.withResolvers<void>();
  const count = fill(near, done.resolve);
  near.end(Buffer.alloc(CHUNK, count));
  const received: Buffer[] = [];
  for await (const chunk of far) received.push(chunk as Buffer);
  await done.promise;
  const bytes = Buffer.concat(received);
  assert.equal(bytes.length, (count + 1) * CHUNK);
  for (let at = 0; at < bytes.length; at += CHUNK) assert.ok(bytes.subarray(at, at + CHUNK).equals(Buffer.alloc(CHUNK, at / CHUNK)));
});

test('a socket that is closed while bytes wait is closed, and takes no more', async (context) => {
  const { near } = await pair(context);
  let isWritten = false;
  fill(near, () => {
    isWritten = true;
  });
  near.destroy();
  await closed(near);
  assert.equal(isWritten, false);
  assert.equal(directWriter(near), null);
});

test('a peer that resets ends the socket with an error that has a code', async (context) => {
  const { near, far } = await pair(context);
  const failed = once(near, 'error') as Promise<[NodeJS.ErrnoException]>;
  fill(near, () => {});
  far.resetAndDestroy();
  const [error] = await failed;
  assert.match(String(error.code), /^(ECONNRESET|EPIPE)$/);
});

test('a socket without the insides that are needed writes as usual', async (context) => {
  const { near } = await pair(context);
  Object.defineProperty(near, '_handle', { value: { close: (done: () => void) => done() }, writable: true }); // as in a Node that has changed
  assert.equal(directWriter(near), null);
});
