// What is kept for clients, against one limit: new things are refused, what is there goes on, and there is room again when something goes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Authenticator } from '../../src/broker/ports.ts';
import { Scene } from '../support/broker/scene.ts';
import { nextTurn, quiet, until } from '../support/broker/turns.ts';
import type { WirePeer } from '../support/clients/wire-peer.ts';
import { heldBytes } from '../support/process/memory.ts';
import { hex } from '../support/protocol/hex-template.ts';

const LIMIT = 200_000;

test('broker refuses new retained messages at memory_limit, changes and clears those that are there, and says it once', async () => {
  await using scene = await Scene.open({ options: { memoryLimit: LIMIT } });
  const { budget, retained } = scene.broker;
  const subscriber = await scene.house.connect({ clientId: 'subscriber' });
  subscriber.send(`82 [ 0001 { } 'late' 00 ]`);
  await subscriber.expect('90 [ 0001 {} 00 ]');
  const publisher = await scene.house.connect({ clientId: 'publisher' });
  let kept = 0;
  for (let refused = false; !refused; ) {
    publisher.send(`33 [ 't${kept}' 0001 {} 00*1000 ]`);
    const answer = (await publisher.next()) as Buffer; // PUBACK
    refused = answer[4] === 0x97;
    if (!refused) kept++;
  }
  assert.ok(kept > 50 && kept < 200, `${kept} were kept`);
  assert.equal(retained.count, kept);
  assert.ok(budget.kept <= LIMIT);
  publisher.send(`33 [ 't0' 0002 {} 01*1000 ]`); // no more than before
  await publisher.expect('40 [ 0002 10 ]');
  publisher.send(`31 [ 'late' {} 02*1000 ]`); // nobody can be told: it is delivered and not kept
  await subscriber.expect(`30 [ 'late' {} 02*1000 ]`);
  assert.equal(retained.get('late'), null);
  publisher.send(`33 [ 'late' 0003 {} 02*1000 ]`);
  await publisher.expect('40 [ 0003 97 ]');
  for (let at = 0; at < kept / 2; at++) {
    publisher.send(`33 [ 't${at}' 0004 {} ]`);
    await publisher.expect('40 [ 0004 10 ]');
  }
  publisher.send(`33 [ 'late' 0005 {} 02*1000 ]`);
  await subscriber.expect(`30 [ 'late' {} 02*1000 ]`);
  await publisher.expect('40 02 0005');
  assert.equal(scene.lines.filter((line) => line.includes('memory_limit is 0.2 MB')).length, 1);
  assert.equal(scene.lines.filter((line) => line.startsWith('There is room for clients again')).length, 1);
  for (const peer of [publisher, subscriber]) peer.abort();
});

test('broker drops what would wait beyond memory_limit, counts a message once however many wait for it, and gives all back', async () => {
  await using scene = await Scene.open({ options: { memoryLimit: 5 * LIMIT, maxQueuedMessages: 0 } });
  const { budget, counters } = scene.broker;
  for (const clientId of ['one', 'two', 'three']) {
    const peer = await scene.house.connect({ clientId, sessionExpiryInterval: 3600 });
    peer.send(`82 [ 0001 {} 'news' 01 ]`);
    await peer.expect('90 [ 0001 {} 01 ]');
    peer.send('E0 00');
    await peer.expectClosed();
  }
  const publisher = await scene.house.connect({ clientId: 'publisher' });
  const before = budget.kept;
  publisher.send(`32 [ 'news' 0001 {} 00*10000 ]`);
  await publisher.expect('40 02 0001');
  assert.ok(budget.kept - before < 12_000, `${budget.kept - before} bytes for one message`);
  for (let at = 0; at < 200; at++) publisher.send(`32 [ 'news' 0002 {} 00*10000 ]`);
  for (let at = 0; at < 200; at++) await publisher.next();
  assert.ok(budget.kept <= 5 * LIMIT, `${budget.kept} bytes`);
  assert.ok(counters.publishDropped > 200, `${counters.publishDropped} dropped`);
  const one = await scene.house.connect({ clientId: 'one', cleanStart: false, sessionExpiryInterval: 3600 });
  const waiting = scene.broker.sessions.get('one')!.outgoing;
  for (let left = waiting.inflightCount + waiting.backlog.length; left > 0; left--) {
    const packet = (await one.next()) as Buffer;
    const packetIdAt = 3 + 2 + 'news'.length; // behind a Remaining Length of two bytes and the topic
    one.send(Buffer.concat([Buffer.of(0x40, 2), packet.subarray(packetIdAt, packetIdAt + 2)]));
  }
  await quiet(() => waiting.inflightCount);
  assert.deepEqual([waiting.inflightCount, waiting.backlog.length], [0, 0]);
  one.abort();
  for (const session of [...scene.broker.sessions]) if (session.connection === null) scene.broker.sessions.end(session);
  publisher.abort();
  await until(() => scene.broker.connections.size <= 1); // the scene has a witness
  for (const session of [...scene.broker.sessions]) scene.broker.sessions.end(session);
  assert.equal(budget.kept, 0);
});

