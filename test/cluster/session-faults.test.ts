// A session that moves while the two brokers lose each other at any step: afterwards one broker has it, with each of its messages once.

import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { test } from 'node:test';
import { NobodyListens } from '../../src/cluster/backplane.ts';
import { eventually } from '../bridges/scene.ts';
import { startTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { WirePeer } from '../support/clients/wire-peer.ts';
import { StoreFolder } from '../support/store/open-store.ts';
import { type End, type Lost, type Network, PRESENT, twoEnds, WANDERER } from './two-ends.ts';

/** Steps of a move without other brokers. */
const STEPS = ['claim', 'cut', 'take', 'part', 'done'] as const;
const MESSAGES = ['one', 'two', 'three', 'four'];
/** Bytes of memory_limit, and messages that have no room there. */
const SMALL = 50_000;
const MANY = Array.from({ length: 100 }, (_, number) => String(number));

/** A session at a broker that has one QoS 2 message under way, and three messages that wait. */
async function prepare({ midge }: End): Promise<void> {
  const client = await midge.connect(WANDERER);
  client.send("82 [ 0001 {} 'x' 02 ]");
  await client.expect('90 [ 0001 {} 02 ]');
  publish(midge, MESSAGES[0]!, 2);
  await client.expect("34 [ 'x' 0001 {} |one| ]");
  client.abort();
  await eventually(() => midge.broker.sessions.get('wanderer')?.connection === null, 'it is away');
  publish(midge, MESSAGES[1]!, 2);
  publish(midge, MESSAGES[2]!, 1);
}

function publish({ broker }: TestBroker, payload: string, qos: 1 | 2): void {
  broker.publish({ cmd: 'publish', topic: 'x', payload: Buffer.from(payload), qos, retain: false, dup: false });
}

/** taken are the payloads that a client gets, which acknowledges all; it ends with the message "end". */
async function taken(peer: WirePeer): Promise<string[]> {
  const texts: string[] = [];
  const under = new Set<number>();
  for (;;) {
    const packet = await peer.next();
    assert.ok(typeof packet !== 'symbol', 'the broker has not closed the connection');
    const type = packet[0]! >> 4; // packets are not empty
    const qos = (packet[0]! >> 1) & 3;
    const packetId = packet.readUInt16BE(type === 3 ? 5 : 2);
    if (type === 6) {
      under.delete(packetId);
      peer.send(Buffer.of(0x70, 2, packetId >> 8, packetId & 255));
      continue;
    }
    if (type !== 3) continue;
    peer.send(Buffer.of(qos === 1 ? 0x40 : 0x50, 2, packetId >> 8, packetId & 255));
    const text = packet.toString('latin1', 8);
    if (qos === 2 && under.has(packetId)) continue;
    if (qos === 2) under.add(packetId);
    if (text === 'end') return texts;
    texts.push(text);
  }
}

for (const step of STEPS)
  for (const lost of ['question', 'answer'] as const)
    test(`cluster keeps a session whole when the ${lost} of "${step}" is lost while it moves`, async (t) => {
      const fault: Network = { now: () => null };
      const [a, b] = await twoEnds(t, fault);
      await prepare(a);
      let isLost = false;
      fault.now = ({ ask }) => {
        isLost ||= ask === step;
        fault.isApart = isLost;
        return isLost ? lost : null; // and all that comes after it
      };
      const client = b.midge.open();
      client.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'wanderer' ]");
      await client.expect('20 [ ?? 00 { ... } ]');
      client.abort();
      await eventually(() => b.midge.broker.sessions.get('wanderer')?.connection === null, 'it is away');
      await eventually(
        () => !a.ids.isMoving('wanderer') && !b.ids.isMoving('wanderer'),
        () => 'each knows that the move is over',
      );
      if (a.midge.broker.sessions.get('wanderer') !== null) publish(a.midge, MESSAGES[3]!, 1);
      else publish(b.midge, MESSAGES[3]!, 1);
      fault.now = () => null;
      fault.isApart = false;
      a.back();
      b.back();
      await eventually(() => a.midge.broker.sessions.get('wanderer') === null && !a.ids.isMoving('wanderer'), 'one session is left');
      const again = b.midge.open();
      again.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'wanderer' ]");
      await again.expect(PRESENT);
      again.send("82 [ 0009 {} 'x' 02 ]");
      publish(b.midge, 'end', 1);
      const texts = await taken(again);
      const repeated = texts.filter((text, at) => texts.indexOf(text) !== at);
      assert.deepEqual(repeated, [], 'none comes twice');
      assert.deepEqual(texts.toSorted(), MESSAGES.toSorted());
    });

