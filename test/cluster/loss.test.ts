// NATS goes away and comes back: each broker works on alone, says so, keeps what the others must get, and catches up.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, listening, publish } from '../bridges/clients.ts';
import { eventually } from '../bridges/scene.ts';
import { type Member, startMembers, startNats } from './scene.ts';

const MESSAGES = 300;
/** Messages while nodes are killed. */
const UNDER_LOAD = 1500;

test('cluster works on alone without NATS, says so, and catches up in order', async (t) => {
  const nats = await startNats(t);
  const [a, b] = (await startMembers(t, nats, ['a', 'b'])) as [Member, Member];
  const here = await listening(t, a.port, 'x/#');
  const there = await listening(t, b.port, 'x/#');
  await a.knows('b', 1);
  await nats.kill(0);
  await eventually(() => a.cluster.state.phase === 'alone' && b.cluster.state.phase === 'alone', 'both are alone');
  const publisher = await client(t, a.port);
  for (let number = 0; number < MESSAGES; number++) await publisher.publishAsync('x/y', String(number), { qos: number % 2 === 0 ? 1 : 2 });
  await here.got(MESSAGES);
  assert.equal(a.peer('b')?.queued, MESSAGES);
  assert.equal(there.received.length, 0);
  assert.match(a.log.lines.join('\n'), /NATS is not reached: .*This broker works on alone until it is/);
  await nats.revive(0);
  await there.got(MESSAGES);
  for (const qos of [1, 2])
    assert.deepEqual(
      there.received.filter((one) => one.qos === qos).map(({ text }) => Number(text)),
      Array.from({ length: MESSAGES / 2 }, (_, number) => 2 * number + qos - 1), // a QoS 2 message is given to the client by its PUBREL
    );
  await eventually(() => a.peer('b')?.queued === 0, 'all are acknowledged');
});

test('cluster loses nothing and doubles no QoS 2 message while NATS nodes are killed under load', async (t) => {
  const nats = await startNats(t, 3);
  const [a, b] = (await startMembers(t, nats, ['a', 'b'], { options: { maxQueuedMessages: 0 } })) as [Member, Member];
  const there = await listening(t, b.port, 'x/#');
  await a.knows('b', 1);
  const publisher = await client(t, a.port);
  const kills = new Map([
    [300, () => nats.kill(0)],
    [600, () => nats.revive(0)],
    [700, () => nats.kill(1)],
    [900, () => nats.revive(1)],
    [1000, () => nats.kill(2)],
    [1200, () => nats.revive(2)],
  ]);
  for (let number = 0; number < UNDER_LOAD; number++) {
    await publisher.publishAsync(number % 2 === 0 ? 'x/1' : 'x/2', String(number), { qos: number % 2 === 0 ? 1 : 2 });
    await kills.get(number)?.();
  }
  const of = (topic: string) => there.received.filter((one) => one.topic === topic).map(({ text }) => Number(text));
  await eventually(() => new Set(of('x/1')).size === UNDER_LOAD / 2 && new Set(of('x/2')).size === UNDER_LOAD / 2, 'all have come');
  assert.deepEqual(
    of('x/2'),
    Array.from({ length: UNDER_LOAD / 2 }, (_, number) => 2 * number + 1),
    'QoS 2: each once, in order',
  );
});

test('cluster keeps messages for a broker that has left, and gives them when it is back', async (t) => {
  const nats = await startNats(t);
  const [a, b] = (await startMembers(t, nats, ['a', 'b'])) as [Member, Member];
  const there = await listening(t, b.port, 'x');
  await a.knows('b', 1);
  await b.leave();
  await eventually(() => a.peer('b')?.phase === 'away', 'it is away');
  await publish(t, a.port, 'x', 'waits', { qos: 1 });
  assert.equal(a.peer('b')?.queued, 1);
  assert.equal(there.received.length, 0);
  assert.match(a.log.lines.join('\n'), /Cluster: b is away: it stops/);
});
