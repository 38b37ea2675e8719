// The $SYS tree, on a broker whose clock the test turns.

import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { createTelemetry, type Telemetry } from '../../src/telemetry/telemetry.ts';
import { startTestBroker, type TestBroker, testOrigin } from '../support/broker/test-broker.ts';
import type { WirePeer } from '../support/clients/wire-peer.ts';
import { TestClock } from '../support/ports/test-clock.ts';
import { hex } from '../support/protocol/hex-template.ts';

const VERSION = 'midge version 1.2.3';

class House {
  readonly clock = new TestClock();
  readonly brokerUnderTest: TestBroker;
  readonly telemetry: Telemetry;

  private constructor(brokerUnderTest: TestBroker, clock: TestClock, interval: number) {
    this.clock = clock;
    this.brokerUnderTest = brokerUnderTest;
    this.telemetry = createTelemetry({ broker: brokerUnderTest.broker, clock, version: VERSION, interval });
  }

  static async build({
    interval = 10,
    after = 0,
    ...given
  }: { interval?: number; after?: number } & Parameters<typeof startTestBroker>[0] = {}) {
    const clock = new TestClock();
    clock.advance(after);
    const house = new House(await startTestBroker({ ...given, clock }), clock, interval);
    await house.telemetry.start();
    return house;
  }

  /** pass lets time go by in steps of a second, as the wheel sees it. */
  pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.clock.advance(1000);
      this.brokerUnderTest.broker.wheel.advance();
    }
  }

  /** value is what a new subscriber would get of `$SYS/broker/NAME`. */
  value(name: string): string | undefined {
    return this.brokerUnderTest.broker.retained.get(`$SYS/broker/${name}`)?.payload.toString();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.telemetry.stop();
    await this.brokerUnderTest.stop();
  }
}

async function subscriber(house: House, filter: string, qos = '00', clientId = 'watcher'): Promise<WirePeer> {
  const peer = await house.brokerUnderTest.connect({ clientId, version: 4 });
  peer.send(`82 [ 0001 '${filter}' ${qos} ]`);
  await peer.expect(`90 [ 0001 ${qos} ]`);
  return peer;
}

test('telemetry names the version and the uptime as mosquitto does when it starts', async () => {
  await using house = await House.build();
  assert.equal(house.value('version'), VERSION);
  assert.equal(house.value('uptime'), '0 seconds');
  house.pass(10);
  assert.equal(house.value('uptime'), '10 seconds');
});

test('telemetry publishes with QoS 2 and retained when a client subscribes before or after', async () => {
  await using house = await House.build();
  const peer = await subscriber(house, '$SYS/broker/uptime', '02');
  await peer.expect(`35 [ '$SYS/broker/uptime' 0001 |0 seconds| ]`);
  peer.send('50 02 0001');
  await peer.expect('62 02 0001');
  house.pass(10);
  await peer.expect(`34 [ '$SYS/broker/uptime' 0002 |10 seconds| ]`);
});

test('telemetry publishes only what has changed when an interval has passed', async () => {
  await using house = await House.build();
  const peer = await subscriber(house, '$SYS/broker/clients/+');
  await peer.settle();
  const first = peer.waiting.length;
  house.pass(10);
  await peer.settle();
  const topics = peer.waiting.slice(first).map((packet) => packet.subarray(4, 4 + packet.readUInt16BE(2)).toString());
  assert.deepEqual(topics, [
    '$SYS/broker/clients/total',
    '$SYS/broker/clients/maximum',
    '$SYS/broker/clients/connected',
    '$SYS/broker/clients/active',
  ]);
  const second = peer.waiting.length;
  house.pass(10);
  await peer.settle();
  assert.equal(peer.waiting.length, second);
});

test('telemetry keeps to whole multiples of the interval when it starts between two', async () => {
  await using house = await House.build({ after: 3000 });
  house.pass(6);
  assert.equal(house.value('uptime'), '0 seconds');
  house.pass(1);
  assert.equal(house.value('uptime'), '7 seconds');
  house.pass(9);
  assert.equal(house.value('uptime'), '7 seconds');
  house.pass(1);
  assert.equal(house.value('uptime'), '17 seconds');
});

test('telemetry publishes once per step when its wake-up comes a little early', async () => {
  await using house = await House.build({ after: 9900 });
  house.clock.advance(500);
  house.brokerUnderTest.broker.wheel.advance();
  house.pass(9);
  assert.equal(house.value('uptime'), '0 seconds');
  house.pass(1);
  assert.equal(house.value('uptime'), '10 seconds');
});

