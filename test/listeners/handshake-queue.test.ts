// TLS handshakes begin in the order in which clients have spoken, a few in each turn.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { HandshakeQueue } from '../../src/listeners/handshake-queue.ts';
import { nextTurn, until } from '../support/broker/turns.ts';

/** As in handshake-queue.ts. */
const PER_TURN = 4;
const RUNNING_MAX = 128;

interface Crowd {
  readonly queue: HandshakeQueue;
  readonly sockets: readonly PassThrough[];
  /** Those whose handshake has begun, in order. */
  readonly begun: number[];
}

function crowd(context: TestContext, count: number): Crowd {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const queue = new HandshakeQueue();
  const begun: number[] = [];
  const sockets = Array.from({ length: count }, (_, at) => {
    const socket = new PassThrough();
    queue.enter(socket as unknown as Socket, () => begun.push(at)); // of which it is a stream
    return socket;
  });
  return { queue, sockets, begun };
}

test('handshakes begin for clients that have spoken, a few in each turn', async (context) => {
  const { sockets, begun } = crowd(context, 20);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  assert.deepEqual(begun, []);
  for (const socket of sockets) socket.write('hello');
  let before = 0;
  while (begun.length < sockets.length) {
    await nextTurn();
    assert.ok(begun.length - before <= PER_TURN, `${begun.length - before} in one turn`);
    before = begun.length;
  }
  assert.deepEqual(
    begun,
    sockets.map((_, at) => at),
  );
  assert.equal(sockets[0]!.readableLength, 5); // the handshake reads it
});

test('more handshakes wait until some have ended, or have taken so long that they count no more', async (context) => {
  const { queue, sockets, begun } = crowd(context, RUNNING_MAX + 3);
  for (const socket of sockets) socket.write('hello');
  await until(() => begun.length === RUNNING_MAX);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  assert.equal(begun.length, RUNNING_MAX);
  queue.ended(sockets[5] as unknown as Socket);
  await until(() => begun.length === RUNNING_MAX + 1);
  context.mock.timers.tick(1000);
  await until(() => begun.length === RUNNING_MAX + 3);
});

test('who leaves while it waits, or without a word, begins no handshake', async (context) => {
  const { sockets, begun } = crowd(context, 3);
  sockets[0]!.end();
  sockets[1]!.write('hello');
  sockets[1]!.once('readable', () => sockets[1]!.destroy());
  sockets[2]!.write('hello');
  await until(() => begun.length === 1);
  assert.deepEqual(begun, [2]);
  assert.equal(sockets[0]!.destroyed, true);
});

test('no handshake begins that would push out who has one, until a second has passed without any', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  let room = 2;
  const begun: number[] = [];
  const queue = new HandshakeQueue(() => room > 0);
  for (let at = 0; at < 8; at++) {
    const socket = new PassThrough();
    queue.enter(socket as unknown as Socket, () => {
      begun.push(at);
      room--;
    });
    socket.write('hello');
  }
  await until(() => begun.length === 2);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  assert.deepEqual(begun, [0, 1]);
  room = 1;
  context.mock.timers.tick(10);
  await nextTurn();
  assert.deepEqual(begun, [0, 1, 2]);
  for (let looks = 0; looks < 99; looks++) {
    await nextTurn();
    context.mock.timers.tick(10);
  }
  assert.deepEqual(begun, [0, 1, 2]);
  await nextTurn();
  context.mock.timers.tick(10);
  await nextTurn();
  context.mock.timers.tick(10);
  await nextTurn();
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6]);
});
