// Clients that do not read, do not speak, ask for too much or just come and go: bounded memory each, and nobody else notices.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scene } from '../../support/broker/scene.ts';
import { nextTurn, quiet, until } from '../../support/broker/turns.ts';
import type { WirePeer } from '../../support/clients/wire-peer.ts';
import { openTcpFront } from '../../support/network/tcp-front.ts';
import { collectGarbage, heldBytes } from '../../support/process/memory.ts';
import { hex } from '../../support/protocol/hex-template.ts';
import { HeldStore } from '../../support/store/held-store.ts';

const KIB = 1024;
const MIB = 1_048_576;
/** What Node reads from a socket at once. */
const CHUNK = 65_536;
/** As in connection.ts. */
const ANSWERS_MAX = 1_048_576;
/** Bytes of a large message. */
const PICTURE = 200_000;

test('broker stops to read from a client that does not take its answers, and goes on when it does', async () => {
  await using scene = await Scene.open();
  const near = scene.deaf('deaf');
  await until(() => scene.broker.sessions.get('deaf') !== null);
  const { counters } = scene.broker;
  const flood = Buffer.alloc(CHUNK, Buffer.from('C000', 'hex'));
  const before = counters.bytesReceived;
  for (let count = 0; count < 100; count++) near.write(flood);
  const taken = await quiet(() => counters.bytesReceived);
  const { pending } = scene.connection('deaf').output;
  assert.ok(pending <= ANSWERS_MAX + CHUNK, `${pending} bytes of answers wait`);
  assert.ok(taken - before < 100 * CHUNK, 'all was read');
  await scene.unharmed();
  near.resume();
  await until(() => counters.bytesReceived - before >= 100 * CHUNK);
  near.destroy();
  scene.connection('deaf').destroy();
  await scene.alone();
  assert.equal(scene.lines.length, 1);
});

test('broker stops to read from a publisher that is faster than the disk, and answers everything when the disk goes on', async () => {
  const store = new HeldStore();
  await using scene = await Scene.open({ openStore: async () => store });
  const keeper = await scene.house.connect({ clientId: 'keeper', version: 4, cleanStart: false });
  keeper.send(`82 [ 0001 'kept' 01 ]`);
  await keeper.expect('90 03 0001 01');
  keeper.send('E0 00');
  await keeper.expectClosed();
  store.holds = true;
  const near = scene.deaf('fast');
  let answered = 0;
  near.on('data', (chunk: Buffer) => {
    answered += chunk.length;
  });
  const flood = Buffer.alloc(CHUNK - (CHUNK % 11), hex(`32 [ 'kept' 0001 |x| ]`, 4));
  const count = (20 * flood.length) / 11;
  await until(() => scene.broker.sessions.get('fast') !== null);
  for (let chunk = 0; chunk < 20; chunk++) near.write(flood);
  await quiet(() => scene.broker.counters.publishReceived);
  const waiting = scene.connection('fast').acks.length;
  assert.ok(waiting > 4096 && waiting <= 4096 + CHUNK / 11, `${waiting} acknowledgements wait`);
  assert.ok(scene.broker.counters.publishReceived < count, 'all was read');
  await scene.unharmed();
  store.holds = false;
  store.commit();
  await until(() => answered === 4 + 4 * count);
});

test('broker drops QoS 0 beyond the limit and queues QoS 1 up to its limits when a subscriber never reads its socket', async () => {
  await using scene = await Scene.open();
  await using front = await openTcpFront(scene.house);
  const socket = await front.dial();
  socket.write(hex(`10 [ PROTOCOL 02 0000 'frozen' ] 82 [ 0001 'f' 01 ]`, 4));
  await until(() => scene.broker.tree.count === 2);
  const publisher = await scene.house.connect({ clientId: 'publisher', version: 4 });
  const frozen = scene.connection('frozen');
  let most = 0;
  const large = hex(`30 [ 'f' 00*60000 ]`, 4);
  for (let count = 0; count < 300; count++) {
    publisher.send(large);
    await publisher.settle();
    most = Math.max(most, frozen.output.pending);
  }
  assert.ok(most > MIB && most < MIB + 2 * CHUNK, `${most} bytes waited`);
  const { publishDropped } = scene.broker.counters;
  assert.ok(publishDropped > 100, `${publishDropped} were dropped`);
  for (let id = 1; id <= 1200; id++) {
    const hexId = id.toString(16).padStart(4, '0');
    publisher.send(`32 [ 'f' ${hexId} |x| ]`);
    await publisher.expect(`40 02 ${hexId}`);
  }
  const session = scene.broker.sessions.get('frozen')!;
  assert.equal(session.outgoing.backlog.length, 1000);
  assert.ok(session.outgoing.inflightCount <= 20);
  await scene.unharmed();
  assert.deepEqual(scene.lines, ['Outgoing messages are being dropped for client frozen.']);
});

