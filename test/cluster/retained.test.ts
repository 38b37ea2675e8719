// Retained values are the same at all brokers of a cluster: the newest of each topic, also when that cleared it.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { listening, publish } from '../bridges/clients.ts';
import { eventually } from '../bridges/scene.ts';
import { TestClock } from '../support/ports/test-clock.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { type Member, startMember, startMembers, startNats } from './scene.ts';

const MANY = 3000;
/** Bytes; more than a NATS message has. */
const LARGE = 1_900_000;
const HOUR = 3_600_000;

/** keeps resolves when a broker has a value, null = none. */
function keeps(member: Member, topic: string, text: string | null): Promise<unknown> {
  const found = () => member.broker.retained.get(topic)?.payload.toString() ?? null;
  return eventually(
    () => found() === text,
    () => `${member.id} has ${text} in ${topic}, and not ${found()}`,
  );
}

function retain(test: TestContext, member: Member, topic: string, text: string): Promise<void> {
  return publish(test, member.port, topic, text, { qos: 1, retain: true });
}

/** retainNow does so without a client. */
function retainNow({ broker }: Member, topic: string, text: string): void {
  broker.publish({ ...{ cmd: 'publish', topic, payload: Buffer.from(text) }, qos: 0, retain: true, dup: false });
}

async function two(t: TestContext, more = {}): Promise<[Member, Member, Awaited<ReturnType<typeof startNats>>]> {
  const nats = await startNats(t);
  const [a, b] = (await startMembers(t, nats, ['a', 'b'], more)) as [Member, Member];
  return [a, b, nats];
}

test('cluster remembers what is cleared while it ends, so that a reload brings no old value back', async (t) => {
  const nats = await startNats(t);
  const a = await startMember(t, nats, 'a');
  retainNow(a, 'x', 'old');
  const leaving = a.leave();
  retainNow(a, 'x', '');
  await leaving;
  assert.ok(a.broker.retained.cleared.keyOf('x') > 0);
});

test('cluster has a retained value at all brokers, wanted there or not, with its properties, until one of them clears it', async (t) => {
  const [a, b] = await two(t);
  await publish(t, a.port, 'x/y', 'warm', { qos: 1, retain: true, properties: { contentType: 'text/plain' } });
  await keeps(b, 'x/y', 'warm');
  assert.equal(b.broker.retained.get('x/y')?.qos, 1);
  const late = await listening(t, b.port, 'x/#');
  await late.got(1);
  assert.deepEqual(late.received, [{ topic: 'x/y', text: 'warm', qos: 1, retain: true }]);
  assert.deepEqual(b.broker.retained.get('x/y')?.properties, a.broker.retained.get('x/y')?.properties);
  await retain(t, b, 'x/y', '');
  await keeps(a, 'x/y', null);
  await keeps(b, 'x/y', null);
});

test('cluster gives a newcomer all retained values, also those that are larger than a NATS message', async (t) => {
  const nats = await startNats(t);
  const a = await startMember(t, nats, 'a');
  const large = 'x'.repeat(LARGE);
  await retain(t, a, 'large', large);
  for (let number = 0; number < MANY; number++) retainNow(a, `many/${number}`, String(number));
  const b = await startMember(t, nats, 'b');
  await keeps(b, `many/${MANY - 1}`, String(MANY - 1));
  await keeps(b, 'large', large);
  await eventually(() => b.broker.retained.count === a.broker.retained.count, 'all have come');
  await retain(t, a, 'large', `${large}y`);
  await keeps(b, 'large', `${large}y`);
});

