// Messages must not go round: pairs whose `topic # both` meet, a ring of three, and brokers that know nothing of bridges.

import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { createBridges } from '../../src/bridges/bridges.ts';
import type { BridgeOptions } from '../../src/bridges/options.ts';
import type { Qos } from '../../src/mqtt/packet-types.ts';
import { findMosquitto } from '../conversations/mosquitto-target.ts';
import { freePort } from '../support/network/free-ports.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { client, type Listening, listening, publish } from './clients.ts';
import { bridgeOptions, eventually, FARS, MOSQUITTO, startNear, startOtherMidge } from './scene.ts';

/** Messages from each side; MIDGE_LOOP_SECONDS=60 goes on for a minute with each pair. */
const ROUNDS = 40;
const SECONDS = Number(process.env['MIDGE_LOOP_SECONDS'] ?? 0);
/** Milliseconds for one test: what is to be waited for comes late on a busy machine. */
const LIMIT = { timeout: 300_000 + SECONDS * 2000 };
/** Messages from each side at once: no queue on the way has room for many more. */
const BURST = 20;
/** Messages from each of a ring, and looks without a change after which none is on its way: many times what a way round takes. */
const MANY = 200;
const STILL = 100;

for (const far of FARS) {
  for (const [what, more] of [
    ['MQTT 3.1.1 with the bridge bit', { versions: [4] }],
    ['MQTT 3.1.1 without it', { versions: [4], tryPrivate: false }],
    ['MQTT 5', { versions: [5] }],
    ['no version named', { versions: [5, 4] }],
  ] as const) {
    it(`topic # both 2 with ${far.name}: each message once on each side, ${what}`, LIMIT, async (test) => {
      const other = await far.start(test);
      const near = await startNear(test, [bridgeOptions(other.port, ['# both 2'], more)]);
      await near.connected();
      await eachOnce(test, [near.port, other.port]);
      if (what === 'MQTT 3.1.1 without it')
        assert.match(near.log.lines.join('\n'), /Messages of bridge test come back \(topic t\/\d\): they are stopped/);
    });
  }
}

it('equal messages are no echo: each of them comes on each side, with a broker that sends everything back', LIMIT, async (test) => {
  const other = await startOtherMidge(test, { options: { maxQueuedMessages: 0 } });
  const options = bridgeOptions(other.port, ['# both 1'], { versions: [4], tryPrivate: false });
  const near = await startNear(test, [options], { options: { maxQueuedMessages: 0 } });
  await near.connected();
  const listeners = await Promise.all([near.port, other.port].map((port) => listening(test, port, 'same')));
  const publishers = await Promise.all([near.port, other.port].map((port) => client(test, port, { protocolVersion: 4 })));
  for (let burst = 0; burst < MANY; burst += BURST)
    await Promise.all(
      publishers.flatMap((publisher) => Array.from({ length: BURST }, () => publisher.publishAsync('same', 'on', { qos: 1 }))),
    );
  await still(listeners);
  assert.deepEqual(
    listeners.map(({ received }) => received.length),
    [2 * MANY, 2 * MANY],
  );
});

it('two bridges that meet, `topic # both 2` of MQTT 5 on both sides: each message once', LIMIT, async (test) => {
  const port = await freePort();
  const mutual = bridgeOptions(port, ['# both 2'], { versions: [5], remoteClientId: 'back', localClientId: 'local.back' });
  const near = await startNear(test, [], {}, port);
  const other = await withBridges(test, [mutual]);
  near.bridges.use([bridgeOptions(other.port, ['# both 2'], { versions: [5] })]);
  await near.connected();
  await eventually(() => near.broker.sessions.get('back')?.connection != null, 'the other bridge is connected');
  await eachOnce(test, [near.port, other.port]);
});

it('a ring of three midges, each with a bridge to the next that names no version: each message once everywhere', LIMIT, async (test) => {
  const ports = await ring(test, [5, 4]);
  await eachOnce(test, ports);
});

it('a ring of two midges and a mosquitto: messages of the midges once at each midge, and no message goes round more than once', {
  ...LIMIT,
  skip: findMosquitto() === null && 'mosquitto is not installed',
}, async (test) => {
  const mosquitto = await MOSQUITTO.start(test);
  const ports = [await freePort(), await freePort()] as const;
  const to = (port: number, id: string) =>
    bridgeOptions(port, ['# both 2'], { versions: [5, 4], name: id, remoteClientId: id, localClientId: `local.${id}` });
  await withBridges(test, [to(ports[1], 'one-two'), to(mosquitto.port, 'one-far')], ports[0]);
  await withBridges(test, [to(mosquitto.port, 'two-far')], ports[1]);
  const all = [...ports, mosquitto.port];
  await linked(test, all, await Promise.all(all.map((port) => listening(test, port, 'probe'))));
  await eachOnce(test, ports);
  const listeners = await Promise.all(all.map((port) => listening(test, port, 'one/#')));
  for (const port of all) await publish(test, port, `one/${port}`, 'once more', { qos: 1 }); // mosquitto puts no mark on its own, and reads none
  await eventually(() => listeners.every(({ received }) => received.length >= all.length), 'they come everywhere');
  await still(listeners);
  // Those of mosquitto may come back to it by both ways, once each.
  assert.ok(listeners.every(({ received }) => received.length <= 3 * all.length));
});

