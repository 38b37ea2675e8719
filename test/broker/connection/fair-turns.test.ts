// One client that makes every message expensive: it is worked on in turns, and others are served in between.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scene } from '../../support/broker/scene.ts';
import { nextTurn, until } from '../../support/broker/turns.ts';
import type { WirePeer } from '../../support/clients/wire-peer.ts';
import { hex } from '../../support/protocol/hex-template.ts';

const GROUPS = 100;
const MESSAGES = 2000;

async function subscribed(peer: WirePeer, filters: readonly string[]): Promise<void> {
  peer.send(`82 [ 0001 {} ${filters.map((filter) => `'${filter}' 00`).join(' ')} ]`);
  await peer.expect(`90 [ 0001 {} ${'00 '.repeat(filters.length)} ]`);
}

/** Each filter of this many levels is `a` or `+` at each of them: a name of as many `a` matches them all. */
function allOf(levels: number): string[] {
  return Array.from({ length: 2 ** levels }, (_, bits) =>
    Array.from({ length: levels }, (_, level) => ((bits >> level) & 1 ? '+' : 'a')).join('/'),
  );
}

for (const [what, filters, topicName] of [
  ['a hundred shared groups', Array.from({ length: GROUPS }, (_, at) => `$share/g${at}/#`), 'x'],
  ['subscriptions with identifiers', [], 'own'],
] as const) {
  test(`broker answers others between the messages of a client when each goes to ${what}`, async () => {
    await using scene = await Scene.open();
    const attacker = await scene.house.connect({ clientId: 'attacker' });
    const readers = await Promise.all(Array.from({ length: 20 }, (_, at) => scene.house.connect({ clientId: `reader${at}` })));
    const other = await scene.house.connect({ clientId: 'other' });
    if (filters.length > 0) await subscribed(attacker, filters);
    for (const reader of readers) {
      reader.send(`82 [ 0001 { 0B 07 } 'own' 00 ]`);
      await reader.expect('90 [ 0001 {} 00 ]');
    }
    const one = hex(`30 [ '${topicName}' {} |0| ]`, 5);
    attacker.send(Buffer.concat(Array.from({ length: MESSAGES }, () => one)));
    await nextTurn();
    await nextTurn();
    other.send('C0 00');
    await until(() => other.waiting.length > 0);
    const before = scene.broker.counters.publishReceived;
    assert.ok(before < MESSAGES / 2, `${before} of ${MESSAGES} messages went before one PINGREQ of another`);
    await until(() => scene.broker.counters.publishReceived === MESSAGES);
    for (const peer of [attacker, ...readers]) peer.abort();
    other.abort();
    await scene.alone();
  });
}

test('broker carries all messages in order when they take many turns', async () => {
  await using scene = await Scene.open();
  const [publisher, subscriber] = [await scene.house.connect({ clientId: 'p' }), await scene.house.connect({ clientId: 's' })];
  await subscribed(
    publisher,
    Array.from({ length: GROUPS }, (_, at) => `$share/g${at}/other/#`),
  );
  await subscribed(subscriber, ['#']);
  const all = Array.from({ length: MESSAGES }, (_, at) => {
    const number = at.toString(16).padStart(4, '0');
    return at % 3 === 0 ? `30 [ 'other' {} ${number} ]` : `30 [ 'plain' {} ${number} ]`;
  });
  publisher.send(Buffer.concat([...all.map((one) => hex(one, 5)), hex(`30 [ 'last' {} FFFF ] C0 00`, 5)]));
  for (const one of [...all, `30 [ 'last' {} FFFF ]`]) await subscriber.expect(one);
  publisher.abort();
  subscriber.abort();
});

test('broker refuses shared subscriptions, filters with + and long lists beyond their limits, and lets the others in', async () => {
  await using scene = await Scene.open({ options: { maxSharedSubscriptions: 2, maxWildcardLevels: 4 } });
  const greedy = await scene.house.connect({ clientId: 'greedy' });
  greedy.send(`82 [ 0001 {} '$share/a/x' 00 '$share/b/x' 00 '$share/c/x' 00 '+' 00 'a/+' 00 '+/b' 00 'c/+' 00 'plain' 00 ]`);
  await greedy.expect('90 [ 0001 {} 00 00 97 00 00 00 97 00 ]');
  greedy.send(`A2 [ 0002 {} '$share/a/x' '+' ] 82 [ 0003 {} '$share/c/x' 00 'c/+' 00 '$share/c/x' 00 ]`);
  await greedy.expect('B0 [ 0002 {} 00 00 ]');
  await greedy.expect('90 [ 0003 {} 00 00 00 ]');
  const many = Array.from({ length: 5001 }, (_, at) => `'${at % 7}' 00`).join(' ');
  greedy.send(`82 [ 0004 {} ${many} ]`);
  await greedy.expect(`90 [ 0004 {} ${'00 '.repeat(5000)} 97 ]`);
  greedy.abort();
});

