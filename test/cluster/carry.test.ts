// Messages between brokers: who wants them gets them once, and what nobody wants costs nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '@nats-io/transport-node';
import { client, listening, publish } from '../bridges/clients.ts';
import { eventually } from '../bridges/scene.ts';
import { startMember, startMembers, startNats } from './scene.ts';

/** Messages that must not go anywhere. */
const UNWANTED = 500;

test('cluster carries each message of each QoS once to each broker whose clients want it, and no further', async (t) => {
  const nats = await startNats(t, 3);
  const members = await startMembers(t, nats, ['a', 'b', 'c']);
  const [a, b, c] = members as [(typeof members)[0], (typeof members)[0], (typeof members)[0]]; // three were asked for
  const there = await Promise.all(members.map(({ port }) => listening(t, port, 'x/#')));
  for (const one of members) for (const other of members) if (one !== other) await one.knows(other.id, 1);
  for (const qos of [0, 1, 2] as const) await publish(t, a.port, 'x/y', `from a, ${qos}`, { qos });
  for (const qos of [0, 1, 2] as const) await publish(t, b.port, 'x/y', `from b, ${qos}`, { qos });
  await publish(t, c.port, 'x/y', 'end', { qos: 2 });
  for (const one of there) {
    await eventually(() => one.received.length >= 7, 'all have come');
    assert.deepEqual(one.texts().toSorted(), ['end', 'from a, 0', 'from a, 1', 'from a, 2', 'from b, 0', 'from b, 1', 'from b, 2']);
    for (const { text, qos } of one.received) if (text !== 'end') assert.equal(String(qos), text.at(-1));
  }
});

test('cluster sends no NATS message for what no other broker wants', async (t) => {
  const nats = await startNats(t);
  const [a, b] = (await startMembers(t, nats, ['a', 'b'])) as [
    Awaited<ReturnType<typeof startMember>>,
    Awaited<ReturnType<typeof startMember>>,
  ];
  const there = await listening(t, b.port, 'wanted');
  await a.knows('b', 1);
  const publisher = await client(t, a.port);
  const before = a.cluster.state.carried;
  for (let number = 0; number < UNWANTED; number++)
    await publisher.publishAsync(`unwanted/${number}`, 'x', { qos: (number % 3) as 0 | 1 | 2 });
  assert.equal(a.cluster.state.carried, before);
  assert.equal(a.peer('b')?.sent, 0);
  await publisher.publishAsync('wanted', 'y', { qos: 1 });
  await there.got(1);
  assert.equal(a.peer('b')?.sent, 1);
});

test('cluster follows what clients want: QoS, unsubscribing, and a broker that joins later', async (t) => {
  const nats = await startNats(t);
  const a = await startMember(t, nats, 'a');
  const first = await listening(t, a.port, 'x/#', 1);
  const b = await startMember(t, nats, 'b');
  await b.knows('a', 1);
  await first.client.subscribeAsync('y', { qos: 0 });
  await b.knows('a', 2);
  await publish(t, b.port, 'y', 'low', { qos: 2 });
  await first.got(1);
  assert.deepEqual(
    first.received.map(({ qos }) => qos),
    [0],
  );
  await first.client.unsubscribeAsync('x/#');
  await b.knows('a', 1);
  await first.client.endAsync();
  await b.knows('a', 0);
});

test('cluster keeps $SYS, and the names of its sessions, to each broker', async (t) => {
  const nats = await startNats(t);
  const [a, b] = (await startMembers(t, nats, ['a', 'b'])) as [
    Awaited<ReturnType<typeof startMember>>,
    Awaited<ReturnType<typeof startMember>>,
  ];
  const here = await listening(t, b.port, '$SYS/#');
  await here.client.subscribeAsync('last');
  await a.knows('b', 1);
  await assert.rejects(client(t, a.port, { clientId: 'cluster.to.b' }), /Not authorized/);
  await assert.rejects(client(t, a.port, { clientId: 'cluster.from.c' }), /Not authorized/);
});

test('cluster lets only one broker of a name in, and says so', async (t) => {
  const nats = await startNats(t);
  const [a, b] = (await startMembers(t, nats, ['a', 'b'])) as [
    Awaited<ReturnType<typeof startMember>>,
    Awaited<ReturnType<typeof startMember>>,
  ];
  const twin = await startMember(t, nats, 'b');
  await eventually(() => twin.cluster.state.phase === 'stopped', 'the later one steps back');
  assert.match(twin.log.lines.join('\n'), /another broker is called b: give each its own cluster_id/);
  const there = await listening(t, b.port, 'x');
  await a.knows('b', 1);
  await publish(t, a.port, 'x', 'still', { qos: 1 });
  await there.got(1);
});

test('cluster goes on when a sign of life of its own run before this one comes late', async (t) => {
  const nats = await startNats(t);
  const stranger = await connect({ servers: [...nats.servers] });
  t.after(() => stranger.close());
  const words: Uint8Array[] = [];
  stranger.subscribe('midge.test.alive', { callback: (_, { data }) => void words.push(data) });
  await stranger.flush();
  const before = await startMember(t, nats, 'b');
  await eventually(() => words.length > 0, 'it is there');
  await before.end();
  const [a, b] = (await startMembers(t, nats, ['a', 'b'])) as [
    Awaited<ReturnType<typeof startMember>>,
    Awaited<ReturnType<typeof startMember>>,
  ];
  const there = await listening(t, b.port, 'x');
  await a.knows('b', 1);
  stranger.publish('midge.test.alive', words[0]);
  await stranger.flush();
  await publish(t, a.port, 'x', 'still', { qos: 1 });
  await there.got(1);
  assert.equal(b.cluster.state.phase, 'connected');
});
