// A far broker that limits itself, refuses, moves, or falls silent.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { REASON } from '../../src/mqtt/reason-codes.ts';
import { client } from './clients.ts';
import { bridgeOptions, eventually, startNear, tcp } from './scene.ts';
import { strictServer } from './strict-server.ts';

const UNBOUNDED = { options: { maxQueuedMessages: 0, maxInflightMessages: 0 } };

it('keeps to Receive Maximum, Maximum QoS, Retain Available and Maximum Packet Size', async (test) => {
  const far = await strictServer(test, { connack: { receiveMaximum: 10, maximumQos: 1, retainAvailable: 0, maximumPacketSize: 200 } });
  const near = await startNear(test, [bridgeOptions(far.port, ['a/# both 2'], { versions: [5] })], UNBOUNDED);
  await near.connected();
  const publisher = await client(test, near.port, { protocolVersion: 4 });
  const texts = Array.from({ length: 100 }, (_, at) => `${at}`);
  await Promise.all(texts.map((text, at) => publisher.publishAsync('a/b', text, { qos: at % 2 === 0 ? 2 : 1, retain: at % 10 === 0 })));
  await publisher.publishAsync('a/large', 'x'.repeat(300), { qos: 2 });
  await eventually(() => near.state().queued === 0, 'everything is acknowledged');
  const messages = far.published.filter(({ topic }) => topic === 'a/b');
  assert.deepEqual(
    messages.map(({ text }) => text),
    texts,
  );
  assert.ok(messages.every(({ qos, retain }) => qos === 1 && !retain));
  assert.deepEqual(far.violations, []);
  assert.ok(far.mostWaiting > 1 && far.mostWaiting <= 10, `${far.mostWaiting} at once`);
  assert.equal(near.state().dropped, 1);
  assert.match(near.log.lines.join('\n'), /Bridge test drops messages that are larger than the other broker takes \(topic a\/large\)\./);
  assert.deepEqual(
    far.connects.map(({ will }) => will !== null),
    [true, false],
    'its will was refused, and is left out',
  );
});

it('keeps to the limits of AWS IoT Core: 8 filters at once, no bridge bit, no topics of others, 100 unacknowledged', async (test) => {
  const rules = { mostFilters: 8, maximumQos: 1, mostUnacknowledged: 100, closesOnBridgeBit: true, closesOnTopic: /^\$SYS/ };
  const far = await strictServer(test, rules);
  const topics = Array.from({ length: 20 }, (_, at) => `in/${at} in 1`);
  const options = bridgeOptions(far.port, [...topics, 'a/# out 1'], { notifications: 'local' });
  const near = await startNear(test, [options]);
  await near.connected();
  const publisher = await client(test, near.port, { protocolVersion: 4 });
  await Promise.all(Array.from({ length: 300 }, (_, at) => publisher.publishAsync('a/b', `${at}`, { qos: 1 })));
  await eventually(() => near.state().queued === 0, 'everything is acknowledged');
  assert.deepEqual(far.violations, []);
  assert.equal(far.published.length, 300);
  assert.deepEqual(
    far.connects.map(({ bridge }) => bridge),
    [true, false],
  );
  assert.deepEqual(
    far.subscribes.map(({ length }) => length),
    [8, 8, 4],
  );
});

for (const [aboutMqtt5, again] of [
  ['says no', [4]], // that is remembered
  ['closes', [5, 4]], // it may have closed for another reason
] as const) {
  it(`speaks MQTT 3.1.1 with a broker that ${aboutMqtt5} when it hears MQTT 5, if the block does not say which it wants`, async (test) => {
    const far = await strictServer(test, { aboutMqtt5 });
    const near = await startNear(test, [bridgeOptions(far.port, ['a/# out 1'], { versions: [5, 4] })]);
    await near.connected();
    const versions = () => far.connects.map(({ version }) => version);
    assert.deepEqual(versions(), [5, 4]);
    assert.match(near.log.lines.join('\n'), /Bridge test tries MQTT 3\.1\.1: /);
    far.cut();
    await eventually(() => far.connects.length >= 2 + again.length && near.state().phase === 'connected', 'it is connected again');
    assert.deepEqual(versions(), [5, 4, ...again]);
  });
}

it('insists on the version that the block names', async (test) => {
  const far = await strictServer(test, { aboutMqtt5: 'says no' });
  const near = await startNear(test, [bridgeOptions(far.port, ['a/# out 1'], { versions: [5] })]);
  await eventually(() => far.connects.length > 2, 'it tries again');
  assert.equal(near.state().lastError?.fault, 'version');
  assert.ok(far.connects.every(({ version }) => version === 5));
});

