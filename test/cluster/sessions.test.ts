// Client ids in a cluster: one owner at a time, and the session goes where its client is.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { IClientOptions, MqttClient } from 'mqtt';
import { client, publish } from '../bridges/clients.ts';
import { eventually } from '../bridges/scene.ts';
import { DeliveryLedger } from '../support/clients/delivery-ledger.ts';
import { dialAs } from '../support/clients/dial.ts';
import { readNumbered, streamMessage } from '../support/clients/numbered-messages.ts';
import { SteadfastPublisher } from '../support/clients/steadfast-publisher.ts';
import { SteadfastSubscriber } from '../support/clients/steadfast-subscriber.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { type Member, startMembers, startNats } from './scene.ts';

/** Of a client that comes again and again. */
const KEPT: IClientOptions = { clientId: 'wanderer', clean: false, properties: { sessionExpiryInterval: 3600 } };
const TAKEN_OVER = 0x8e;
/** Moves of a client while others publish, and messages acknowledged between two of them. */
const MOVES = 12;
const BETWEEN_MOVES = 60;

async function trio(test: TestContext): Promise<[Member, Member, Member]> {
  return (await startMembers(test, await startNats(test), ['a', 'b', 'c'])) as [Member, Member, Member];
}

async function pair(test: TestContext): Promise<[Member, Member]> {
  return (await startMembers(test, await startNats(test), ['a', 'b'])) as [Member, Member];
}

function reasonOf(connected: MqttClient): Promise<number | undefined> {
  return new Promise((resolve) => connected.once('disconnect', ({ reasonCode }) => resolve(reasonCode)));
}

function connectedTo(members: readonly Member[], clientId: string): string[] {
  return members.filter(({ broker }) => broker.sessions.get(clientId)?.connection != null).map(({ id }) => id);
}

function keptAt(members: readonly Member[], clientId: string): string[] {
  return members.filter(({ broker }) => broker.sessions.get(clientId) !== null).map(({ id }) => id);
}

test('cluster takes a client over from the broker where it was, with its subscriptions [MQTT-3.1.4-3] [MQTT-3.2.2-3]', async (t) => {
  const members = await trio(t);
  const [a, b, c] = members;
  const before = await client(t, a.port, KEPT);
  await before.subscribeAsync({ 'x/#': { qos: 2 } }, { properties: { subscriptionIdentifier: 7 } });
  await b.knows('a', 1);
  await c.knows('a', 1);
  const reason = reasonOf(before);
  const texts: string[] = [];
  const after = await client(t, b.port, KEPT);
  after.on('message', (_, payload, { properties }) => texts.push(`${payload} ${properties?.subscriptionIdentifier}`));
  assert.equal(await reason, TAKEN_OVER);
  assert.deepEqual(connectedTo(members, 'wanderer'), ['b']);
  assert.deepEqual(keptAt(members, 'wanderer'), ['b']);
  await a.knows('b', 1);
  await c.knows('b', 1);
  for (const { id, port } of members) await publish(t, port, 'x/y', `from ${id}`, { qos: 2 });
  await eventually(() => texts.length >= 3, 'the messages come');
  assert.deepEqual(texts.toSorted(), ['from a 7', 'from b 7', 'from c 7']);
  assert.match(a.log.lines.join('\n'), /client wanderer has connected to b/);
});

test('cluster carries what a broker says of itself nowhere, also when a session that wants it moves', async (t) => {
  const [a, b, c] = await trio(t);
  const before = await client(t, a.port, KEPT);
  await before.subscribeAsync(['x', '$SYS/#'], { qos: 1 });
  await c.knows('a', 1);
  await client(t, b.port, KEPT);
  assert.deepEqual([...(c.broker.sessions.get('cluster.to.b')?.subscriptions.keys() ?? [])], ['x']);
});

