// The disk of a broker becomes full: what others bring it waits there and here, and none of it is lost or comes twice.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, listening } from '../bridges/clients.ts';
import { eventually } from '../bridges/scene.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { startMember, startNats } from './scene.ts';

const SQLITE_FULL = 13;
const MESSAGES = 40;

test('cluster keeps messages for a broker whose disk is full, and delivers each of QoS 2 once when it has room', async (t) => {
  const nats = await startNats(t);
  const folder = new StoreFolder(t);
  const store = await folder.openTroubled();
  const a = await startMember(t, nats, 'a');
  const b = await startMember(t, nats, 'b', { openStore: async () => store });
  const there = await listening(t, b.port, 'x/#');
  const kept = await client(t, b.port, { clientId: 'kept', clean: false, properties: { sessionExpiryInterval: 3600 } });
  await kept.subscribeAsync('x/#', { qos: 2 });
  await kept.endAsync();
  await a.knows('b', 1);
  folder.trouble.set(SQLITE_FULL);
  const publisher = await client(t, a.port);
  for (let number = 0; number < MESSAGES; number++)
    await publisher.publishAsync('x/y', String(number), { qos: number % 2 === 0 ? 1 : 2, retain: number % 4 === 0 });
  await eventually(() => store.health().state === 'full', 'the disk is full');
  assert.equal(a.peer('b')?.queued, MESSAGES, 'nothing is acknowledged that is not kept');
  folder.trouble.set(0);
  await eventually(() => a.peer('b')?.queued === 0, 'all are acknowledged');
  await there.got(MESSAGES);
  assert.equal(a.peer('b')?.dropped, 0);
  const exactly = there.received.filter(({ qos }) => qos === 2).map(({ text }) => Number(text));
  assert.deepEqual(
    exactly,
    Array.from({ length: MESSAGES / 2 }, (_, number) => 2 * number + 1),
  );
  assert.equal(b.broker.sessions.get('kept')?.outgoing.backlog.length, MESSAGES);
});
