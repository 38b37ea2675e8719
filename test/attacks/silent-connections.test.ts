// Connections that never sign in, with no account: they cost little, and a client with a password still gets in.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { MqttClient } from 'mqtt';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { type AttackedBroker, attackObstacle, PI_MEMORY, startAttacked } from './attacked-broker.ts';
import { flood, open, until } from './flood.ts';

const MEBIBYTE = 1024 * 1024;
const ATTACKER = '127.0.5.1';
const OTHER_ATTACKER = '127.0.5.2';

/** A CONNECT of 500 KB that never becomes whole. */
const HALF_CONNECT = Buffer.concat([Buffer.from('10a0c21e00044d515454050000000000', 'hex'), Buffer.alloc(480_000)]);

/** An upgrade, and a WebSocket message of 1.9 MB that never becomes whole. */
const HALF_MESSAGE = Buffer.concat([
  Buffer.from(
    'GET /mqtt HTTP/1.1\r\nHost: broker\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n',
  ),
  Buffer.from('82ff00000000001cfde000000000', 'hex'),
  Buffer.alloc(1_890_000),
]);

test('20,000 silent connections cost under 100 MB, and a client signs in among them', { skip: attackObstacle() }, async (t) => {
  const broker = await startAttacked(t, { configuration: ACCOUNT, memory: PI_MEMORY });
  const before = broker.residentBytes();
  for (const from of [ATTACKER, OTHER_ATTACKER]) {
    const sockets = await flood(t, { port: broker.port, from, count: 10_000 });
    await until('the crowd is cut down', () => open(sockets) <= 512);
    await signIn(t, broker);
  }
  assertGrowth(broker, before);
  const closed = broker.process.lines.filter((line) => line.includes('have not signed in'));
  assert.equal(closed.length, 1, `said once in a minute, not in ${closed.length} lines`);
});

test('unfinished CONNECT packets of 500 KB cost under 150 MB when 1,000 connections send them', { skip: attackObstacle() }, async (t) => {
  const broker = await startAttacked(t, { configuration: ACCOUNT, memory: PI_MEMORY });
  const before = broker.residentBytes();
  const sockets = await flood(t, { port: broker.port, from: ATTACKER, count: 1000, bytes: HALF_CONNECT });
  await until('the crowd is cut down', () => open(sockets) <= 20);
  await signIn(t, broker);
  assertGrowth(broker, before, 150);
});

test('unfinished WebSocket messages of 1.9 MB cost under 150 MB when 400 connections send them', { skip: attackObstacle() }, async (t) => {
  const configuration = `${ACCOUNT}listener {port} 127.0.0.1\nprotocol websockets\n`;
  const broker = await startAttacked(t, { configuration, memory: PI_MEMORY });
  const before = broker.residentBytes();
  const opened = broker.process.lines.find((line) => line.includes('Opening websockets')) ?? '';
  const sockets = await flood(t, { port: portIn(opened), from: ATTACKER, count: 400, bytes: HALF_MESSAGE });
  await until('the crowd is cut down', () => open(sockets) <= 5);
  await signIn(t, broker);
  assertGrowth(broker, before, 150);
});

test('a slow TLS device keeps its handshake when silent connections come from elsewhere', { skip: attackObstacle() }, async (t) => {
  const configuration = 'listener {port} 127.0.0.1\nsecure true\nallow_anonymous true\n';
  const broker = await startAttacked(t, { configuration, memory: PI_MEMORY });
  const before = broker.residentBytes();
  const device = connectTcp(broker.port, '127.0.0.1');
  await once(device, 'connect');
  const sockets = await flood(t, { port: broker.port, from: ATTACKER, count: 6000 });
  await until('the crowd is cut down', () => open(sockets) <= 4 * 512); // without a handshake each costs a quarter
  const client = new MqttClient(() => connectTls({ socket: device, rejectUnauthorized: false }), { reconnectPeriod: 0 });
  await new Promise((resolve) => client.once('connect', resolve));
  await client.endAsync();
  assertGrowth(broker, before);
});

test('a client signs in when silent connections have taken all descriptors, and the log says so once', {
  skip: attackObstacle(),
}, async (t) => {
  const broker = await startAttacked(t, { configuration: ACCOUNT, memory: PI_MEMORY, descriptors: 256 });
  const sockets = await flood(t, { port: broker.port, from: ATTACKER, count: 600 });
  await until('the crowd is cut down', () => open(sockets) < 256);
  await signIn(t, broker);
  const lines = broker.process.lines.filter((line) => line.includes('limit of open files'));
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', new RegExp(`closed a connection from ${ATTACKER}`));
});

const ACCOUNT = 'listener {port} 127.0.0.1\nusername jane\npassword secret\n';

async function signIn(t: TestContext, { port }: AttackedBroker): Promise<void> {
  await (await mqttClient(t, { port, protocolVersion: 4, username: 'jane', password: 'secret' })).endAsync();
}

function portIn(line: string): number {
  return Number(/port (\d+)\.$/.exec(line)?.[1]);
}

function assertGrowth(broker: AttackedBroker, before: number, most = 100): void {
  assert.ok(broker.isRunning(), 'it runs');
  const growth = (broker.residentPeak() - before) / MEBIBYTE;
  assert.ok(growth < most, `grew by ${growth} MiB`);
}
