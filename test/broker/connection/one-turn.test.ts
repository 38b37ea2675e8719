// What a client can have done in one turn of the event loop, before anybody else gets a turn: bounded, however well it chooses its packets.

import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { Scene } from '../../support/broker/scene.ts';
import { testOrigin } from '../../support/broker/test-broker.ts';
import { nextTurn, until } from '../../support/broker/turns.ts';
import { openTcpFront } from '../../support/network/tcp-front.ts';
import { hex } from '../../support/protocol/hex-template.ts';

const MIB = 1_048_576;
/** As in outbox.ts. */
const OUTBOX_MAX = 262_144;
/** Bytes of a topic name that an alias of three bytes stands for. */
const LONG_NAME = 60_000;

test('subscriber that never reads holds no more than its limit when one chunk of aliased messages means a hundred MB', async () => {
  await using scene = await Scene.open();
  const near = scene.deaf('deaf');
  near.write(hex(`82 [ 0001 '#' 00 ]`, 4));
  await until(() => scene.broker.tree.count === 2);
  const publisher = await scene.house.connect({ clientId: 'publisher', version: 5 });
  publisher.send(`30 [ 'n'*${LONG_NAME} { 23 0001 } ]`);
  await publisher.settle();
  publisher.send(Buffer.alloc(8 * 2000, hex('30 [ 0000 { 23 0001 } ]')));
  await publisher.settle();
  const { pending } = scene.connection('deaf').output;
  assert.ok(pending < MIB + OUTBOX_MAX + LONG_NAME, `${pending} bytes wait`);
  assert.ok(scene.broker.counters.publishDropped > 1900);
  await scene.unharmed();
});

test('little output is written before much that was published first', async () => {
  await using scene = await Scene.open();
  const order: string[] = [];
  for (const name of ['large', 'small']) {
    const [near, far] = duplexPair();
    const write = far.write.bind(far);
    far.write = (...words: unknown[]) => {
      order.push(name);
      return write(...(words as [Buffer]));
    };
    scene.broker.open(far, testOrigin());
    near.write(hex(`10 [ PROTOCOL 02 0000 '${name}' ] 82 [ 0001 '${name}' 00 ]`, 4));
    near.resume();
  }
  await until(() => scene.broker.tree.count === 3);
  const publisher = await scene.house.connect({ clientId: 'publisher', version: 4 });
  order.length = 0;
  publisher.send(`30 [ 'large' |x|*20000 ] 30 [ 'small' |x| ]`);
  await publisher.settle();
  assert.deepEqual(order, ['small', 'large']);
  for (const name of ['large', 'small']) scene.connection(name).destroy();
});

test('socket of one publisher of large messages is not read on in a turn that has carried its share', async () => {
  await using scene = await Scene.open();
  await using front = await openTcpFront(scene.house);
  const [subscriber, publisher] = [await front.dial(), await front.dial()];
  subscriber.resume();
  subscriber.write(hex(`10 [ PROTOCOL 02 0000 's' ] 82 [ 0001 'images' 00 ]`, 4));
  publisher.write(hex(`10 [ PROTOCOL 02 0000 'p' ]`, 4));
  await until(() => scene.broker.tree.count === 2 && scene.broker.sessions.get('p') !== null);
  const { counters } = scene.broker;
  const image = hex(`30 [ 'images' 00*60000 ]`, 4);
  const end = counters.bytesReceived + 300 * image.length;
  for (let count = 0; count < 300; count++) publisher.write(image);
  let most = 0;
  for (let before = counters.bytesReceived; before < end; ) {
    await nextTurn();
    most = Math.max(most, counters.bytesReceived - before);
    before = counters.bytesReceived;
  }
  assert.ok(most < 1.75 * MIB, `${most} bytes were read in one turn`);
});

test('witness is served in between when a thousand filters walk through all retained messages and match none', async () => {
  await using scene = await Scene.open();
  const publisher = await scene.house.connect({ clientId: 'publisher', version: 4 });
  for (let at = 0; at < 2000; at++) publisher.send(`31 [ 'room${at}/lamp' |x| ]`);
  await publisher.settle();
  const near = scene.deaf('walker');
  const filters = Array.from({ length: 1000 }, (_, at) => `'+/none${at}' 00`).join(' ');
  near.write(hex(`82 [ 0001 ${filters} ]`, 4));
  await until(() => scene.broker.tree.count === 1001);
  const walks = () => scene.broker.sessions.get('walker')?.retained?.size ?? 0;
  await scene.unharmed();
  assert.ok(walks() > 900, `only ${walks()} walks are left`);
  await until(() => walks() === 0);
});

test('subscription of a kept session gets the rest of its retained messages when its connection breaks in between [MQTT-3.3.1-9]', async () => {
  await using scene = await Scene.open({ options: { maxInflightMessages: 1 } });
  const publisher = await scene.house.connect({ clientId: 'publisher', version: 4 });
  publisher.send("33 [ 'a' 0001 |1| ] 33 [ 'b' 0002 |2| ]");
  await publisher.settle();
  const first = await scene.house.connect({ clientId: 'kept', version: 4, cleanStart: false });
  first.send("82 [ 0001 '#' 01 ]");
  await first.expect('90 03 0001 01');
  await first.expect("33 [ 'a' 0001 |1| ]");
  first.abort();
  await until(() => scene.broker.sessions.get('kept')?.connection === null);
  const second = await scene.house.connect({ clientId: 'kept', version: 4, cleanStart: false });
  await second.expect("3B [ 'a' 0001 |1| ]");
  second.send('40 02 0001');
  await second.expect("33 [ 'b' 0002 |2| ]");
});
