// Messages must not go round: pairs whose `topic # both` meet, a ring of three, and brokers that know nothing of bridges.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { createBridges } from '../../src/bridges/bridges.ts';
import type { BridgeOptions } from '../../src/bridges/options.ts';
import { quiet } from '../support/broker/turns.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { type Listening, listening, publish } from './clients.ts';
import { bridgeOptions, eventually, FARS, freePort, startNear, startOtherMidge } from './scene.ts';

const ROUNDS = 40;

for (const far of FARS) {
  for (const [what, more] of [
    ['MQTT 3.1.1 with the bridge bit', { version: 4 }],
    ['MQTT 3.1.1 without it', { version: 4, tryPrivate: false }],
    ['MQTT 5', { version: 5 }],
  ] as const) {
    it(`topic # both 2 with ${far.name}: each message once on each side, ${what}`, async (test) => {
      const other = await far.start(test);
      const near = await startNear(test, [bridgeOptions(other.port, ['# both 2'], more)]);
      await near.connected();
      await eachOnce(test, [near.port, other.port]);
      if (what === 'MQTT 3.1.1 without it')
        assert.match(near.log.lines.join('\n'), /Messages of bridge test come back \(topic t\/\d\): they are stopped/);
    });
  }
}

it('two bridges that meet, `topic # both 2` of MQTT 5 on both sides: each message once', async (test) => {
  const port = await freePort();
  const mutual = bridgeOptions(port, ['# both 2'], { version: 5, remoteClientId: 'back', localClientId: 'local.back' });
  const near = await startNear(test, [], {}, port);
  const other = await withBridges(test, [mutual]);
  near.bridges.use([bridgeOptions(other.port, ['# both 2'], { version: 5 })]);
  await near.connected();
  await eventually(() => near.broker.sessions.get('back')?.connection != null, 'the other bridge is connected');
  await eachOnce(test, [near.port, other.port]);
});

it('a ring of three midges, each with a bridge of MQTT 5 to the next: each message once everywhere', async (test) => {
  const ports = [await freePort(), await freePort(), await freePort()] as const;
  for (const at of [0, 1, 2] as const) {
    const id = `ring-${at}`;
    const options = bridgeOptions(ports[(at + 1) % 3]!, ['# both 2'], { version: 5, remoteClientId: id, localClientId: `local.${id}` });
    await withBridges(test, [options], ports[at]);
  }
  await linked(test, ports, await Promise.all(ports.map((port) => listening(test, port, 't/#'))));
  await eachOnce(test, ports);
});

/** Waits until what is published at each comes to each. */
async function linked(test: Parameters<typeof publish>[0], ports: readonly number[], listeners: readonly Listening[]): Promise<void> {
  let probe = 0;
  await eventually(async () => {
    probe++;
    for (const port of ports) await publish(test, port, 't/probe', `${port} ${probe}`, { qos: 0 });
    await quiet(() => listeners.reduce((sum, { received }) => sum + received.length, 0));
    return listeners.every((one) => ports.every((port) => one.texts().includes(`${port} ${probe}`)));
  }, 'the ring is closed');
}

/** Publishes on all sides, and finds each message once on each. */
async function eachOnce(test: Parameters<typeof publish>[0], ports: readonly number[]): Promise<void> {
  const listeners = await Promise.all(ports.map((port) => listening(test, port, 't/#')));
  for (let round = 0; round < ROUNDS; round++)
    for (const [at, port] of ports.entries()) await publish(test, port, `t/${at}`, `${round}`, { qos: (round % 3) as 0 | 1 | 2 });
  await eventually(
    () => listeners.every(({ received }) => received.length >= ROUNDS * ports.length),
    () => `all have come: ${listeners.map((one) => one.received.map(({ topic, text }) => `${topic}=${text}`).join())}`,
  );
  for (const text of ['end', 'very end']) {
    for (const port of ports) await publish(test, port, 't/end', `${text} ${port}`, { qos: 2 });
    await eventually(() => listeners.every((one) => count(one, text) >= ports.length), `${text} comes`);
  }
  for (const { received } of listeners) {
    for (const at of ports.keys()) {
      const texts = received.filter(({ topic }) => topic === `t/${at}`).map(({ text }) => Number(text));
      assert.deepEqual(
        texts.sort((one, other) => one - other), // QoS 2 takes longer
        Array.from({ length: ROUNDS }, (_, round) => round),
      );
    }
  }
}

function count({ received }: Listening, wanted: string): number {
  return received.filter(({ text }) => text.startsWith(wanted)).length;
}

async function withBridges(test: Parameters<typeof publish>[0], options: readonly BridgeOptions[], port = 0) {
  const midge = await startOtherMidge(test, {}, port);
  const bridges = createBridges(options, { broker: midge.broker, clock: systemClock, log: recordingLog(), tlsFor: () => null });
  test.after(() => bridges.stop());
  await bridges.start();
  return midge;
}