test('telemetry counts packets, bytes and clients as mosquitto does when messages are published', async () => {
  await using house = await House.build();
  const watcher = await subscriber(house, 'a/#', '01');
  const publisher = await house.brokerUnderTest.connect({ clientId: 'publisher', version: 4 });
  publisher.send(`32 [ 'a/b' 0001 |hello| ]`);
  await publisher.expect('40 02 0001');
  publisher.send(`31 [ 'a/c' |abc| ]`);
  await watcher.expect(`32 [ 'a/b' 0001 |hello| ]`);
  await watcher.expect(`30 [ 'a/c' |abc| ]`);
  const quiet = await house.brokerUnderTest.connect({ clientId: 'quiet', version: 4 });
  quiet.send(`82 [ 0001 '$share/g/x' 00 ]`);
  await quiet.expect('90 03 0001 00');
  house.pass(10);
  const values = Object.fromEntries(
    [
      'clients/total',
      'clients/connected',
      'clients/disconnected',
      'messages/received',
      'messages/sent',
      'publish/messages/received',
      'publish/messages/sent',
      'publish/bytes/received',
      'publish/bytes/sent',
      'subscriptions/count',
      'shared_subscriptions/count',
      'connections/socket/count',
    ].map((name) => [name, house.value(name)]),
  );
  assert.deepEqual(values, {
    'clients/total': '3',
    'clients/connected': '3',
    'clients/disconnected': '0',
    'messages/received': '7', // 3 CONNECT, 2 SUBSCRIBE, 2 PUBLISH
    'messages/sent': '8', // 3 CONNACK, 2 SUBACK, 1 PUBACK, 2 PUBLISH
    'publish/messages/received': '2',
    'publish/messages/sent': '2',
    'publish/bytes/received': '8',
    'publish/bytes/sent': '8',
    'subscriptions/count': '1',
    'shared_subscriptions/count': '1',
    'connections/socket/count': '3',
  });
  quiet.send('E0 00');
  await quiet.expectClosed();
  house.pass(10);
  assert.equal(house.value('clients/total'), '2');
  assert.equal(house.value('connections/socket/count'), '3'); // since the start
});

test('telemetry counts every byte on the wire when packets of all sizes go both ways', async () => {
  await using house = await House.build();
  const peer = await house.brokerUnderTest.connect({ clientId: 'x', version: 4 }); // 15 bytes, and 4 of CONNACK
  peer.send(`82 [ 0001 'a' 00 ]`); // 8, and 5 of SUBACK
  await peer.expect('90 03 0001 00');
  peer.send(`30 [ 'a' 00*99197 ]`); // 99,204
  await peer.next();
  house.pass(10);
  assert.equal(house.value('bytes/received'), String(15 + 8 + 99_204));
  assert.equal(house.value('bytes/sent'), String(4 + 5 + 99_204));
});

test('telemetry counts its own messages as sent and kept, never as received, when a client subscribes to them', async () => {
  await using house = await House.build();
  const topics = house.brokerUnderTest.broker.retained.count;
  const peer = await subscriber(house, '$SYS/#');
  await peer.settle();
  house.pass(10);
  assert.equal(house.value('publish/messages/sent'), String(topics));
  assert.equal(house.value('publish/messages/received'), '0');
  house.pass(10);
  assert.equal(house.value('retained messages/count'), String(topics));
  assert.equal(house.value('store/messages/count'), house.value('messages/stored'));
});

test('telemetry counts what is queued and in flight as stored when a kept session is away', async () => {
  await using house = await House.build();
  house.pass(10); // the tree itself is stored as well
  const [before, bytesBefore] = [Number(house.value('messages/stored')), Number(house.value('store/messages/bytes'))];
  const sleeper = await house.brokerUnderTest.connect({ clientId: 'sleeper', version: 4, cleanStart: false });
  sleeper.send(`82 [ 0001 'a' 01 ]`);
  await sleeper.expect('90 03 0001 01');
  sleeper.send('E0 00');
  await sleeper.expectClosed();
  const publisher = await house.brokerUnderTest.connect({ clientId: 'publisher', version: 4 });
  publisher.send(`32 [ 'a' 0001 |hello| ] 32 [ 'a' 0002 |hi| ]`);
  await publisher.expect('40 02 0001');
  await publisher.expect('40 02 0002');
  house.pass(10);
  assert.equal(house.value('messages/stored'), String(before + 2));
  assert.equal(house.value('clients/disconnected'), '1');
  assert.equal(house.value('clients/inactive'), '1');
  assert.ok(Number(house.value('store/messages/bytes')) >= bytesBefore + 7);
});