test('cluster keeps the newest retained value of each topic when both sides of a cut have published', async (t) => {
  const [a, b, nats] = await two(t);
  await retain(t, a, 'cleared', 'old');
  await retain(t, a, 'set again', 'old');
  await keeps(b, 'set again', 'old');
  const there = await listening(t, b.port, 'first a');
  await a.knows('b', 1);
  await nats.kill(0);
  await eventually(() => a.cluster.state.phase === 'alone' && b.cluster.state.phase === 'alone', 'both are alone');
  await retain(t, a, 'first a', 'a');
  await retain(t, b, 'first b', 'b');
  await retain(t, a, 'set again', '');
  await retain(t, b, 'first a', 'b, later');
  await retain(t, a, 'first b', 'a, later');
  await retain(t, b, 'set again', 'new');
  await retain(t, b, 'cleared', '');
  await nats.revive(0);
  for (const one of [a, b]) {
    await keeps(one, 'first a', 'b, later');
    await keeps(one, 'first b', 'a, later');
    await keeps(one, 'set again', 'new');
    await keeps(one, 'cleared', null);
  }
  await eventually(() => there.texts().includes('a'), 'what waited for b comes');
  await keeps(b, 'first a', 'b, later');
});

test('cluster goes by what was heard of first when a clock is wrong', async (t) => {
  const nats = await startNats(t);
  const [ahead, behind] = [new TestClock(), new TestClock()];
  ahead.advance(HOUR);
  const a = await startMember(t, nats, 'a', { clock: ahead });
  const b = await startMember(t, nats, 'b', { clock: behind });
  await a.knows('b', 0);
  await b.knows('a', 0);
  await retain(t, a, 'x', 'from the future');
  await keeps(b, 'x', 'from the future');
  await retain(t, b, 'x', 'newer');
  await keeps(a, 'x', 'newer');
  ahead.advance(-2 * HOUR);
  await retain(t, a, 'x', 'newest');
  await keeps(b, 'x', 'newest');
});

test('cluster has no ghosts: what was cleared while a broker was off does not come back with it', async (t) => {
  const nats = await startNats(t);
  const [folderA, folderB] = [new StoreFolder(t), new StoreFolder(t)];
  const stores: Awaited<ReturnType<StoreFolder['open']>>[] = [];
  const start = async (id: string, folder: StoreFolder) => {
    const store = await folder.open();
    stores.push(store);
    return startMember(t, nats, id, { openStore: async () => store });
  };
  const a = await start('a', folderA);
  const b = await start('b', folderB);
  await retain(t, a, 'gone', 'old');
  await retain(t, a, 'stays', 'old');
  await keeps(b, 'gone', 'old');
  await keeps(b, 'stays', 'old');
  await b.end();
  await stores[1]?.stop();
  await retain(t, a, 'gone', '');
  await a.end();
  await stores[0]?.stop();
  const again = await start('a', folderA); // it must know by its store what it has cleared
  const back = await start('b', folderB);
  assert.equal(back.broker.retained.get('gone')?.payload.toString(), 'old');
  await keeps(back, 'gone', null);
  await keeps(again, 'gone', null);
  await keeps(again, 'stays', 'old');
});

test('cluster keeps $SYS to each broker, and asks for nothing while all have the same', async (t) => {
  const [a, b] = await two(t);
  retainNow(a, '$SYS/broker/own', 'a');
  await retain(t, a, 'x', '1');
  await keeps(b, 'x', '1');
  assert.equal(b.broker.retained.get('$SYS/broker/own'), null);
  const before = a.cluster.state.carried;
  for (let number = 0; number < 50; number++) retainNow(a, '$SYS/broker/own', `${number}`);
  retainNow(b, 'x', '2');
  await keeps(a, 'x', '2');
  assert.equal(a.cluster.state.carried, before);
});

test('cluster leaves out a value that a broker has no room for, and says so', async (t) => {
  const nats = await startNats(t);
  const a = await startMember(t, nats, 'a');
  const b = await startMember(t, nats, 'b', { options: { memoryLimit: 200_000 } });
  await a.knows('b', 0);
  await retain(t, a, 'large', 'small now');
  await keeps(b, 'large', 'small now');
  await retain(t, a, 'large', 'x'.repeat(300_000));
  await keeps(b, 'large', null); // the old one would be wrong
  assert.match(b.log.lines.join('\n'), /no room for the retained message of large \(memory_limit\)/);
  await retain(t, a, 'large', 'small again');
  await keeps(b, 'large', 'small again');
});
