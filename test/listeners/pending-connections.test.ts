// The bound on unfinished handshakes.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { PendingConnections } from '../../src/listeners/pending-connections.ts';

test('pending connections drop the oldest when there are too many', () => {
  const pending = new PendingConnections({ maxPending: 2 });
  const streams = [new PassThrough(), new PassThrough(), new PassThrough()];
  for (const stream of streams) pending.add(stream, stream);
  assert.deepEqual(
    streams.map((stream) => stream.destroyed),
    [true, false, false],
  );
  assert.equal(pending.size, 2);
  pending.destroyAll();
});

test('pending connections destroy a stream when its handshake takes too long', async () => {
  const pending = new PendingConnections({ timeoutMs: 1 });
  const keepsTheLoopAlive = setInterval(() => {}, 1000);
  const stream = new PassThrough();
  pending.add('key', stream);
  await once(stream, 'close');
  clearInterval(keepsTheLoopAlive);
  assert.equal(pending.size, 0);
});

test('pending connections forget a stream when it settles or closes', async () => {
  const pending = new PendingConnections();
  const [done, gone] = [new PassThrough(), new PassThrough()];
  pending.add('done', done);
  pending.add('gone', gone);
  pending.settle('done');
  gone.destroy();
  await once(gone, 'close');
  assert.equal(pending.size, 0);
  assert.equal(done.destroyed, false);
});