const ACCOUNTS: Authenticator = { authenticate: () => 'accepted', hasAccount: (_, username) => username === 'big' || username === 'small' };

/** As it is when one user has kept all that it may. */
async function filledBy(scene: Scene, username: string): Promise<WirePeer> {
  const peer = await scene.house.connect({ clientId: `of-${username}`, username });
  for (let at = 0; ; at++) {
    peer.send(`33 [ '${username}/${at}' 0001 {} 00*1000 ]`);
    const answer = (await peer.next()) as Buffer; // PUBACK
    if (answer[4] === 0x97) return peer;
  }
}

test('users with less than their share find room when another has filled the memory: for a session, a subscription, messages that wait', async () => {
  await using scene = await Scene.open({ options: { memoryLimit: LIMIT }, authenticator: ACCOUNTS });
  const { budget, retained, sessions } = scene.broker;
  const big = await filledBy(scene, 'big');
  assert.ok(budget.kept > 0.88 * LIMIT && budget.kept <= 0.9 * LIMIT, `${budget.kept} of ${LIMIT}`);
  assert.equal(scene.lines.filter((line) => line.includes('Most is kept for user "big" (0.2 MB)')).length, 1);
  const small = await scene.house.connect({ clientId: 'small', username: 'small', sessionExpiryInterval: 3600 });
  small.send(`82 [ 0001 {} 'news' 01 ] 33 [ 'mine' 0002 {} |x| ]`);
  await small.expect('90 [ 0001 {} 01 ]');
  await small.expect('40 [ 0002 10 ]');
  assert.equal(retained.get('mine')?.payload.toString(), 'x');
  small.send('E0 00');
  await small.expectClosed();
  big.send(`32 [ 'news' 0003 {} |waits| ] 82 [ 0004 {} 'more' 00 ]`);
  await big.expect('40 02 0003');
  await big.expect('90 [ 0004 {} 97 ]');
  assert.equal(sessions.get('small')?.outgoing.backlog.length, 1);
  const nameless = scene.house.open({ version: 4 });
  nameless.send(hex(`10 [ PROTOCOL C2 0000 'any' 'invented' 'pw' ]`, 4));
  await nameless.expect('20 [ 00 00 ]');
  assert.deepEqual([sessions.get('any')?.account.name, sessions.get('small')?.account.name], ['', 'small']);
  for (const peer of [big, nameless]) peer.abort();
});

test('a small value of a retained topic may become a longer one when the memory is full', async () => {
  await using scene = await Scene.open({ options: { memoryLimit: LIMIT }, authenticator: ACCOUNTS });
  const client = await scene.house.connect({ clientId: 'client', username: 'big' });
  client.send(`33 [ 'temperature' 0001 {} |9.9| ]`);
  await client.expect('40 [ 0001 10 ]');
  const { broker } = scene;
  broker.setOptions({ ...broker.options, memoryLimit: broker.budget.kept }); // no byte is left
  client.send(`33 [ 'humidity' 0001 {} |9| ]`);
  await client.expect('40 [ 0001 97 ]');
  client.send(`33 [ 'temperature' 0002 {} |{"temperature":10.25,"unit":"C"}| ]`);
  await client.expect('40 [ 0002 10 ]');
  assert.equal(broker.retained.get('temperature')?.payload.length, 32);
  client.send(`33 [ 'temperature' 0003 {} 20*65 ]`);
  await client.expect('40 [ 0003 97 ]');
  client.abort();
});

test('the last tenth of the memory is not filled by one user either', async () => {
  await using scene = await Scene.open({ options: { memoryLimit: 10 * LIMIT }, authenticator: ACCOUNTS });
  const { budget } = scene.broker;
  const both = [await filledBy(scene, 'big'), await filledBy(scene, 'small')];
  assert.ok(budget.account('small').bytes > 0.09 * budget.limit, `${budget.account('small').bytes} of ${budget.limit}`);
  assert.ok(budget.kept <= budget.limit);
  for (const peer of both) peer.abort();
  await until(() => scene.broker.connectedClients === 1);
  for (const session of [...scene.broker.sessions]) if (session.connection === null) scene.broker.sessions.end(session);
  for (const name of ['big', 'small']) {
    const cursor = scene.broker.retained.matching(`${name}/#`);
    for (let value = cursor.nextValue(); value !== null; value = cursor.nextValue()) scene.broker.retained.delete(value.topicName);
    assert.equal(budget.account(name).bytes, 0);
  }
});

test('broker lets no new session in at memory_limit, and those that are there come back', async () => {
  await using scene = await Scene.open({ options: { memoryLimit: 30_000 } });
  const old = await scene.house.connect({ clientId: 'old', sessionExpiryInterval: 3600 });
  for (let at = 0; scene.broker.budget.hasRoom(2600, scene.broker.budget.account('')); at++)
    await scene.house.connect({ clientId: `new${at}` });
  for (const [version, answer] of [
    [5, '20 [ 00 97 {} ]'],
    [4, '20 [ 00 03 ]'],
  ] as const) {
    const late = scene.house.open({ version });
    late.send(hex(`10 [ PROTOCOL 02 0000 {} 'late' ]`, version));
    await late.expect(answer);
    await late.expectClosed();
  }
  old.abort();
  await until(() => scene.broker.sessions.get('old')?.connection === null);
  const back = await scene.house.connect({ clientId: 'old', cleanStart: false, sessionExpiryInterval: 3600 });
  back.abort();
});

