// The fast path must not be seen: whatever stands in a chunk, subscribers get the same packets in the same order as by the long way.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { startTestBroker, type TestBroker } from '../../support/broker/test-broker.ts';
import type { WirePeer } from '../../support/clients/wire-peer.ts';

/** A PUBLISH in bytes: QoS 0 or 1, for 3.1.1 or 5. */
function publish(version: 4 | 5, topic: string, payload: string, packetId = 0): Buffer {
  const id = packetId === 0 ? [] : [packetId >> 8, packetId & 0xff];
  const body = Buffer.concat([
    Buffer.from([0, topic.length]),
    Buffer.from(topic),
    Buffer.from(id),
    Buffer.from(version === 5 ? [0] : []),
    Buffer.from(payload),
  ]);
  return Buffer.concat([Buffer.from([packetId === 0 ? 0x30 : 0x32, body.length]), body]);
}

async function subscriber(broker: TestBroker, version: 4 | 5, qos = '00'): Promise<WirePeer> {
  const peer = await broker.connect({ clientId: `sub${version}${qos}`, version });
  peer.send(version === 5 ? `82 [ 0001 00 '#' ${qos} ]` : `82 [ 0001 '#' ${qos} ]`);
  await peer.expect(version === 5 ? `90 [ 0001 00 ${qos} ]` : `90 [ 0001 ${qos} ]`);
  return peer;
}

/** What a subscriber has got once all that was sent has arrived: topic and payload of each PUBLISH. */
async function received(peer: WirePeer): Promise<string[]> {
  await peer.settle();
  return peer.waiting.filter((packet) => packet[0]! >> 4 === 3).map((packet) => textOf(packet, peer.version));
}

function textOf(packet: Buffer, version: number): string {
  const topicLength = packet.readUInt16BE(2);
  const qos = (packet[0]! >> 1) & 3;
  const payloadAt = 4 + topicLength + (qos > 0 ? 2 : 0) + (version === 5 ? 1 : 0);
  return `${packet.subarray(4, 4 + topicLength)}=${packet.subarray(payloadAt)}`;
}

const step = fc.record({ topic: fc.constantFrom('a', 'b', 'a/b'), qos: fc.constantFrom(0, 0, 0, 1) });

for (const version of [4, 5] as const) {
  test(`PublishRun keeps every message and their order for subscribers of both versions when a ${version === 5 ? 'v5' : '3.1.1'} publisher mixes topics and QoS`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), fc.array(fc.nat(400), { maxLength: 4 }), async (steps, cuts) => {
        await using broker = await startTestBroker({ options: { maxInflightMessages: 100 } });
        const [four, five] = [await subscriber(broker, 4), await subscriber(broker, 5)];
        const publisher = await broker.connect({ clientId: 'pub', version });
        const bytes = Buffer.concat(steps.map(({ topic, qos }, at) => publish(version, topic, `${at}`, qos === 0 ? 0 : at + 1)));
        const ends = [...cuts.filter((cut) => cut < bytes.length).sort((one, other) => one - other), bytes.length];
        let start = 0;
        for (const end of ends) {
          publisher.send(bytes.subarray(start, end));
          start = end;
        }
        await publisher.settle();
        const expected = steps.map(({ topic }, at) => `${topic}=${at}`);
        assert.deepEqual(await received(four), expected);
        assert.deepEqual(await received(five), expected);
      }),
      { numRuns: 40 },
    );
  });
}

test('PublishRun leaves messages before a malformed packet delivered', async () => {
  await using broker = await startTestBroker();
  const peer = await subscriber(broker, 4);
  const publisher = await broker.connect({ clientId: 'pub', version: 4 });
  publisher.send(Buffer.concat([publish(4, 'a', '1'), publish(4, 'a', '2'), Buffer.from([0x36, 0x05, 0x00, 0x01, 0x61, 0x00, 0x01])]));
  await publisher.expectClosed();
  assert.deepEqual(await received(peer), ['a=1', 'a=2']);
});

test('PublishRun refuses a topic with a wildcard as the long way does [MQTT-3.3.2-2]', async () => {
  await using broker = await startTestBroker();
  const publisher = await broker.connect({ clientId: 'pub', version: 4 });
  publisher.send(publish(4, 'a/+', '1'));
  await publisher.expectClosed();
});

test('PublishRun asks the authorizer once per topic and drops what may not be published', async () => {
  const asked: string[] = [];
  await using broker = await startTestBroker({
    authorizer: {
      mayPublish: (_requester, topicName) => {
        asked.push(topicName);
        return topicName === 'a';
      },
      mayReceive: () => true,
      maySubscribe: () => true,
    },
  });
  const peer = await subscriber(broker, 4);
  const publisher = await broker.connect({ clientId: 'pub', version: 4 });
  publisher.send(Buffer.concat([publish(4, 'a', '1'), publish(4, 'a', '2'), publish(4, 'b', '3'), publish(4, 'a', '4')]));
  await publisher.settle();
  assert.deepEqual(await received(peer), ['a=1', 'a=2', 'a=4']);
  assert.ok(asked.filter((topicName) => topicName === 'a').length <= 2);
});

test('PublishRun counts what it carries', async () => {
  await using broker = await startTestBroker();
  await subscriber(broker, 4);
  const publisher = await broker.connect({ clientId: 'pub', version: 4 });
  publisher.send(Buffer.concat([publish(4, 'a', '12345'), publish(4, 'a', '678')]));
  await publisher.settle();
  const { counters } = broker.broker;
  assert.equal(counters.publishReceived, 2);
  assert.equal(counters.publishSent, 2);
  assert.equal(counters.publishBytesReceived, 8);
  assert.equal(counters.publishBytesSent, 8);
});

test('listener in the process may keep the payload that it reads, whatever comes into the same bytes later', async () => {
  await using broker = await startTestBroker();
  const kept: Buffer[] = [];
  broker.broker.subscribe(
    '#',
    ({ topic, payload }, done) => {
      kept.push(payload);
      assert.equal(topic, 'a');
      done();
    },
    () => {},
  );
  const publisher = await broker.connect({ clientId: 'pub', version: 4 });
  const bytes = Buffer.concat([publish(4, 'a', 'first'), publish(4, 'a', 'second')]);
  publisher.send(bytes);
  await publisher.settle();
  bytes.fill('x');
  assert.deepEqual(kept.map(String), ['first', 'second']);
});