test('cluster brings what a shared subscription gives a session while it moves', async (t) => {
  const fault: Network = { now: () => null };
  const [a, b] = await twoEnds(t, fault);
  const first = await a.midge.connect(WANDERER);
  first.send("82 [ 0001 {} '$share/g/x' 02 ]");
  await first.expect('90 [ 0001 {} 02 ]');
  first.abort();
  await eventually(() => a.midge.broker.sessions.get('wanderer')?.connection === null, 'it is away');
  publish(a.midge, 'one', 2);
  let isLate = false;
  fault.now = ({ ask }) => {
    if (ask === 'done' && !isLate) publish(a.midge, 'two', 2);
    isLate ||= ask === 'done';
    return null;
  };
  const again = b.midge.open();
  again.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'wanderer' ]");
  await again.expect(PRESENT);
  await again.expect("34 [ 'x' ???? {} |one| ]");
  await again.expect("34 [ 'x' ???? {} |two| ]");
  assert.equal(a.midge.broker.sessions.get('wanderer'), null);
});

test('cluster gives a client once what two brokers had for it that did not reach each other', async (t) => {
  const fault: Network = { now: () => null };
  const [a, b] = await twoEnds(t, fault);
  const first = await a.midge.connect(WANDERER);
  first.send("82 [ 0001 {} 'x' 02 ]");
  await first.expect('90 [ 0001 {} 02 ]');
  first.abort();
  await eventually(() => a.midge.broker.sessions.get('wanderer')?.connection === null, 'it is away');
  publish(a.midge, 'before', 2);
  fault.now = () => 'question';
  const client = await b.midge.connect(WANDERER);
  client.send("82 [ 0001 {} 'x' 02 ]");
  await client.expect('90 [ 0001 {} 02 ]');
  for (const { midge } of [a, b]) for (const qos of [1, 2] as const) publish(midge, `both ${qos}`, qos);
  publish(a.midge, 'twice', 2);
  for (const { midge } of [a, b]) publish(midge, 'twice', 2);
  fault.now = () => null;
  a.back();
  b.back();
  await eventually(() => a.midge.broker.sessions.get('wanderer') === null, 'one session is left');
  publish(b.midge, 'end', 1);
  const texts = await taken(client);
  assert.deepEqual(texts.toSorted(), ['before', 'both 1', 'both 1', 'both 2', 'twice', 'twice']);
});

test('cluster gives a client once what two brokers had for it where they compare while its session moves', async (t) => {
  const fault: Network = { now: () => 'question' };
  const [a, b] = await twoEnds(t, fault);
  for (const { midge } of [b, a]) {
    const client = await midge.connect(WANDERER); // its later CONNECT is at "a"
    client.send("82 [ 0001 {} 'x' 02 ]");
    await client.expect('90 [ 0001 {} 02 ]');
    client.abort();
    await eventually(() => midge.broker.sessions.get('wanderer')?.connection === null, 'it is away');
  }
  for (const { midge } of [a, b]) publish(midge, 'both', 2);
  let compared = 0;
  fault.now = async ({ ask }) => {
    if (ask === 'compare') compared++;
    if (ask === 'take' && compared === 0) {
      b.back();
      await eventually(() => compared > 0, 'they compare');
      await new Promise(setImmediate); // the answer needs no more than that
    }
    return null;
  };
  const again = b.midge.open();
  again.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'wanderer' ]");
  await again.expect(PRESENT);
  publish(b.midge, 'end', 1);
  assert.deepEqual(await taken(again), ['both']);
});

test('cluster finds the subscriptions of a session whose move a restart has interrupted', async (t) => {
  const fault: Network = { now: () => null };
  const folder = new StoreFolder(t);
  const [a, b] = await twoEnds(t, fault, (id) => (id === 'b' ? { openStore: () => folder.open() } : {}));
  await prepare(a);
  const { promise, resolve: lose } = Promise.withResolvers<Lost>();
  const isTaken = new Promise<void>((resolve) => {
    fault.now = ({ ask }) => {
      if (ask !== 'take') return null;
      resolve();
      return promise;
    };
  });
  const client = b.midge.open();
  client.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'wanderer' ]");
  await isTaken;
  await new Promise<void>((resolve) => b.midge.broker.journal!.whenDurable(() => resolve())); // it has a store
  const copy = new StoreFolder(t);
  cpSync(folder.path, copy.path, { recursive: true });
  await using again = await startTestBroker({ openStore: () => copy.open() });
  assert.deepEqual([...(again.broker.sessions.get('wanderer')?.subscriptions.keys() ?? [])], ['x']);
  lose('question');
  await client.expect('20 [ ?? 00 { ... } ]');
});