test('broker counts every large QoS 0 message that a subscriber did not get because it was slow, and the others arrive', async () => {
  await using scene = await Scene.open();
  await using front = await openTcpFront(scene.house);
  const socket = await front.dial();
  socket.write(hex(`10 [ PROTOCOL 02 0000 'slow' ] 82 [ 0001 'images' 00 ]`, 4));
  await until(() => scene.broker.tree.count === 2);
  const publisher = await scene.house.connect({ clientId: 'camera', version: 4 });
  const image = hex(`30 [ 'images' 00*${MIB} ]`, 4);
  const { counters } = scene.broker;
  const sent = 30;
  for (let count = 0; count < sent; count++) {
    publisher.send(image);
    await publisher.settle();
  }
  const { publishDropped } = counters;
  assert.ok(publishDropped > 0 && publishDropped < sent, `${publishDropped} of ${sent} were dropped`);
  assert.equal(scene.broker.sessions.get('slow')!.outgoing.backlog.dropped, publishDropped);
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  const answers = 4 + 5; // CONNACK and SUBACK
  await until(() => received >= answers + (sent - publishDropped) * image.length);
  publisher.send(image); // it is taken again
  await until(() => received >= answers + (sent - publishDropped + 1) * image.length);
  assert.equal(received, answers + (sent - publishDropped + 1) * image.length);
  assert.equal(counters.publishDropped, publishDropped);
  assert.deepEqual(scene.lines, ['Outgoing messages are being dropped for client slow.']);
});

/** Large retained messages under camera/. */
async function fillCameras(scene: Scene, count: number): Promise<void> {
  const publisher = await scene.house.connect({ clientId: 'camera', version: 4 });
  const picture = Buffer.alloc(PICTURE);
  const length = 2 + 'camera/00'.length + PICTURE;
  const header = Buffer.from([0x31, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14, 0, 9]);
  for (let at = 10; at < 10 + count; at++) publisher.send(Buffer.concat([header, Buffer.from(`camera/${at}`), picture]));
  await publisher.settle();
  assert.equal(scene.broker.retained.count, count);
}

test('broker takes retained messages out no faster than their reader when they are large', async () => {
  await using scene = await Scene.open();
  await fillCameras(scene, 50);
  const near = scene.deaf('deaf');
  near.write(hex(`82 [ 0001 'camera/#' 00 ]`, 4));
  await until(() => scene.broker.tree.count === 2);
  await quiet(() => scene.broker.counters.publishSent);
  const { output } = scene.connection('deaf');
  assert.ok(output.pending < MIB + 2 * PICTURE, `${output.pending} bytes wait`);
  await scene.unharmed();
  let read = 0;
  near.on('data', (chunk: Buffer) => {
    read += chunk.length;
  });
  await until(() => read >= 50 * PICTURE);
});

test('broker walks through the retained messages once per filter when a client that reads nothing asks again and again', async () => {
  await using scene = await Scene.open();
  await fillCameras(scene, 20);
  const near = scene.deaf('greedy');
  near.write(hex(`82 [ 0001 '#' 00 ]`.repeat(1000), 4));
  await quiet(() => scene.broker.counters.packetsReceived);
  assert.equal(scene.broker.sessions.get('greedy')?.retained?.size, 1);
  near.write(hex(`A2 [ 0001 '#' ]`, 4));
  await until(() => scene.broker.sessions.get('greedy')?.retained?.size === 0); // [MQTT-3.10.4-2]
  await scene.unharmed();
});

test('broker closes a connection that never speaks after its time, and every one with one line', async () => {
  await using scene = await Scene.open({ options: { connectTimeout: 30 } });
  const silent = Array.from({ length: 100 }, () => scene.house.open());
  const halfSaid = scene.house.open();
  halfSaid.send('10 20 00 04'); // a CONNECT that never ends
  await scene.pass(29);
  assert.equal(scene.broker.connections.size, 102);
  await scene.pass(2);
  for (const peer of [...silent, halfSaid]) await peer.expectClosed();
  await scene.unharmed();
  await scene.alone();
  assert.deepEqual(new Set(scene.lines), new Set(['Client <unknown> [127.0.0.1:50000] disconnected: exceeded timeout.']));
  assert.equal(scene.lines.length, 101);
});

