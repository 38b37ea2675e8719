// Clients and subscriptions as the operations show and change them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBroker } from '../support/broker/test-broker.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { NO_TRAFFIC, operationsOn } from './test-operations.ts';

const names = ({ items }: { items: { id: string }[] }) => items.map(({ id }) => id);

test('clients are those that are connected and those whose sessions are kept, in pages, and can be searched', async () => {
  await using scene = await startTestBroker();
  const { broker, connect } = scene;
  const ask = operationsOn({ broker, traffic: { ...NO_TRAFFIC, isTester: (id) => id === 'self' } });
  const away = await connect({ clientId: 'lamp', cleanStart: false, username: 'Anna' });
  away.send("82 [ 0001 {} 'home/#' 01 ]");
  await away.expect('90 [ 0001 {} 01 ]');
  const gone = new Promise((resolve) => [...broker.connections][0]?.whenClosed(() => resolve(null)));
  away.end();
  await gone;
  const older = await connect({ clientId: 'door', version: 3, keepAlive: 7 });
  await connect({ clientId: 'self' });
  older.send("30 [ 'home/x' 'hello' ]");
  const reader = await connect({ clientId: 'meter' });
  reader.send("32 [ 'home/y' 0001 {} 'hello' ]");
  await reader.expect('40 [ 0001 ]');

  assert.deepEqual(names(await ask('clients', {}, 'viewer')), ['door', 'lamp', 'meter']);
  const first = await ask('clients', { limit: 2 });
  assert.deepEqual([names(first), first.total], [['door', 'lamp'], 3]);
  assert.deepEqual(names(await ask('clients', { limit: 2, cursor: first.cursor })), ['meter']);
  assert.deepEqual(names(await ask('clients', { search: 'ANN' })), ['lamp']);
  assert.deepEqual(names(await ask('clients', { connected: false })), ['lamp']);
  assert.deepEqual(names(await ask('clients', { connected: true, search: '127.0.0.1' })), ['door', 'meter']);

  const lamp = await ask('client', { id: 'lamp' });
  assert.deepEqual(
    [lamp.connected, lamp.username, lamp.address, lamp.protocol, lamp.sessionExpiry, lamp.subscriptions, lamp.keepAlive],
    [false, 'Anna', null, '5.0', null, 1, null],
  );
  assert.deepEqual(lamp.queue, { inflight: 0, waiting: 1, bytes: 7, unread: 0, dropped: 0 });
  const door = await ask('client', { id: 'door' });
  assert.deepEqual([door.connected, door.address, door.protocol, door.keepAlive, door.listener], [true, '127.0.0.1', '3.1', 7, '1883']);
  assert.ok(Math.abs(Date.parse(door.since) - Date.now()) < 600_000);
  await assert.rejects(ask('client', { id: 'nobody' }), { reason: 'not found' });
});

test('kick client ends the connection with a reason, says the will and leaves the session', async () => {
  await using scene = await startTestBroker();
  const kickElsewhere = async (id: string) => (id === 'elsewhere' ? '192.0.2.7' : null);
  const ask = operationsOn({ broker: scene.broker, traffic: NO_TRAFFIC, kickElsewhere });
  const peer = await scene.connect({ clientId: 'lamp', cleanStart: false });
  assert.deepEqual(await ask('kick client', { id: 'lamp' }, 'operator'), { id: 'lamp', address: '127.0.0.1' });
  await peer.expect('E0 [ 98 ]');
  await peer.expectClosed();
  assert.equal((await ask('client', { id: 'lamp' })).connected, false);
  await assert.rejects(ask('kick client', { id: 'lamp' }), { reason: 'conflict' });
  await assert.rejects(ask('kick client', { id: 'door' }), { reason: 'not found' });
  assert.deepEqual(await ask('kick client', { id: 'elsewhere' }), { id: 'elsewhere', address: '192.0.2.7' }); // of a cluster
  await assert.rejects(ask('kick client', { id: 'lamp' }, 'viewer'), { reason: 'not allowed' });
});

test('forget session ends a session for good, connected or not', async (t) => {
  const folder = new StoreFolder(t);
  const store = await folder.open();
  await using scene = await startTestBroker({ openStore: async () => store });
  const ask = operationsOn({ broker: scene.broker, traffic: NO_TRAFFIC });
  for (const clientId of ['lamp', 'door', 'meter']) {
    const peer = await scene.connect({ clientId, cleanStart: false });
    peer.send("82 [ 0001 {} 'home/#' 01 ]");
    await peer.expect('90 [ 0001 {} 01 ]');
    if (clientId === 'lamp') continue;
    const gone = new Promise((resolve) => scene.broker.sessions.get(clientId)?.connection?.whenClosed(() => resolve(null)));
    peer.end();
    await gone;
  }
  scene.broker.publish({ cmd: 'publish', topic: 'home/x', payload: Buffer.from('on'), qos: 1, retain: false, dup: false });
  assert.deepEqual(await ask('forget session', { id: 'door' }, 'operator'), { id: 'door', subscriptions: 1, messages: 1 });
  assert.deepEqual(await ask('forget session', { id: 'lamp' }), { id: 'lamp', subscriptions: 1, messages: 1 });
  await assert.rejects(ask('forget session', { id: 'lamp' }), { reason: 'not found' });
  const kept: string[] = [];
  await scene.stop();
  await store.stop();
  const again = await folder.open();
  await again.load({ retained: () => {}, session: ({ session }) => void kept.push(session.clientId) });
  assert.deepEqual(kept, ['meter']);
});

test('subscriptions are told by client, by words of the filter and by a topic that they match', async () => {
  await using scene = await startTestBroker();
  const ask = operationsOn({ broker: scene.broker, traffic: NO_TRAFFIC });
  const wishes = [
    ['a', 'home/+/lamp', '06'],
    ['b', '$share/readers/home/#', '01'],
    ['b', 'garden/door', '00'],
  ] as const;
  for (const [index, [clientId, filter, options]] of wishes.entries()) {
    const known = scene.broker.sessions.get(clientId) !== null;
    const peer = await scene.connect({ clientId, cleanStart: !known, sessionExpiryInterval: 100 });
    peer.send(`82 [ 000${index + 1} {} '${filter}' ${options} ]`);
    await peer.next();
  }
  const told = async (input: object) => (await ask('subscriptions', input, 'viewer')).items.map((one: { filter: string }) => one.filter);
  assert.deepEqual(await told({}), ['home/+/lamp', '$share/readers/home/#', 'garden/door']);
  assert.deepEqual(await told({ client: 'b' }), ['$share/readers/home/#', 'garden/door']);
  assert.deepEqual(await told({ search: 'garden' }), ['garden/door']);
  assert.deepEqual(await told({ topic: 'home/attic/lamp' }), ['home/+/lamp', '$share/readers/home/#']);
  const { items } = await ask('subscriptions', { limit: 2 });
  assert.deepEqual(items, [
    {
      client: 'a',
      username: null,
      connected: true,
      filter: 'home/+/lamp',
      topicFilter: 'home/+/lamp',
      group: null,
      qos: 2,
      noLocal: true,
      retainAsPublished: false,
      identifier: 0,
    },
    { ...items[1], filter: '$share/readers/home/#', topicFilter: 'home/#', group: 'readers', qos: 1, noLocal: false },
  ]);
  await assert.rejects(ask('subscriptions', { topic: 'home/#' }), { reason: 'bad input' });
});