it('keeps to the limits of Azure Event Grid: MQTT 5, QoS 1 at most, in subscriptions too', async (test) => {
  const far = await strictServer(test, { connack: { maximumQos: 1, receiveMaximum: 16, serverKeepAlive: 1160, topicAliasMaximum: 10 } });
  const near = await startNear(test, [bridgeOptions(far.port, ['a/# both 2'], { versions: [5], notifications: 'off' })], UNBOUNDED);
  await near.connected();
  const publisher = await client(test, near.port, { protocolVersion: 4 });
  await Promise.all(Array.from({ length: 100 }, (_, at) => publisher.publishAsync('a/b', `${at}`, { qos: 2 })));
  await eventually(() => near.state().queued === 0, 'everything is acknowledged');
  assert.deepEqual([far.violations, far.published.length], [[], 100]);
});

it('says which filters are refused, and does not ask again until the next connection', async (test) => {
  const far = await strictServer(test, { grants: (topicFilter) => (topicFilter === 'no/#' ? REASON.NOT_AUTHORIZED : 1) });
  const near = await startNear(test, [bridgeOptions(far.port, ['yes/# in 1', 'no/# in 1'], { versions: [5] })]);
  await near.connected();
  assert.deepEqual(near.state().refusedFilters, ['no/#']);
  assert.match(near.log.lines.join('\n'), /refuses the subscription to no\/# with reason code 0x87/);
  assert.deepEqual(far.subscribes, [['yes/#', 'no/#']]);
});

for (const [what, rules, version, fault, words] of [
  [
    'the server that is named instead',
    { disconnect: { reason: REASON.USE_ANOTHER_SERVER, properties: { serverReference: 'b.example:1883' } } },
    5,
    'moved',
    /use another server for now; it names b\.example:1883 instead$/,
  ],
  [
    'another device with the same client id',
    { disconnect: { reason: REASON.SESSION_TAKEN_OVER, properties: {} } },
    5,
    'taken over',
    /^another device uses the same client id at the other broker$/,
  ],
  [
    'a client id that may be taken, before MQTT 5',
    { closesAtOnce: true },
    4,
    'closed',
    /another device may use the same client id \("bridge-id"\)$/,
  ],
  ['a broker that has fallen silent', { isMute: true }, 4, 'silent', /^the other broker does not answer$/],
] as const) {
  it(`names ${what}`, async (test) => {
    const far = await strictServer(test, rules);
    const options = bridgeOptions(far.port, ['a/# in 1'], { versions: [version], notifications: 'off', keepAlive: 0.1 });
    const near = await startNear(test, [options]);
    await eventually(
      () => words.test(near.state().lastError?.words ?? ''),
      () => `it says so: ${near.state().lastError?.words}`,
    );
    assert.equal(near.state().lastError?.fault, fault);
    assert.ok(near.log.lines.filter((line) => line.startsWith('Warning: Bridge test:')).length < 5, 'it is not said again and again');
  });
}

it('stops at once while the other broker does not answer', async (test) => {
  const far = await strictServer(test, { saysNothing: true });
  const near = await startNear(test, [bridgeOptions(far.port, ['a/# in 1'])]);
  await eventually(() => far.connects.length > 0, 'it has said CONNECT');
  await near.bridges.stop(); // an answer is waited for longer than this test is
});

it('does not keep the broker from starting when the broker has no room for it', async (test) => {
  const far = await strictServer(test, {});
  const near = await startNear(test, [bridgeOptions(far.port, ['a/# out 1'])], { options: { globalMaxConnections: 0 } });
  assert.equal(near.state().lastError?.fault, 'closed');
  near.broker.setOptions({ ...near.broker.options, globalMaxConnections: -1 });
  await near.connected();
});

it('does not go back to a main address that refuses it', async (test) => {
  const main = await strictServer(test, { closesAtOnce: true });
  const other = await strictServer(test, {});
  const near = await startNear(test, [bridgeOptions(0, ['a/# in 1'], { addresses: [tcp(main.port), tcp(other.port)] })]);
  await near.connected();
  const tried = main.connects.length;
  await sleep(500); // several times as long as it takes to go back: `restart` says how often that is tried
  assert.deepEqual([near.state().phase, main.connects.length], ['connected', tried]);
});