test('broker closes who leaves most unread when all together leave too much', async () => {
  await using scene = await Scene.open({ options: { memoryLimit: 4_000_000 } });
  const deaf = Array.from({ length: 10 }, (_, at) => scene.deaf(`deaf${at}`));
  await until(() => scene.broker.connectedClients >= 10);
  for (const [at, near] of deaf.entries()) near.write(hex(`82 [ 0001 'f${at}' 00 ]`, 4));
  await until(() => scene.broker.tree.count >= 10);
  const publisher = await scene.house.connect({ clientId: 'publisher' });
  publisher.send(`30 [ 'f3' {} 00*300000 ]`); // who has most
  for (let count = 0; count < 100; count++) publisher.send(`30 [ 'f${count % 10}' {} 00*60000 ]`);
  publisher.send('C0 00');
  await publisher.expect('D0 00');
  await until(() => scene.lines.some((line) => line.includes('deaf3') && line.includes('leaves too much unread')));
  assert.ok(scene.broker.budget.outgoing <= 1_000_000, `${scene.broker.budget.outgoing} bytes wait`);
  await scene.unharmed();
  for (const near of deaf) near.destroy();
  publisher.abort();
  await until(() => scene.broker.budget.outgoing === 0);
});

test('a large payload that many clients leave unread counts once', async () => {
  await using scene = await Scene.open();
  const deaf = Array.from({ length: 10 }, (_, at) => scene.deaf(`deaf${at}`));
  await until(() => scene.broker.connectedClients >= 10);
  for (const near of deaf) near.write(hex(`82 [ 0001 'images' 00 ]`, 4));
  await until(() => scene.broker.tree.count >= 10);
  const { budget } = scene.broker;
  const publisher = await scene.house.connect({ clientId: 'publisher', version: 4 });
  publisher.send(`30 [ 'images' 00*500000 ]`);
  await publisher.settle();
  assert.ok(budget.outgoing > 500_000 && budget.outgoing < 800_000, `${budget.outgoing} bytes wait`);
  for (const { output } of scene.broker.connections)
    if (output.unread > 0) assert.ok(output.unread > 500_000, `${output.unread} bytes wait for one`);
  for (const near of deaf.slice(5)) near.resume();
  for (const near of deaf.slice(0, 4)) near.destroy();
  await until(() => Array.from(scene.broker.connections).filter(({ output }) => output.pending > 0).length === 1);
  assert.ok(budget.outgoing > 500_000 && budget.outgoing < 600_000, `${budget.outgoing} bytes wait`);
  deaf[4]!.resume();
  await until(() => budget.outgoing === 0);
  for (const near of deaf) near.destroy();
});

test('memory budget counts about what is really held', async () => {
  await using scene = await Scene.open({ options: { maxQueuedMessages: 0 } });
  const { budget } = scene.broker;
  const publisher = await scene.house.connect({ clientId: 'publisher', version: 4 });
  const measured = async (work: () => Promise<void>) => {
    for (let turn = 0; turn < 100; turn++) await nextTurn(); // streams that have just ended hold on to what they carried
    const [held, counted] = [heldBytes(), budget.kept];
    await work();
    return (budget.kept - counted) / (heldBytes() - held);
  };
  for (let at = 0; at < 5000; at++) publisher.send(`30 [ 'home/room${at % 50}/device${at}' |21.5| ]`); // their names are cached now
  publisher.send('C0 00');
  await publisher.expect('D0 00');
  const ratios = {
    retained: await measured(async () => {
      for (let at = 0; at < 5000; at++) publisher.send(`31 [ 'home/room${at % 50}/device${at}' |21.5| ]`);
      publisher.send('C0 00');
      await publisher.expect('D0 00');
    }),
    sessions: await measured(async () => {
      for (let at = 0; at < 500; at++) {
        const peer = await scene.house.connect({ clientId: `kept${at}`, version: 4, cleanStart: false });
        peer.send(`82 [ 0001 'commands/${at}/+' 01 'all' 01 ]`);
        await peer.next();
        peer.send('E0 00');
        await peer.expectClosed();
      }
    }),
    queues: await measured(async () => {
      for (let at = 0; at < 20; at++) publisher.send(`32 [ 'all' 0001 |a small message| ]`);
      for (let at = 0; at < 20; at++) await publisher.next();
    }),
  };
  for (const [what, ratio] of Object.entries(ratios))
    assert.ok(ratio > 0.6 && ratio < 1.8, `${what}: counted ${ratio.toFixed(2)} of what is held`);
  publisher.abort();
});