test('cluster has a session on the disk where it comes before any message is sent there and not to where it was', async (t) => {
  const [folder, copy] = [new StoreFolder(t), new StoreFolder(t)];
  const fault: Network = { now: () => null };
  const [a, b] = await twoEnds(t, fault, (id) => (id === 'b' ? { openStore: () => folder.open() } : {}));
  await prepare(a);
  fault.now = ({ ask }) => {
    if (ask === 'cut') cpSync(folder.path, copy.path, { recursive: true }); // what a power cut would leave
    return null;
  };
  const client = b.midge.open();
  client.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'wanderer' ]");
  await client.expect(PRESENT);
  await using again = await startTestBroker({ openStore: () => copy.open() });
  assert.deepEqual([...(again.broker.sessions.get('wanderer')?.subscriptions.keys() ?? [])], ['x']);
});

test('cluster has ended when sessions on their way have no place of their own in the tree any more', async (t) => {
  const fault: Network = { now: () => null };
  const [a, b] = await twoEnds(t, fault);
  await prepare(a);
  const { promise, resolve: lose } = Promise.withResolvers<Lost>();
  let isTaken = false;
  fault.now = ({ ask }) => {
    isTaken ||= ask === 'take';
    return ask === 'take' ? promise : null;
  };
  const client = b.midge.open();
  client.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'wanderer' ]");
  await eventually(() => isTaken, 'the session is on its way');
  b.ids.stop();
  const { tree } = b.midge.broker;
  const ended = b.ids.ended();
  lose('question');
  await ended;
  let gates = 0;
  tree.watcher = { added: () => {}, removed: () => gates++ };
  await client.expect('20 [ ?? 00 { ... } ]');
  assert.equal(gates, 0);
  assert.equal(tree.count, 1);
});

test('cluster lets clients in where another broker cannot answer questions about them', async (t) => {
  const [, b] = await twoEnds(t, {
    now: () => {
      throw new NobodyListens('nobody listens there');
    },
  });
  const client = await b.midge.connect(WANDERER);
  b.back();
  await client.expectSilence();
});

test('cluster answers questions of a version that it does not know with an error', async (t) => {
  const [a] = await twoEnds(t, { now: () => null });
  for (const word of ['{"v":2,"ask":"claim"}', '{"v":1,"ask":"dance"}', 'null', '[', '{"v":1,"ask":"cut"}', '{"v":1,"ask":"compare"}'])
    assert.match((await a.ids.answer(Buffer.from(word))).toString(), /^\{"error":/);
});

test('cluster refuses a client whose session has no room where it comes, and the session stays whole where it is', async (t) => {
  const [a, b] = await twoEnds(t, { now: () => null }, (id) => (id === 'b' ? { options: { memoryLimit: SMALL } } : {}));
  await prepare(a);
  for (const text of MANY) publish(a.midge, text, 1);
  const { kept } = b.midge.broker.budget;
  const refused = b.midge.open();
  refused.send("10 [ PROTOCOL 00 0000 { 11 FFFFFFFF } 'wanderer' ]");
  await refused.expect('20 [ 00 97 { ... } ]');
  await refused.expectClosed();
  assert.equal(b.midge.broker.sessions.get('wanderer'), null);
  assert.equal(b.midge.broker.budget.kept, kept);
  const back = await a.midge.connect(WANDERER);
  publish(a.midge, 'end', 1);
  assert.deepEqual(await taken(back), [...MESSAGES.slice(0, 3), ...MANY]);
});

test('cluster asks a broker that is forgotten about no client any more', async (t) => {
  const asked: string[] = [];
  const network: Network = { now: () => 'answer' };
  const [, b] = await twoEnds(t, network);
  const client = await b.midge.connect(WANDERER);
  network.now = ({ ask }) => {
    asked.push(ask);
    return null;
  };
  b.ids.forget('a');
  await b.ids.settle('a');
  await client.expectSilence();
  assert.deepEqual(asked, []);
});
