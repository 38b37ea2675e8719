// Shared subscriptions over all brokers of a cluster: one member gets each message, wherever it is.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { client, type Listening, listening, publish } from '../bridges/clients.ts';
import { eventually } from '../bridges/scene.ts';
import { type Member, startMembers, startNats } from './scene.ts';

const MESSAGES = 300;

type Three = [Member, Member, Member];

async function three(t: TestContext): Promise<Three> {
  const nats = await startNats(t);
  return (await startMembers(t, nats, ['a', 'b', 'c'], { options: { maxQueuedMessages: 0 } })) as Three;
}

function textsOf(workers: readonly Listening[]): string[] {
  return workers.flatMap((worker) => worker.texts());
}

/** all resolves when the workers together have so many. */
async function all(workers: readonly Listening[], count: number): Promise<void> {
  await eventually(
    () => textsOf(workers).length >= count,
    () => `${count} come, there are ${textsOf(workers).length}`,
  );
}

test('cluster gives each message of each QoS to one member of a group, and brokers share by their members', async (t) => {
  const [a, b, c] = await three(t);
  const workers = [
    await listening(t, a.port, '$share/g/x/#'),
    ...(await Promise.all([b, b, b].map(({ port }) => listening(t, port, '$share/g/x/#')))),
    await listening(t, c.port, '$share/g/x/#'),
  ];
  const plain = await listening(t, c.port, 'x/#');
  const other = await listening(t, b.port, '$share/h/x/+');
  await a.knows('b', 2);
  await a.knows('c', 2);
  await eventually(() => b.peer('c')?.filters === 2 && c.peer('b')?.filters === 2, 'all know');
  const publisher = await client(t, a.port);
  for (let number = 0; number < MESSAGES; number++) await publisher.publishAsync('x/y', String(number), { qos: (number % 3) as 0 | 1 | 2 });
  await all(workers, MESSAGES);
  await plain.got(MESSAGES);
  await other.got(MESSAGES);
  await publish(t, a.port, 'x/y', 'end', { qos: 2 });
  await eventually(
    () => plain.texts().includes('end') && other.texts().includes('end') && textsOf(workers).includes('end'),
    'the end comes',
  );
  assert.equal(textsOf(workers).length, MESSAGES + 1, 'one member each');
  assert.equal(new Set(textsOf(workers)).size, MESSAGES + 1);
  assert.equal(plain.received.length, MESSAGES + 1, 'others get it once');
  assert.equal(other.received.length, MESSAGES + 1);
  assert.deepEqual(
    workers.map(({ received }) => received.length > 40),
    [true, true, true, true, true],
    JSON.stringify(workers.map(({ received }) => received.length)),
  );
});

test('cluster gives messages of a group to those who are connected, whichever broker they are at', async (t) => {
  const [a, b, c] = await three(t);
  const options = { clientId: 'away', clean: false, properties: { sessionExpiryInterval: 3600 } };
  const away = await client(t, b.port, options);
  await away.subscribeAsync('$share/g/x', { qos: 1 });
  const here = await listening(t, c.port, '$share/g/x', 1);
  await eventually(() => a.peer('b')?.filters === 1 && a.peer('c')?.filters === 1, 'a knows both');
  await away.endAsync();
  await eventually(async () => {
    const before = here.received.length;
    for (let number = 0; number < 4; number++) await publish(t, a.port, 'x', 'try', { qos: 1 });
    await eventually(() => a.peer('b')?.queued === 0 && a.peer('c')?.queued === 0, 'all are taken');
    return here.received.length === before + 4;
  }, 'the connected member gets all');
});

test('cluster has another member get what a broker had not acknowledged when it died', async (t) => {
  const [a, b, c] = await three(t);
  const lost = await listening(t, b.port, '$share/g/x', 1);
  await a.knows('b', 1);
  await b.leave();
  await eventually(() => a.peer('b')?.phase === 'away', 'b is away');
  const publisher = await client(t, a.port);
  for (let number = 0; number < MESSAGES; number++) await publisher.publishAsync('x', String(number), { qos: 1 });
  assert.equal(a.peer('b')?.queued, MESSAGES, 'nobody else is there: they wait');
  assert.equal(lost.received.length, 0);
  const here = await listening(t, c.port, '$share/g/x', 1);
  await a.knows('c', 1);
  await here.got(MESSAGES);
  assert.deepEqual(new Set(here.texts()).size, MESSAGES);
  assert.equal(a.peer('b')?.queued, 0);
});

test('cluster lets a group end where its last member leaves', async (t) => {
  const [a, b, c] = await three(t);
  const first = await listening(t, b.port, '$share/g/x', 1);
  const second = await listening(t, c.port, '$share/g/x', 1);
  await eventually(() => a.peer('b')?.filters === 1 && a.peer('c')?.filters === 1 && b.peer('c')?.filters === 1, 'all know');
  await first.client.unsubscribeAsync('$share/g/x');
  for (let number = 0; number < 20; number++) await publish(t, a.port, 'x', String(number), { qos: 1 }); // b may still be chosen: it passes them on
  await eventually(() => new Set(textsOf([first, second])).size === 20, 'all have come');
  await a.knows('b', 0);
});
