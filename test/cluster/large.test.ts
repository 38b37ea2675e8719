// What is larger than NATS takes at once goes over in parts: a client with many subscriptions, a broker with many wills.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { silentLogger } from '../../src/base/logger.ts';
import { WILLS_VERSION, type WillCopy } from '../../src/cluster/will-words.ts';
import { Wills } from '../../src/cluster/wills.ts';
import { client, publish } from '../bridges/clients.ts';
import { eventually } from '../bridges/scene.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';
import { type Member, startMember, startMembers, startNats } from './scene.ts';

/** Bytes that a NATS server takes as it comes. */
const NATS_MAX = 1_048_576;
/** Of one client; as JSON some 1.5 MB. */
const SUBSCRIPTIONS = 2000;
const SHARES = 40;
/** Bytes of a packet; some 800 of the filters. */
const SMALL_PACKET = 12_000;
const DEEP = 'house/floor/room/'.repeat(18);
const WILLS = 60_000;
const LONG_NAMES = 40;

test('cluster moves the session of a client with more subscriptions than fit into one NATS message', async (t) => {
  const [a, b, c] = (await startMembers(t, await startNats(t), ['a', 'b', 'c'])) as [Member, Member, Member];
  const options = { clientId: 'wanderer', clean: false, properties: { sessionExpiryInterval: 3600 } };
  const before = await client(t, a.port, options);
  const filters = Array.from({ length: SUBSCRIPTIONS }, (_, number) => `${DEEP}${number}`);
  for (let at = 0; at < filters.length; at += 500) await before.subscribeAsync(filters.slice(at, at + 500), { qos: 1 });
  await b.knows('a', SUBSCRIPTIONS);
  await c.knows('a', SUBSCRIPTIONS);
  const texts: string[] = [];
  const after = await client(t, b.port, options);
  after.on('message', (topicName, payload) => texts.push(`${topicName} ${payload}`));
  assert.equal(a.broker.sessions.get('wanderer'), null);
  assert.equal(b.broker.sessions.get('wanderer')?.subscriptions.size, SUBSCRIPTIONS);
  await c.knows('b', SUBSCRIPTIONS);
  await publish(t, c.port, filters.at(-1)!, 'here', { qos: 1 });
  await eventually(() => texts.includes(`${filters.at(-1)} here`), 'the message comes');
  assert.doesNotMatch([a, b, c].flatMap(({ log }) => log.lines).join('\n'), /NATS refuses|has not taken over|come when it is back/);
});

test('cluster takes the many filters of a newcomer in a few SUBSCRIBE packets', async (t) => {
  const nats = await startNats(t);
  const b = await startMember(t, nats, 'b');
  const subscriber = await client(t, b.port);
  const filters = Array.from({ length: SUBSCRIPTIONS }, (_, number) => `many/${number}`);
  const shares = Array.from({ length: SHARES }, (_, number) => `$share/group/shared/${number}`);
  await subscriber.subscribeAsync([...filters, ...shares], { qos: 1 });
  const a = await startMember(t, nats, 'a', { options: { maxPacketSize: SMALL_PACKET } });
  let packets = 0;
  a.broker.on('subscribe', (requests: readonly unknown[], { id }: { id: string }) => {
    if (id === 'cluster.to.b' && requests.length > 0) packets++;
  });
  await a.knows('b', SUBSCRIPTIONS + SHARES);
  assert.ok(packets <= Math.ceil(SUBSCRIPTIONS / 500) + SHARES, `${packets} packets`);
  const texts: string[] = [];
  subscriber.on('message', (_, payload) => texts.push(payload.toString()));
  await publish(t, a.port, 'shared/7', 'one', { qos: 1 });
  await publish(t, a.port, 'many/7', 'two', { qos: 1 });
  await eventually(() => texts.length >= 2, 'they come');
});

test('cluster says and settles the wills of a broker with very many clients in words that NATS takes', async (t) => {
  const { broker, stop } = await startTestBroker();
  t.after(stop);
  const said: Buffer[] = [];
  const ask = async (_: string, word: object): Promise<Buffer> => {
    said.push(Buffer.from(JSON.stringify(word)));
    return Buffer.from('{}');
  };
  let now = 0;
  const wills = new Wills({
    ...{ broker, log: silentLogger, run: '1', clock: { now: () => now, monotonic: () => now } },
    neighbours: { id: 'b', known: () => ['c'], heard: () => ['c'], mayBeThere: () => ['c'], ask, carry: async () => false },
    tell: () => {},
  });
  wills.connected();
  const set = Array.from({ length: WILLS }, (_, number) => copy(`a client with a usual name ${number}`));
  wills.hear(Buffer.from(JSON.stringify({ v: WILLS_VERSION, id: 'a', run: '1', begins: true, set, gone: [] })));
  assert.equal(wills.count, WILLS);
  now = 60_000;
  wills.beat();
  await turn();
  assert.equal(wills.count, 0);
  assert.ok(said.every(({ length }) => length < NATS_MAX / 2));
  const clients = new Set(said.flatMap((word) => (JSON.parse(word.toString()) as { clients: string[] }).clients));
  assert.equal(clients.size, WILLS);
  let parts = 0;
  for (let more = true; more; parts++) {
    const answer = wills.saidOf('a', '2', parts);
    assert.ok(JSON.stringify(answer).length < NATS_MAX / 2);
    for (const clientId of answer.said) assert.ok(clients.has(clientId) || assert.fail(clientId));
    more = answer.more;
  }
  assert.ok(parts > 1);
});

test('cluster tells of wills whatever the client ids, and of many that go in one turn', async (t) => {
  const [a, b] = (await startMembers(t, await startNats(t), ['a', 'b'])) as [Member, Member];
  const names = Array.from({ length: LONG_NAMES }, (_, number) => `${number}`.padEnd(30_000, '\u00e4'));
  const will = { topic: 'x', payload: Buffer.from('gone'), qos: 0, retain: false } as const;
  await Promise.all(names.map((clientId) => client(t, a.port, { clientId, will })));
  await eventually(
    () => b.cluster.state.wills === LONG_NAMES,
    () => `all are told: ${b.cluster.state.wills}`,
  );
  for (const { connection } of [...a.broker.sessions]) if (connection?.origin.isOwn !== true) connection?.destroy();
  await eventually(
    () => b.cluster.state.wills === 0,
    () => `all are gone: ${b.cluster.state.wills}`,
  );
});

function copy(clientId: string): WillCopy {
  const rest = { username: null, listener: '', version: 5, expiryInterval: 0, qos: 0, retain: false, properties: '' } as const;
  return { ...rest, clientId, topicName: 'wills/all', payload: 'Z29uZQ==' };
}
