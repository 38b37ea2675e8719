// The network between two machines swallows every packet for a while: no socket is closed, nobody is told.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MqttClient } from 'mqtt';
import { findMosquitto } from '../conversations/mosquitto-target.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { namespaceObstacle, twoHosts } from '../support/network/network-namespaces.ts';
import { watchProcess } from '../support/process/watched-process.ts';
import { eventually } from './scene.ts';

const skip = namespaceObstacle() || (findMosquitto() === null ? 'mosquitto is not installed' : false);

/** Messages that are published while nothing comes through. */
const COUNT = 200;

test('bridge notices a network that swallows packets, and delivers what was published meanwhile once it is back', { skip }, async (t) => {
  const [near, far] = twoHosts(t);
  near.addAddress('192.0.2.1/24');
  far.addAddress('192.0.2.2/24');
  const folder = temporaryFolder(t);
  const path = (name: string) => join(folder, name);
  const anyone = ['allow_anonymous true', 'max_queued_messages 0'];
  write(path('far.conf'), ['listener 1883 192.0.2.2', `listener 0 ${path('far.sock')}`, ...anyone, 'user root']);
  watchProcess(t, far.command(findMosquitto()!, '-c', path('far.conf')));
  const bridge = ['connection over', 'address 192.0.2.2', 'topic q/# out 2', 'restart_timeout 1', 'keepalive_interval 5'];
  write(path('near.conf'), [`listener 0 ${path('near.sock')}`, ...anyone, ...bridge]);
  const program = join(import.meta.dirname, '../../src/main.ts');
  const midge = watchProcess(t, near.command(process.execPath, program, 'serve', '-c', path('near.conf'), '--state', path('state')));
  await midge.line(/Bridge over connected to 192\.0\.2\.2:1883/);
  const received: string[] = [];
  const there = await clientAt(t, path('far.sock'));
  there.on('message', (_topic, payload) => received.push(payload.toString()));
  await there.subscribeAsync('q/#', { qos: 2 });
  far.cutWire();
  const here = await clientAt(t, path('near.sock'));
  const texts = Array.from({ length: COUNT }, (_, at) => `${at}`);
  for (let at = 0; at < COUNT; at += 20)
    await Promise.all(texts.slice(at, at + 20).map((text) => here.publishAsync('q/t', text, { qos: 2 })));
  await midge.line(/Warning: Bridge over: the other broker does not answer\./);
  far.mendWire();
  await eventually(() => received.length >= COUNT, 'all have come');
  assert.deepEqual(received, texts);
});

function write(file: string, lines: readonly string[]): void {
  writeFileSync(file, `${lines.join('\n')}\n`);
}

async function clientAt(t: TestContext, path: string): Promise<MqttClient> {
  const client = new MqttClient(() => connect(path), { protocolVersion: 4 });
  client.on('error', () => {}); // not open yet
  t.after(() => client.endAsync(true));
  await eventually(() => client.connected, `somebody answers at ${path}`);
  return client;
}