test('cluster brings what waits and what was under way to the broker where the client is, under its packet identifiers', async (t) => {
  const [a, b] = await pair(t);
  const options = { clientId: 'wanderer', cleanStart: false };
  const first = dialAs(a.port, options);
  await first.expect('20 [ 00 00 { ... } ]');
  first.send("82 [ 0001 {} 'x' 02 ]");
  await first.expect('90 [ 0001 {} 02 ]');
  for (const [qos, text] of [
    [1, 'one'],
    [2, 'two'],
    [2, 'three'],
  ] as const)
    await publish(t, a.port, 'x', text, { qos });
  await first.expect("32 [ 'x' 0001 {} |one| ]");
  await first.expect("34 [ 'x' 0002 {} |two| ]");
  await first.expect("34 [ 'x' 0003 {} |three| ]");
  first.send('50 [ 0003 ]');
  await first.expect('62 [ 0003 ]');
  first.abort();
  await eventually(() => a.broker.sessions.get('wanderer')?.connection === null, 'it is away');
  await publish(t, a.port, 'x', 'four', { qos: 1 });
  const second = dialAs(b.port, options);
  await second.expect('20 [ 01 00 { ... } ]');
  await second.expect("3A [ 'x' 0001 {} |one| ]");
  await second.expect("3C [ 'x' 0002 {} |two| ]");
  await second.expect('62 [ 0003 ]');
  await second.expect("32 [ 'x' 0004 {} |four| ]");
  await second.expectSilence();
  second.abort();
});

test('cluster discards the session of a clean start wherever it is [MQTT-3.1.2-4]', async (t) => {
  const members = await trio(t);
  const [a, b, c] = members;
  const first = await client(t, a.port, KEPT);
  await first.subscribeAsync('x', { qos: 1 });
  await first.endAsync();
  const clean = await client(t, b.port, { ...KEPT, clean: true });
  assert.deepEqual(keptAt(members, 'wanderer'), ['b']);
  await clean.endAsync();
  const peer = dialAs(c.port, { clientId: 'wanderer', cleanStart: true });
  await peer.expect('20 [ 00 00 { ... } ]');
  assert.deepEqual(keptAt(members, 'wanderer'), ['c']);
  peer.abort();
});

test('cluster leaves one of two that connect at once at two brokers', async (t) => {
  const members = await trio(t);
  const peers = members.flatMap(({ port }) => [1, 2].map(() => dialAs(port, { clientId: 'twin', cleanStart: false })));
  await eventually(() => peers.filter(({ closed }) => closed).length === peers.length - 1, 'all but one are closed');
  await eventually(() => connectedTo(members, 'twin').length === 1, 'one is connected');
  for (const peer of peers) peer.abort();
});

test('cluster leaves a client id to the user that it belongs to', async (t) => {
  const accounts = { authenticate: () => 'accepted' as const, hasAccount: () => true };
  const nats = await startNats(t);
  const [a, b] = (await startMembers(t, nats, ['a', 'b'], { authenticator: accounts })) as [Member, Member];
  const owner = await client(t, a.port, { ...KEPT, username: 'ann', password: 'x' });
  await assert.rejects(client(t, b.port, { ...KEPT, username: 'bob', password: 'x' }), /Client Identifier not valid/i);
  assert.equal(owner.connected, true);
  assert.deepEqual(connectedTo([a, b], 'wanderer'), ['a']);
});