test('broker serves ten thousand subscriptions of one client and forgets them all when it goes', async () => {
  await using scene = await Scene.open();
  const before = heldBytes();
  const hoarder = await scene.house.connect({ clientId: 'hoarder', version: 4 });
  for (let packet = 0; packet < 100; packet++) {
    const filters = Array.from({ length: 100 }, (_, at) => `'h/${packet}/${at}/+' 00`).join(' ');
    hoarder.send(`82 [ 0001 ${filters} ]`);
    await hoarder.expect(`90 [ 0001 00*100 ]`);
  }
  assert.equal(scene.broker.tree.count, 10_001);
  const each = (heldBytes() - before) / 10_000;
  assert.ok(each < KIB, `${Math.round(each)} bytes each`);
  const publisher = await scene.house.connect({ clientId: 'publisher', version: 4 });
  publisher.send(`30 [ 'h/50/50/x' |1| ]`);
  await hoarder.expect(`30 [ 'h/50/50/x' |1| ]`);
  await scene.unharmed();
  publisher.abort();
  hoarder.abort();
  await scene.alone();
  let left = heldBytes() - before;
  for (let turn = 0; left >= MIB && turn < 100; turn++) {
    await nextTurn(); // what a stream still has to do holds on to what it has done
    left = heldBytes() - before;
  }
  assert.ok(left < MIB, `${left} bytes are left`);
});

test('broker refuses subscriptions beyond max_subscriptions, lets the old ones be changed, and says so once', async () => {
  await using scene = await Scene.open({ options: { maxSubscriptions: 3 } });
  for (const version of [4, 5] as const) {
    const refused = version === 5 ? '97' : '80';
    const hoarder = await scene.house.connect({ clientId: 'hoarder', version });
    hoarder.send(`82 [ 0001 {} 'a' 00 'b' 00 'c' 00 'd' 00 '$share/g/e' 00 ]`);
    await hoarder.expect(`90 [ 0001 {} 00 00 00 ${refused} ${refused} ]`);
    hoarder.send(`82 [ 0002 {} 'a' 01 'f' 00 ]`);
    await hoarder.expect(`90 [ 0002 {} 01 ${refused} ]`);
    hoarder.send(`A2 [ 0003 {} 'b' ] 82 [ 0004 {} 'f' 00 ]`);
    await hoarder.next();
    await hoarder.expect(`90 [ 0004 {} 00 ]`);
    hoarder.send('E0 00');
    await hoarder.expectClosed();
  }
  const told = scene.lines.filter((line) => line === 'Client hoarder has 3 subscriptions: more are refused (max_subscriptions).');
  assert.equal(told.length, 2);
  assert.equal(scene.lines.length, 4);
  await scene.alone();
});

test('broker keeps one session and one connection when a thousand clients fight for one client id', async () => {
  await using scene = await Scene.open();
  const rivals: WirePeer[] = [];
  for (let count = 0; count < 1000; count++) rivals.push(await scene.house.connect({ clientId: 'one' }));
  for (const rival of rivals.slice(0, -1)) {
    await rival.expect('E0 01 8E');
    await rival.expectClosed();
  }
  assert.equal(scene.broker.sessions.count, 2);
  await until(() => scene.broker.connections.size === 2);
  await rivals.at(-1)!.expectSilence();
  await scene.unharmed();
  assert.deepEqual(new Set(scene.lines), new Set(['Client one [127.0.0.1:50000] disconnected: session taken over.']));
  assert.equal(scene.lines.length, 999);
});

test('broker lets go of everything that belonged to a client when it has gone, in order or not', async () => {
  await using scene = await Scene.open();
  const left: WeakRef<object>[] = [];
  for (let at = 0; at < 300; at++) {
    const peer = await scene.house.connect({ clientId: `guest${at}`, keepAlive: 60 });
    peer.send(`82 [ 0001 00 'guest/+' 02 '$share/g/guest/+' 01 ] 34 [ 'guest/1' 0002 00 |x| ]`);
    await peer.settle();
    const connection = scene.connection(`guest${at}`);
    left.push(new WeakRef(connection), new WeakRef(connection.session!), new WeakRef(connection.output));
    if (at % 3 === 0) peer.send('E0 00');
    else if (at % 3 === 1) peer.abort();
    else peer.send('00 00');
    await until(() => peer.closed);
  }
  await scene.alone();
  await scene.unharmed();
  collectGarbage();
  const kept = left.filter((reference) => reference.deref() !== undefined).length;
  assert.ok(kept <= 6, `${kept} of ${left.length} objects are still there`); // the latest may stand in a register or in a cache
});
