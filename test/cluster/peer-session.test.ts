// What waits for another broker has limits of its own: those for one client would be used up by the first of many.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PEER_QUEUE_BYTES, PEER_QUEUE_MESSAGES } from '../../src/cluster/peer-session.ts';
import { sysNumbers } from '../../src/telemetry/sys-tree.ts';
import { client, listening } from '../bridges/clients.ts';
import { eventually } from '../bridges/scene.ts';
import { type Member, startMembers, startNats } from './scene.ts';

const MESSAGES = 50;

test('cluster keeps more for a broker that is away than for one client, and none of it is dropped', async (t) => {
  const nats = await startNats(t);
  const [a, b] = (await startMembers(t, nats, ['a', 'b'], { options: { maxQueuedMessages: 2 } })) as [Member, Member];
  await listening(t, b.port, 'x');
  await a.knows('b', 1);
  await b.leave();
  await eventually(() => a.peer('b')?.phase === 'away', 'it is away');
  const publisher = await client(t, a.port);
  for (let number = 0; number < MESSAGES; number++) await publisher.publishAsync('x', String(number), { qos: 1 });
  const { queued, dropped } = a.peer('b')!;
  assert.deepEqual([queued, dropped], [MESSAGES, 0]);
  const { limits } = a.broker.sessions.get('cluster.to.b')!.outgoing.backlog;
  assert.deepEqual(limits, { maxMessages: PEER_QUEUE_MESSAGES, maxBytes: PEER_QUEUE_BYTES, expiry: null });
});

test('cluster counts no link between brokers as a client, nor among those that a limit lets in', async (t) => {
  const nats = await startNats(t);
  const [a, b] = (await startMembers(t, nats, ['a', 'b'], { options: { globalMaxConnections: 1, globalMaxClients: 1 } })) as [
    Member,
    Member,
  ];
  const { broker } = a;
  const counts = () => {
    const numbers = new Map(sysNumbers(broker, 0));
    return ['total', 'connected', 'disconnected', 'maximum'].map((name) => numbers.get(`$SYS/broker/clients/${name}`));
  };
  assert.deepEqual(counts(), [0, 0, 0, 0]);
  await client(t, a.port);
  assert.equal(broker.connectedClients, 3, 'a client, and both ends of the link');
  assert.deepEqual(counts(), [1, 1, 0, 1]);
  await b.leave();
  await eventually(() => broker.connectedClients === 1, 'the link has ended');
  assert.deepEqual(counts(), [1, 1, 0, 1]);
});