test('telemetry shows what waits for a client that does not read, in bytes and in packets of average size', async () => {
  await using house = await House.build();
  assert.equal(house.value('packet/out/bytes'), '0');
  assert.equal(house.value('packet/out/count'), '0');
  const [near, far] = duplexPair({ highWaterMark: 1 });
  using _ = { [Symbol.dispose]: () => far.destroy() };
  house.brokerUnderTest.broker.handle(far, testOrigin());
  near.write(hex(`10 [ PROTOCOL 02 0000 'deaf' ] 82 [ 0001 'a' 00 ]`, 4)); // answered by 4 and 5 bytes
  const publisher = await house.brokerUnderTest.connect({ clientId: 'publisher', version: 4 });
  for (let count = 0; count < 10; count++) publisher.send(`30 [ 'a' 00*1000 ]`); // 1006
  await publisher.settle();
  house.pass(10);
  assert.equal(house.value('packet/out/bytes'), String(4 + 5 + 10 * 1006));
  assert.ok(Math.abs(Number(house.value('packet/out/count')) - 12) <= 3, house.value('packet/out/count'));
});

test('telemetry averages loads per minute by the formula of mosquitto when a burst comes and goes', async () => {
  await using house = await House.build();
  assert.equal(house.value('load/connections/1min'), '0.00');
  await house.brokerUnderTest.connect({ clientId: 'one' });
  await house.brokerUnderTest.connect({ clientId: 'two' });
  house.pass(10); // 2 in 10 s: 12 per minute
  const gain = (span: number) => 12 * (1 - Math.exp(-10 / span));
  for (const [name, span] of Object.entries({ '1min': 60, '5min': 300, '15min': 900 })) {
    assert.equal(house.value(`load/connections/${name}`), gain(span).toFixed(2));
    assert.equal(house.value(`load/sockets/${name}`), gain(span).toFixed(2));
  }
  house.pass(10);
  assert.equal(house.value('load/connections/1min'), (gain(60) * Math.exp(-10 / 60)).toFixed(2));
  house.pass(3 * 3600);
  assert.equal(house.value('load/connections/15min'), '0.00');
});

test('telemetry counts expired clients and remembers their greatest number when sessions end', async () => {
  await using house = await House.build();
  for (const clientId of ['one', 'two']) {
    const peer = await house.brokerUnderTest.connect({ clientId, cleanStart: true, sessionExpiryInterval: 5 });
    peer.send('E0 00');
    await peer.expectClosed();
  }
  house.pass(20);
  assert.equal(house.value('clients/expired'), '2');
  assert.equal(house.value('clients/total'), '0');
  assert.equal(house.value('clients/maximum'), '2');
});

test('telemetry asks no authorizer about its own messages but obeys it for those who read them when an ACL stands', async () => {
  const asked: string[] = [];
  const authorizer = {
    mayPublish: (_: unknown, topicName: string) => asked.push(topicName) < 0,
    mayReceive: ({ clientId }: { clientId: string }) => clientId === 'admin',
    maySubscribe: () => true,
  };
  await using house = await House.build({ authorizer });
  const admin = await subscriber(house, '$SYS/broker/version', '00', 'admin');
  await admin.expect(`31 [ '$SYS/broker/version' |${VERSION}| ]`);
  const guest = await subscriber(house, '$SYS/#', '00', 'guest');
  await guest.expectSilence();
  assert.deepEqual(asked, []);
});

test('telemetry publishes nothing when the interval is 0', async () => {
  await using house = await House.build({ interval: 0 });
  house.pass(60);
  assert.equal(house.brokerUnderTest.broker.retained.count, 0);
});

test('telemetry takes its tree away when a reload turns it off, and puts it back when another turns it on', async () => {
  await using house = await House.build();
  house.telemetry.setInterval(0);
  assert.equal(house.brokerUnderTest.broker.retained.count, 0);
  house.pass(60);
  assert.equal(house.brokerUnderTest.broker.retained.count, 0);
  house.telemetry.setInterval(20);
  assert.equal(house.value('version'), VERSION);
  assert.equal(house.value('uptime'), '60 seconds');
  house.pass(20);
  assert.equal(house.value('uptime'), '80 seconds');
});

test('telemetry follows a new interval at once when a reload shortens it', async () => {
  await using house = await House.build({ interval: 3600 });
  house.pass(4);
  house.telemetry.setInterval(5);
  house.pass(1);
  assert.equal(house.value('uptime'), '5 seconds');
});

test('telemetry leaves no timer behind when it stops', async () => {
  await using house = await House.build();
  await house.telemetry.stop();
  house.pass(30);
  assert.equal(house.value('uptime'), '0 seconds');
});
