// When a bridge connects, where to, and what a reload does to it.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { freePort } from '../support/network/free-ports.ts';
import { client, listening, publish } from './clients.ts';
import { frailWire } from './frail-wire.ts';
import { bridgeOptions, eventually, FARS, OTHER_MIDGE, startNear, startOtherMidge, tcp } from './scene.ts';

it('keeps the connection of a bridge that a reload does not change', async (test) => {
  const other = await OTHER_MIDGE.start(test);
  const wire = await frailWire(test, other.port);
  const near = await startNear(test, [bridgeOptions(wire.port, ['a/# both 1'])]);
  await near.connected();
  near.bridges.use([bridgeOptions(wire.port, ['a/# both 1'])]);
  const there = await listening(test, other.port, 'a/#');
  await publish(test, near.port, 'a/b', 'x', { qos: 1 });
  await there.got(1);
  assert.equal(wire.connections, 1);
});

for (const far of FARS) {
  it(`makes a changed bridge anew with its session: ${far.name}`, async (test) => {
    const other = await far.start(test);
    const wire = await frailWire(test, other.port);
    const near = await startNear(test, [bridgeOptions(wire.port, ['a/# both 1 "" old/'])]);
    await near.connected();
    wire.isOpen = false;
    wire.cut();
    await eventually(() => near.state().phase !== 'connected', 'the link is down');
    await publish(test, near.port, 'a/b', 'waits', { qos: 1 });
    await publish(test, other.port, 'old/a/b', 'waits there', { qos: 1 });
    const [here, there] = [await listening(test, near.port, 'a/#'), await listening(test, other.port, '+/a/#')];
    wire.isOpen = true;
    near.bridges.use([bridgeOptions(wire.port, ['a/# both 1 "" new/', 'a/# in 1 "" old/'])]);
    await there.got(1);
    await here.got(1);
    assert.deepEqual([there.received[0]?.topic, there.received[0]?.text], ['new/a/b', 'waits']);
    assert.deepEqual([here.received[0]?.topic, here.received[0]?.text], ['a/b', 'waits there']);
  });
}

for (const version of [4, 5] as const) {
  it(`has both brokers forget a bridge that a reload takes out: MQTT level ${version}`, async (test) => {
    const other = await startOtherMidge(test);
    const near = await startNear(test, [bridgeOptions(other.port, ['a/# both 1'], { versions: [version] })]);
    await near.connected();
    assert.notEqual(other.broker.sessions.get('bridge-id'), null);
    near.bridges.use([]);
    await eventually(() => other.broker.sessions.get('bridge-id') === null && near.broker.sessions.get('local.bridge-id') === null, 'gone');
    assert.equal(near.broker.retained.has('$SYS/broker/connection/bridge-id/state'), false);
  });
}

it('tells the address of a bridge that has not tried to connect', async (test) => {
  const near = await startNear(test, [bridgeOptions(1883, ['a/# out 1'], { startType: 'lazy' })]);
  assert.deepEqual([near.state().phase, near.state().address], ['idle', '127.0.0.1:1883']);
});

it('changes a bridge with bridge_reload_type lazy when its connection has ended', async (test) => {
  const other = await OTHER_MIDGE.start(test);
  const wire = await frailWire(test, other.port);
  const near = await startNear(test, [bridgeOptions(wire.port, ['a/# out 1 "" old/'], { reload: 'lazy' })]);
  await near.connected();
  near.bridges.use([bridgeOptions(wire.port, ['a/# out 1 "" new/'], { reload: 'lazy' })]);
  const there = await listening(test, other.port, '+/a/#');
  await publish(test, near.port, 'a/b', 'x', { qos: 1 });
  await there.got(1);
  assert.equal(wire.connections, 1);
  wire.cut();
  await eventually(() => wire.connections > 1, 'it connects again');
  await publish(test, near.port, 'a/b', 'y', { qos: 1 });
  await there.got(2);
  assert.deepEqual(
    there.received.map(({ topic, text }) => `${topic} ${text}`),
    ['old/a/b x', 'new/a/b y'],
  );
});

it('goes to the next address when one does not answer, and back to the first when that does', async (test) => {
  const [first, second] = [await freePort(), await OTHER_MIDGE.start(test)];
  const near = await startNear(test, [bridgeOptions(0, ['a/# out 1'], { addresses: [tcp(first), tcp(second.port)] })]);
  await near.connected();
  assert.equal(near.state().address, `127.0.0.1:${second.port}`);
  await OTHER_MIDGE.start(test, first);
  await eventually(() => near.state().address === `127.0.0.1:${first}` && near.state().phase === 'connected', 'it is back');
});

it('stays at the address it has with round_robin, and takes the next one after a loss', async (test) => {
  const [one, two] = [await OTHER_MIDGE.start(test), await OTHER_MIDGE.start(test)];
  const wire = await frailWire(test, one.port);
  const addresses = [tcp(wire.port), tcp(two.port)];
  const near = await startNear(test, [bridgeOptions(0, ['a/# out 1'], { addresses, roundRobin: true })]);
  await near.connected();
  wire.cut();
  await eventually(() => near.state().address === `127.0.0.1:${two.port}` && near.state().phase === 'connected', 'the next');
  assert.equal(wire.connections, 1);
});

it('connects with start_type lazy when enough messages wait, and leaves when it is idle', async (test) => {
  const other = await OTHER_MIDGE.start(test);
  const near = await startNear(test, [bridgeOptions(other.port, ['a/# out 1'], { startType: 'lazy', threshold: 3, idleTimeout: 0.1 })]);
  const there = await listening(test, other.port, 'a/#');
  const publisher = await client(test, near.port);
  await publisher.publishAsync('a/b', '1', { qos: 1 });
  assert.equal(near.state().phase, 'idle');
  for (const text of ['2', '3']) await publisher.publishAsync('a/b', text, { qos: 1 });
  await there.got(3);
  await eventually(() => near.state().phase === 'idle', 'it has left');
  assert.deepEqual(there.texts(), ['1', '2', '3']);
});

it('does not try again with start_type once', async (test) => {
  const near = await startNear(test, [bridgeOptions(await freePort(), ['a/# out 1'], { startType: 'once' })]);
  await eventually(() => near.state().phase === 'stopped', 'it has stopped');
  assert.equal(near.state().nextAttempt, null);
});
