// Connections that say nothing, with no account: they cost little, and a client with a password still gets in.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { attackObstacle, PI_MEMORY, startAttacked } from './attacked-broker.ts';

const MEBIBYTE = 1024 * 1024;

test('silent connections cost under 100 MB when 1,000 of them stay', { skip: attackObstacle() }, async (t) => {
  const broker = await startAttacked(t, { configuration: 'listener {port} 127.0.0.1\nallow_anonymous true\n', memory: PI_MEMORY });
  const before = broker.residentBytes();
  const silent = await openSilent(broker.port, 1000);
  t.after(() => {
    for (const socket of silent) socket.destroy();
  });
  const client = await connectAsync({ port: broker.port, host: '127.0.0.1', reconnectPeriod: 0 });
  await client.endAsync();
  assert.ok(broker.residentPeak() - before < 100 * MEBIBYTE, `grew by ${(broker.residentPeak() - before) / MEBIBYTE} MiB`);
});

async function openSilent(port: number, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1' }).on('error', () => {}));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  return sockets;
}