it('a ring of three midges that insist on MQTT 3.1.1: each message comes everywhere, and stops going round', async (test) => {
  const ports = await ring(test, [4]);
  const listeners = await Promise.all(ports.map((port) => listening(test, port, 't/#')));
  await Promise.all(ports.map((port) => publishMany(test, port)));
  const kinds = ({ received }: Listening) => new Set(received.map(({ topic, text }) => `${topic} ${text}`)).size;
  await eventually(() => listeners.every((one) => kinds(one) === MANY * ports.length), 'all have come everywhere');
  await still(listeners);
});

/** Waits until nothing is on its way any more. */
async function still(listeners: readonly Listening[]): Promise<void> {
  let [total, polls] = [0, 0];
  await eventually(() => {
    const now = listeners.reduce((sum, { received }) => sum + received.length, 0);
    polls = now === total ? polls + 1 : 0;
    total = now;
    return polls === STILL;
  }, 'nothing comes any more');
}

/** Three midges, each with a bridge to the next; it waits until what is published at each comes to each. */
async function ring(test: TestContext, versions: BridgeOptions['versions']): Promise<readonly number[]> {
  const ports = [await freePort(), await freePort(), await freePort()] as const;
  for (const at of [0, 1, 2] as const) {
    const id = `ring-${at}`;
    const options = bridgeOptions(ports[(at + 1) % 3]!, ['# both 2'], {
      versions,
      remoteClientId: id,
      localClientId: `local.${id}`,
    });
    await withBridges(test, [options], ports[at]);
  }
  await linked(test, ports, await Promise.all(ports.map((port) => listening(test, port, 'probe'))));
  return ports;
}

async function publishMany(test: TestContext, port: number): Promise<void> {
  const publisher = await client(test, port, { protocolVersion: 4 });
  for (let at = 0; at < MANY; at += 10)
    await Promise.all(Array.from({ length: 10 }, (_, more) => publisher.publishAsync(`t/${port}`, `${at + more}`, { qos: 1 })));
}

/** Waits until what is published at each comes to each. */
async function linked(test: TestContext, ports: readonly number[], listeners: readonly Listening[]): Promise<void> {
  let probe = 0;
  await eventually(async () => {
    probe++;
    for (const port of ports) await publish(test, port, 'probe', `${port} ${probe}`, { qos: 0 });
    return listeners.every((one) => ports.every((port) => one.texts().some((text) => text.startsWith(`${port} `))));
  }, 'the ring is closed');
}

/** Publishes on all sides, and finds each message once on each. */
async function eachOnce(test: TestContext, ports: readonly number[]): Promise<void> {
  const listeners = await Promise.all(ports.map((port) => listening(test, port, 't/#')));
  const publishers = await Promise.all(ports.map((port) => client(test, port, { protocolVersion: 4 })));
  const end = performance.now() + SECONDS * 1000;
  let rounds = 0;
  while (rounds < ROUNDS || performance.now() < end) {
    const burst = Array.from({ length: BURST }, () => rounds++);
    const sent = publishers.flatMap((publisher, at) =>
      burst.map((one) => publisher.publishAsync(`t/${at}`, `${one}`, { qos: (one % 3) as Qos })),
    );
    await Promise.all(sent);
    await eventually(() => listeners.every(({ received }) => received.length >= rounds * ports.length), `${rounds} from each have come`);
  }
  for (const text of ['end', 'very end']) {
    for (const port of ports) await publish(test, port, 't/end', `${text} ${port}`, { qos: 2 });
    await eventually(() => listeners.every((one) => count(one, text) >= ports.length), `${text} comes`);
  }
  test.diagnostic(`${rounds} messages from each of ${ports.length} brokers`);
  for (const { received } of listeners) {
    for (const at of ports.keys()) {
      const texts = received.filter(({ topic }) => topic === `t/${at}`).map(({ text }) => Number(text));
      assert.deepEqual(
        texts.sort((one, other) => one - other), // QoS 2 takes longer
        Array.from({ length: rounds }, (_, round) => round),
      );
    }
  }
}

function count({ received }: Listening, wanted: string): number {
  return received.filter(({ text }) => text.startsWith(wanted)).length;
}

async function withBridges(test: TestContext, options: readonly BridgeOptions[], port = 0) {
  const midge = await startOtherMidge(test, {}, port);
  const bridges = createBridges(options, { broker: midge.broker, clock: systemClock, log: recordingLog(), tlsFor: () => null });
  test.after(() => bridges.stop());
  await bridges.start();
  return midge;
}