test('UNSUBSCRIBE ends as many subscriptions as SUBSCRIBE takes, and says that the rest is left', async () => {
  await using scene = await Scene.open();
  const client = await scene.house.connect({ clientId: 'client' });
  await subscribed(client, ['first', 'last']);
  const filters = ['first', ...Array.from({ length: 4999 }, (_, at) => `${at % 7}`), 'last'];
  client.send(`A2 [ 0002 {} ${filters.map((filter) => `'${filter}'`).join(' ')} ]`);
  await client.expect(`B0 [ 0002 {} 00 ${'11 '.repeat(4999)} 83 ]`);
  assert.deepEqual([...scene.broker.sessions.get('client')!.subscriptions.keys()], ['last']);
  client.abort();
});

test('UNSUBSCRIBE of a client before MQTT 5 ends its connection when it has more filters than are read: its answer has no word for them', async () => {
  await using scene = await Scene.open();
  const client = await scene.house.connect({ clientId: 'client', version: 4 });
  client.send(`A2 [ 0002 ${Array.from({ length: 5001 }, () => "'a'").join(' ')} ]`);
  await client.expectClosed();
});

test('subscription tree counts the work of a walk, so that overlapping filters cost their owner and nobody else', async () => {
  await using scene = await Scene.open();
  const [owner, other] = [await scene.house.connect({ clientId: 'owner' }), await scene.house.connect({ clientId: 'other' })];
  await subscribed(owner, allOf(9));
  const name = (at: number) => `${'a/'.repeat(8)}a${'/x'.repeat(at % 2)}`;
  const changing = Array.from({ length: 500 }, (_, at) => `82 [ 0002 {} 'z${at}' 00 ] 30 [ '${name(at)}' {} |0| ]`).join(' ');
  owner.send(changing);
  await nextTurn();
  await nextTurn();
  other.send('C0 00');
  await until(() => other.waiting.length > 0);
  const before = scene.broker.counters.publishReceived;
  assert.ok(before < 250, `${before} of 500 messages went before one PINGREQ of another`);
  await until(() => scene.broker.counters.publishReceived === 500);
  for (const peer of [owner, other]) peer.abort();
});

for (const [what, packet, answer] of [
  ['SUBSCRIBE', `82 [ 0002 {} ${deepFilters(' 00')} ]`, `90 [ 0002 {} ${'00 '.repeat(500)} ]`],
  ['UNSUBSCRIBE', `A2 [ 0002 {} ${deepFilters('')} ]`, `B0 [ 0002 {} ${'11 '.repeat(500)} ]`],
] as const) {
  test(`broker answers others while it works through one ${what} of 500 filters of 200 levels, and its sender in order`, async () => {
    await using scene = await Scene.open();
    const [greedy, other] = [await scene.house.connect({ clientId: 'greedy' }), await scene.house.connect({ clientId: 'other' })];
    greedy.send(`${packet} C0 00`);
    let answered = 0;
    for (; greedy.waiting.length === 0; answered++) {
      other.send('C0 00');
      await other.expect('D0 00');
    }
    assert.ok(answered > 10, `another got ${answered} answers meanwhile`);
    await greedy.expect(answer);
    await greedy.expect('D0 00');
    greedy.abort();
    other.abort();
  });
}

test('work for a client that goes away in the middle of it ends there', async () => {
  await using scene = await Scene.open();
  const greedy = await scene.house.connect({ clientId: 'greedy' });
  greedy.send(`82 [ 0002 {} ${deepFilters(' 00')} ]`);
  await until(() => scene.broker.tree.count > 1);
  greedy.abort();
  await until(() => scene.broker.sessions.get('greedy') === null);
  for (let turn = 0; turn < 100; turn++) await nextTurn();
  assert.equal(scene.broker.tree.count, 1); // the scene's witness
});

test('session with tens of thousands of subscriptions ends at once for its messages, and over many turns in the tree', async () => {
  await using scene = await Scene.open();
  const [owner, publisher] = [await scene.house.connect({ clientId: 'owner' }), await scene.house.connect({ clientId: 'publisher' })];
  for (let at = 0; at < 20_000; at += 4000) {
    owner.send(`82 [ 0001 {} ${Array.from({ length: 4000 }, (_, more) => `'t/${at + more}' 01`).join(' ')} ]`);
    await owner.next();
  }
  const { broker } = scene;
  const session = broker.sessions.get('owner');
  assert.ok(session !== null && broker.tree.count > 20_000);
  broker.sessions.end(session);
  assert.ok(broker.tree.count > 10_000, 'all was taken out in one turn');
  publisher.send(`32 [ 't/19999' 0001 {} |x| ]`);
  await publisher.expect('40 [ 0001 10 ]'); // nobody subscribes
  assert.equal(session.outgoing.inflightCount + session.outgoing.backlog.length, 0);
  await until(() => broker.tree.count === 1); // the scene's witness
  for (const peer of [owner, publisher]) peer.abort();
});

function deepFilters(behind: string): string {
  return Array.from({ length: 500 }, (_, at) => `'${at}${'/x'.repeat(200)}'${behind}`).join(' ');
}
