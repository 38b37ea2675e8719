// One client with an account has the broker keep as much as it can: the broker lives on within the memory of a small Pi (512 MB), and starts again on what it has kept.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { publishBytes } from '../support/clients/raw-client.ts';
import { connectTemplate } from '../support/protocol/connect-template.ts';
import { hex } from '../support/protocol/hex-template.ts';
import { type AttackedBroker, attackObstacle, startAttacked } from './attacked-broker.ts';

const MEBIBYTE = 1024 * 1024;
const SMALL_MEMORY = 512 * MEBIBYTE;
const SKIP = { skip: attackObstacle() };
const OPEN = 'listener {port} 127.0.0.1\nallow_anonymous true\n';
const PING = Buffer.from('c000', 'hex');

test('20,000 retained messages on topics of 200 levels cost less than 100 MB, and load again', SKIP, async (t) => {
  const configuration = `${OPEN}persistence true\n`;
  const broker = await startAttacked(t, { configuration, memory: SMALL_MEMORY });
  const before = broker.residentBytes();
  const socket = await join(t, broker, 'attacker');
  for (let at = 0; at < 20_000; at++) {
    const topicName = `${at}/${'d/'.repeat(198)}e`;
    await write(socket, publishBytes(4, { topicName, payload: Buffer.from('x'), qos: 0, packetId: 0, retain: true }));
  }
  await pinged(socket);
  const grown = (broker.residentPeak() - before) / MEBIBYTE;
  t.diagnostic(`grew by ${grown.toFixed(0)} MiB`);
  assert.ok(grown < 100, `grew by ${grown} MiB`);
  assert.equal(await broker.process.end(), 0);
  const again = await startAttacked(t, { configuration, memory: SMALL_MEMORY }, broker.folder);
  await again.process.line(/Restored 0 sessions with 0 subscriptions, \d{5} retained messages/);
});

test('broker lives on when 750 subscribers read nothing of 4 MB that are published', SKIP, async (t) => {
  const broker = await startAttacked(t, { configuration: OPEN, memory: SMALL_MEMORY });
  for (let at = 0; at < 750; at++) {
    const frozen = await join(t, broker, `frozen${at}`);
    frozen.write(hex(`82 [ 0001 'f' 00 ]`, 4));
    await pinged(frozen);
    frozen.pause();
  }
  const publisher = await join(t, broker, 'publisher');
  for (let at = 0; at < 80; at++) {
    const payload = Buffer.alloc(50_000);
    await write(publisher, publishBytes(4, { topicName: 'f', payload, qos: 0, packetId: 0, retain: false }));
    await pinged(publisher);
  }
  await isServed(t, broker);
});

test('broker lives on when a client that is away is sent 400 MB and may queue without a limit', SKIP, async (t) => {
  const broker = await startAttacked(t, { configuration: `${OPEN}max_queued_messages 0\n`, memory: SMALL_MEMORY });
  const away = await join(t, broker, 'away', false);
  away.write(hex(`82 [ 0001 'f' 01 ]`, 4));
  await pinged(away);
  away.destroy();
  const publisher = await join(t, broker, 'publisher');
  for (let at = 0; at < 4000; at++) {
    await write(
      publisher,
      publishBytes(4, { topicName: 'f', payload: Buffer.alloc(100_000), qos: 1, packetId: 1 + (at % 60_000), retain: false }),
    );
  }
  await pinged(publisher);
  await isServed(t, broker);
});

test('broker lives on when 8,000 kept sessions come with wills of 60 KB', SKIP, async (t) => {
  const broker = await startAttacked(t, { configuration: OPEN, memory: SMALL_MEMORY });
  let refused = 0;
  for (let at = 0; at < 8000; at += 50) {
    const batch = Array.from({ length: 50 }, (_, offset) => leaveWill(broker, `gone${at + offset}`));
    for (const wasRefused of await Promise.all(batch)) refused += Number(wasRefused);
  }
  t.diagnostic(`${refused} sessions were refused`);
  assert.ok(refused > 0, 'all were kept');
  await isServed(t, broker, 'gone0');
});

async function leaveWill({ port }: AttackedBroker, clientId: string): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
  socket.write(hex(`10 [ PROTOCOL 06 0000 { 11 00000E10 } '${clientId}' { 18 00000E10 } 'w' ${'EA60 '}00*60000 ]`, 5));
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return chunk[3] !== 0;
}

/** Somebody who is there, or a new client where nothing is said, can publish to itself. */
async function isServed(t: TestContext, { port }: AttackedBroker, clientId = 'publisher'): Promise<void> {
  const client = await mqttClient(t, { port, protocolVersion: 4, clientId, clean: false });
  const heard = new Promise((resolve) => client.once('message', resolve));
  await client.subscribeAsync('own');
  await client.publishAsync('own', 'x');
  await heard;
}

async function join(t: TestContext, { port }: AttackedBroker, clientId: string, cleanStart = true): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
  t.after(() => socket.destroy());
  socket.write(hex(connectTemplate({ clientId, cleanStart }), 4));
  const [connack] = (await once(socket, 'data')) as [Buffer];
  assert.equal(connack[3], 0, `${clientId} is refused`);
  socket.resume();
  return socket;
}

/** write waits for the socket, so that only the broker is under attack. */
async function write(socket: Socket, bytes: Buffer): Promise<void> {
  if (!socket.write(bytes)) await once(socket, 'drain');
}

/** pinged waits until all that was written before has been worked through. */
async function pinged(socket: Socket): Promise<void> {
  const answer = new Promise<void>((resolve) => {
    const look = (chunk: Buffer) => {
      if (!chunk.subarray(-2).equals(Buffer.from('d000', 'hex'))) return;
      socket.off('data', look);
      resolve();
    };
    socket.on('data', look);
  });
  socket.write(PING);
  await answer;
}
