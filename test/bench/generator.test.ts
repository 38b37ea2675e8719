// The load generator counts what comes, and notices what does not: played against the null broker, and against a broker that errs.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { nullBroker } from './brokers/null-broker.ts';
import { compilerVersion, type Generator, prepareGenerator } from './generator.ts';

const skip = compilerVersion() === null ? 'there is no C compiler (Debian packages gcc and libc6-dev)' : false;
const SHORT = { seconds: 0.05, warmup: 0.01 } as const;
const PAYLOAD = 64;
const stops: (() => Promise<unknown> | unknown)[] = [];

after(async () => {
  for (const stop of stops) await stop();
});

for (const javascript of [false, true]) {
  const language = javascript ? 'JavaScript' : 'C';
  for (const qos of [0, 1, 2] as const) {
    for (const version of [3, 4, 5] as const) {
      test(`the ${language} generator gets every message back at QoS ${qos} in version ${version} when the broker only copies`, {
        skip,
      }, async () => {
        const generator = prepareGenerator(javascript);
        const settings = { publishers: 3, subscribers: 6, topics: 3, window: 10, qos, version };
        const measured = await generator.run({ ...SHORT, ...settings, port: await startNullBroker(generator) });
        assert.ok(measured.delivered > 0 && measured.rate > 0);
        assert.deepEqual([measured.delivered, measured.duplicates, measured.writtenOff], [measured.expected, 0, 0]);
        assert.ok(measured.p50 > 0 && measured.p50 <= measured.p99 && measured.p99 <= measured.max * 1.04, JSON.stringify(measured));
      });
    }
  }

  test(`the ${language} generator takes all publishers into one subscriber when it subscribes with a wildcard`, { skip }, async () => {
    const generator = prepareGenerator(javascript);
    const port = await startNullBroker(generator);
    const measured = await generator.run({ ...SHORT, publishers: 5, topics: 5, wildcard: 1, window: 4, port });
    assert.ok(measured.delivered > 0);
    assert.equal(measured.delivered, measured.expected);
  });

  for (const payload of [16, 113, 16_370, 70_000, 2_100_000]) {
    test(`the ${language} generator gets every message back when the payloads are of ${payload} bytes`, { skip }, async () => {
      const generator = prepareGenerator(javascript);
      const port = await startNullBroker(generator);
      const measured = await generator.run({ ...SHORT, publishers: 2, subscribers: 2, topics: 2, window: 2, payload, port });
      assert.ok(measured.delivered > 0);
      assert.deepEqual([measured.delivered, measured.duplicates, measured.writtenOff], [measured.expected, 0, 0]);
    });
  }

  test(`the ${language} generator gets the messages of all topics when its publishers go round several`, { skip }, async () => {
    const generator = prepareGenerator(javascript);
    const port = await startNullBroker(generator);
    const measured = await generator.run({ ...SHORT, publishers: 2, subscribers: 2, topics: 2, spread: 11, window: 20, qos: 1, port });
    assert.ok(measured.delivered > 0);
    assert.equal(measured.delivered, measured.expected);
  });

  test(`the ${language} generator counts acknowledgements when there are no subscribers`, { skip }, async () => {
    const generator = prepareGenerator(javascript);
    const port = await startNullBroker(generator);
    const measured = await generator.run({ ...SHORT, publishers: 2, subscribers: 0, topics: 2, window: 20, qos: 1, port });
    assert.ok(measured.rate > 0 && measured.p50 > 0);
    assert.equal(measured.delivered, measured.expected);
  });

  test(`the ${language} generator counts a message as lost when the broker drops it, and goes on`, { skip }, async () => {
    const port = await startErringBroker((frame, sequence) => (sequence === 2 ? [] : [frame]));
    const measured = await prepareGenerator(javascript).run({ ...SHORT, window: 4, port });
    assert.equal(measured.expected - measured.delivered, 1);
    assert.ok(measured.delivered > 10);
  });

  test(`the ${language} generator counts a message as doubled when the broker sends it twice`, { skip }, async () => {
    const port = await startErringBroker((frame, sequence) => (sequence === 2 ? [frame, frame] : [frame]));
    const measured = await prepareGenerator(javascript).run({ ...SHORT, window: 4, port });
    assert.deepEqual([measured.expected - measured.delivered, measured.duplicates], [0, 1]);
  });
}

test('the generator says why when the broker is not there', { skip }, async () => {
  await assert.rejects(prepareGenerator(false).run({ ...SHORT, port: 1 }), /Cannot measure: Cannot connect: Connection refused/);
});

async function startNullBroker(generator: Generator): Promise<number> {
  const running = await nullBroker(generator.nullBroker).start({
    transport: 'tcp',
    access: false,
    persistence: false,
    core: null,
    folder: '',
  });
  stops.push(() => running.child.stop());
  return running.port;
}

// A broker for one QoS 0 pair that does with each PUBLISH what `treat` says: the generator's subscriber connects first.
async function startErringBroker(treat: (frame: Buffer, sequence: number) => Buffer[]): Promise<number> {
  let subscriber: Socket | null = null;
  const server = createServer((socket) => {
    subscriber ??= socket;
    let kept = Buffer.alloc(0);
    socket.on('error', () => {}); // the generator closes when it is done
    socket.on('data', (chunk) => {
      kept = Buffer.concat([kept, chunk]);
      for (let length = frameLength(kept); length > 0 && length <= kept.length; length = frameLength(kept)) {
        const frame = kept.subarray(0, length);
        kept = kept.subarray(length);
        const type = frame[0] ?? 0;
        if (type === 0x10) socket.write(Buffer.from('20020000', 'hex'));
        if (type === 0x82) socket.write(Buffer.from('9003000100', 'hex'));
        if (type === 0x30) for (const out of treat(frame, frame.readUInt32LE(length - PAYLOAD + 12))) subscriber?.write(out);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

function frameLength(bytes: Buffer): number {
  return bytes.length < 2 ? 0 : 2 + (bytes[1] ?? 0); // all frames of this load are shorter than 128 bytes
}
