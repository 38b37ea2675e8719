// What waits for another broker has limits of its own: those for one client would be used up by the first of many.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PEER_QUEUE_BYTES, PEER_QUEUE_MESSAGES, withoutPeers } from '../../src/cluster/peer-session.ts';
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

test('cluster counts no link between brokers as a client', async (t) => {
  const nats = await startNats(t);
  const [a] = (await startMembers(t, nats, ['a', 'b'])) as [Member, Member];
  await client(t, a.port);
  await eventually(() => a.broker.connectedClients === 3, 'a client, and both ends of the link');
  assert.equal(withoutPeers({ 'clients/connected': a.broker.connectedClients }, a.broker, ['b'])['clients/connected'], 1);
});
