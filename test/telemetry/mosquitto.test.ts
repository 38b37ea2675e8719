// The names in the $SYS tree, held against those that Debian's mosquitto (2.0) really publishes.

import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { watchProcess } from '../support/process/watched-process.ts';

const MOSQUITTO = '/usr/sbin/mosquitto';
const SUBSCRIBE = '/usr/bin/mosquitto_sub';
const skip = !existsSync(MOSQUITTO)
  ? 'mosquitto is not installed (Debian package mosquitto)'
  : !existsSync(SUBSCRIBE)
    ? 'mosquitto_sub is not installed (Debian package mosquitto-clients)'
    : false;

const UPTIME = /^\$SYS\/broker\/uptime$/;

/** Topics that mosquitto 2.1 has and 2.0 has not. */
const NEW_IN_2_1 = ['$SYS/broker/connections/socket/count', '$SYS/broker/packet/out/bytes', '$SYS/broker/packet/out/count'];

test('telemetry publishes the topics of mosquitto 2.0 and the new ones of 2.1, no more and no less, when it starts', {
  skip,
}, async (t) => {
  const theirs = await topicsOfMosquitto(t);
  const ours = await ourTopics();
  assert.ok(theirs.size > 40, `mosquitto published only ${theirs.size} topics`);
  assert.deepEqual([...ours].sort(), [...theirs, ...NEW_IN_2_1].sort());
});

async function ourTopics(): Promise<Set<string>> {
  await using brokerUnderTest = await startTestBroker();
  const { broker } = brokerUnderTest;
  const telemetry = createTelemetry({ broker, clock: systemClock, version: 'midge version 0', interval: 10 });
  await telemetry.start();
  const topics = new Set<string>();
  const cursor = broker.retained.matching('$SYS/#');
  for (let message = cursor.next(); message !== null; message = cursor.next()) topics.add(message.topic.name);
  await telemetry.stop();
  return topics;
}

async function topicsOfMosquitto(t: TestContext): Promise<Set<string>> {
  const folder = temporaryFolder(t);
  const [file, socket] = [join(folder, 'mosquitto.conf'), join(folder, 'socket')];
  writeFileSync(file, `listener 0 ${socket}\nallow_anonymous true\nsys_interval 1\nuser root\n`);
  const mosquitto = watchProcess(t, [MOSQUITTO, ['-c', file]]);
  await mosquitto.line(/ running$/);
  const subscriber = watchProcess(t, [SUBSCRIBE, ['--unix', socket, '-t', '$SYS/#', '-F', '%t']]);
  // The uptime comes first in each round: the third one ends the round in which the subscriber itself was counted.
  for (let round = 0, seen = 0; round < 3; round++) {
    await subscriber.line(UPTIME, seen);
    seen = subscriber.lines.findIndex((line, at) => at >= seen && UPTIME.test(line)) + 1;
  }
  return new Set(subscriber.lines);
}
