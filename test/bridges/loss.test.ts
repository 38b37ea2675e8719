// What a bridge keeps when the wire breaks, the other broker goes, and the power does.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { freePort } from '../support/network/free-ports.ts';
import { client, listening, publish } from './clients.ts';
import { frailWire } from './frail-wire.ts';
import { bridgeOptions, eventually, FARS, OTHER_MIDGE, startNear } from './scene.ts';

/** Messages that go over a wire that breaks every few kilobytes. */
const MANY = 1500;
const UNBOUNDED = { maxQueuedMessages: 0 };

for (const far of FARS) {
  describe(`a bridge to ${far.name}`, () => {
    for (const version of [4, 5] as const) {
      it(`loses nothing and doubles no QoS 2 when the wire breaks all the time: MQTT level ${version}`, async (test) => {
        const other = await far.start(test);
        const wire = await frailWire(test, other.port);
        wire.breakAfter(pseudoRandom(2000, 14_000));
        const options = bridgeOptions(wire.port, ['a/# both 2 here/ there/'], {
          versions: [version],
          restart: { base: 0.02, cap: 0.02, stable: 0 },
        });
        const near = await startNear(test, [options], { options: UNBOUNDED });
        await near.connected();
        const here = await listening(test, near.port, 'here/a/in/#');
        const there = await listening(test, other.port, 'there/a/out/#');
        const [out, back] = [await client(test, near.port, { protocolVersion: 4 }), await client(test, other.port, { protocolVersion: 4 })];
        for (let at = 0; at < MANY; at += 10) {
          const some = Array.from({ length: 10 }, (_, more) => at + more); // mosquitto takes no more at once
          await Promise.all(
            some.flatMap((number) => {
              const qos = number % 2 === 0 ? 2 : 1;
              return [
                out.publishAsync(`here/a/out/${qos}`, `${number}`, { qos }),
                back.publishAsync(`there/a/in/${qos}`, `${number}`, { qos }),
              ];
            }),
          );
        }
        await eventually(
          () => arrived(here.received) === MANY && arrived(there.received) === MANY,
          () => `all have arrived: ${arrived(here.received)} ${arrived(there.received)} ${JSON.stringify(near.state())}`,
        );
        await eventually(() => near.state().queued === 0, 'everything is acknowledged');
        assert.ok(wire.connections > 5, `${wire.connections} connections`);
        for (const { received } of [here, there]) {
          const exact = received.filter(({ qos }) => qos === 2).map(({ text }) => Number(text));
          assert.deepEqual(
            exact,
            Array.from({ length: MANY / 2 }, (_, at) => at * 2),
            'QoS 2: each once and in order',
          );
        }
      });
    }

    it('delivers what was published while the other broker was away, in order', async (test) => {
      const port = await freePort();
      const options = bridgeOptions(port, ['a/# out 2'], { cleanSession: true, localCleanSession: false });
      const near = await startNear(test, [options], { options: UNBOUNDED });
      await eventually(() => near.state().phase === 'waiting', 'it waits');
      assert.equal(near.state().lastError?.fault, 'network');
      assert.match(near.state().lastError?.words ?? '', /^no broker listens at 127\.0\.0\.1:\d+$/);
      const texts = Array.from({ length: 200 }, (_, at) => String(at));
      const publisher = await client(test, near.port, { protocolVersion: 4 });
      await Promise.all(texts.map((text) => publisher.publishAsync('a/b', text, { qos: 1 })));
      await eventually(() => near.state().oldestQueued !== null, 'it tells since when they wait');
      assert.equal(near.state().queued, 200);
      const other = await far.start(test, port);
      const there = await listening(test, other.port, 'a/#'); // the bridge may have been quicker
      await near.connected();
      await eventually(() => near.state().queued === 0, 'everything is acknowledged');
      await publish(test, near.port, 'a/b', 'end', { qos: 1 });
      await eventually(() => there.texts().at(-1) === 'end', 'the end comes');
      const got = there.texts();
      assert.deepEqual(got, [...texts, 'end'].slice(-got.length));
    });
  });
}

it('says once per address why nobody is reached, and tells when it tries again', async (test) => {
  const near = await startNear(test, [bridgeOptions(await freePort(), ['a/# out 2'])]);
  await eventually(() => near.state().nextAttempt !== null, 'it waits');
  await eventually(() => near.log.lines.filter((line) => line.startsWith('Connecting bridge test (127.0.0.1:')).length > 3, 'it tries');
  assert.equal(near.log.lines.filter((line) => line.includes('no broker listens')).length, 1);
});

it('tells the log of its connection to the other broker, and not of the one to its own', async (test) => {
  const other = await OTHER_MIDGE.start(test);
  const near = await startNear(test, [bridgeOptions(other.port, ['a/# both 2'])]);
  await near.connected();
  await other.stop();
  await eventually(() => near.state().phase !== 'connected', 'it notices');
  const lines = near.log.lines.filter((line) => /connect/i.test(line) && !line.startsWith('Received ')); // packets are debug lines
  assert.match(lines.join('\n'), /Bridge test connected to 127\.0\.0\.1:\d+\./);
  assert.deepEqual(
    lines.filter((line) => line.includes('local')),
    [],
  );
});

it('publishes its state once per change, here and there, and as its will', async (test) => {
  const other = await OTHER_MIDGE.start(test);
  const wire = await frailWire(test, other.port);
  const options = bridgeOptions(wire.port, ['a/# out 2'], { restart: { base: 0.2, cap: 0.2, stable: 0 } });
  const topic = options.notificationTopic;
  const there = await listening(test, other.port, topic, 1);
  const near = await startNear(test, [options]);
  const here = await listening(test, near.port, topic, 1);
  await near.connected();
  await there.got(1);
  wire.cut();
  await there.got(3);
  await eventually(() => here.texts().slice(-3).join() === '1,0,1', 'each change comes here'); // the first may be the 0 of the start
  assert.deepEqual(there.texts(), ['1', '0', '1']);
  await near.bridges.stop();
  await there.got(4);
  assert.equal(there.texts().at(-1), '0');
  await publish(test, near.port, 'x', 'x', { qos: 0 });
});

function arrived(received: readonly { text: string }[]): number {
  return new Set(received.map(({ text }) => text)).size;
}

/** Numbers that look like chance and are the same in every run. */
function pseudoRandom(from: number, to: number): () => number {
  let seed = 4711;
  return () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return from + (seed % (to - from));
  };
}