test('cluster loses no message and doubles none of QoS 2 while subscribers and publishers go from broker to broker', async (t) => {
  const nats = await startNats(t);
  const members = await startMembers(t, nats, ['a', 'b', 'c'], () => {
    const folder = new StoreFolder(t);
    return { options: { maxQueuedMessages: 0 }, openStore: () => folder.open() };
  });
  const ledger = new DeliveryLedger('wanderer');
  const wandered = new DeliveryLedger('wanderer'); // of a publisher that goes about: its messages may change places when it does
  const subscriber = new SteadfastSubscriber('wanderer', 4, 'stream/#', (payload) => {
    const { publisher, sequence } = readNumbered(payload)!; // none is empty
    (publisher === 'w2' ? wandered : ledger).note(publisher, sequence);
  });
  await subscriber.attach(members[0]!.port);
  await members[1]!.knows('a', 1);
  await members[2]!.knows('a', 1);
  const publishers = members.flatMap(({ id, port }) =>
    ([1, 2] as const).map((qos) => {
      const name = `${id}${qos}`;
      const publisher = new SteadfastPublisher({ name, version: 5, qos, window: 2, message: (n) => streamMessage(name, n, 20) });
      return { publisher, port, qos };
    }),
  );
  const wandering = new SteadfastPublisher({ name: 'w2', version: 4, qos: 2, window: 2, message: (n) => streamMessage('w2', n, 20) });
  await wandering.attach(members[0]!.port);
  for (const { publisher, port } of publishers) await publisher.attach(port);
  for (let move = 1; move <= MOVES; move++) {
    const goal = move * BETWEEN_MOVES;
    await eventually(() => publishers.every(({ publisher }) => publisher.acknowledged.length >= goal), 'messages are acknowledged');
    const { port } = members[move % 3]!;
    await subscriber.attach(port);
    if (move % 2 === 0) await wandering.attach(port);
    assert.deepEqual(connectedTo(members, 'wanderer'), [members[move % 3]!.id]);
  }
  await Promise.all([wandering, ...publishers.map(({ publisher }) => publisher)].map((publisher) => publisher.finish()));
  const sent = publishers.reduce((sum, { publisher }) => sum + publisher.acknowledged.length, 0);
  const all = { messages: wandering.acknowledged.length, repetitions: 0 };
  const come = () => ledger.total().messages + wandered.total().messages;
  for (let had = come(); had < sent + all.messages; had = come()) {
    const before = had;
    await eventually(
      () => come() > before,
      () => `${sent} and ${all.messages} come: ${JSON.stringify([ledger.total(), wandered.total()])}`,
    );
  }
  for (const { publisher, qos } of publishers) ledger.check(publisher.plan.name, qos, publisher.acknowledged);
  assert.deepEqual(wandered.total(), all);
  subscriber.detach();
  for (const { publisher } of publishers) publisher.detach();
  wandering.detach();
});

test('cluster settles a client that has connected to two brokers while NATS was away: the later CONNECT holds', async (t) => {
  const nats = await startNats(t);
  const members = (await startMembers(t, nats, ['a', 'b'])) as [Member, Member];
  const [a, b] = members;
  await nats.kill(0);
  await eventually(() => members.every(({ cluster }) => cluster.state.phase === 'alone'), 'both are alone');
  const earlier = await client(t, b.port, KEPT);
  await earlier.subscribeAsync('x', { qos: 1 });
  const later = await client(t, a.port, KEPT);
  const texts: string[] = [];
  later.on('message', (_, payload) => texts.push(payload.toString()));
  assert.deepEqual(connectedTo(members, 'wanderer'), ['a', 'b']);
  const reason = reasonOf(earlier);
  await nats.revive(0);
  assert.equal(await reason, TAKEN_OVER);
  await eventually(() => keptAt(members, 'wanderer').join() === 'a', 'one session is left');
  assert.equal(later.connected, true);
  assert.match(b.log.lines.join('\n'), /client wanderer was connected to two brokers.*It connected to a later and stays there/);
});

test('cluster gives a client what waited for it at a broker that could not be reached when it came back elsewhere', async (t) => {
  const nats = await startNats(t);
  const members = (await startMembers(t, nats, ['a', 'b'])) as [Member, Member];
  const [a, b] = members;
  const before = await client(t, a.port, KEPT);
  await before.subscribeAsync('x', { qos: 2 });
  await before.endAsync();
  await nats.kill(0);
  await eventually(() => members.every(({ cluster }) => cluster.state.phase === 'alone'), 'both are alone');
  await publish(t, a.port, 'x', 'one', { qos: 1 });
  await publish(t, a.port, 'x', 'two', { qos: 2 });
  const after = await client(t, b.port, KEPT);
  const texts: string[] = [];
  after.on('message', (_, payload) => texts.push(payload.toString()));
  await nats.revive(0);
  await eventually(() => texts.length >= 2, 'they come');
  await eventually(() => keptAt(members, 'wanderer').join() === 'b', 'one session is left');
  assert.deepEqual(texts, ['one', 'two']);
});

test('cluster kicks a client at the broker where it is', async (t) => {
  const [a, b] = await pair(t);
  const kicked = await client(t, a.port, KEPT);
  const reason = reasonOf(kicked);
  assert.deepEqual(await b.cluster.kick('wanderer'), { broker: 'a', address: '127.0.0.1' });
  assert.equal(await reason, 0x98);
  assert.equal(await b.cluster.kick('nobody'), null);
});
