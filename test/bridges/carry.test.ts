// What a bridge carries, in both directions: every version, every QoS, every form of prefixes, retained messages.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { client, listening, publish } from './clients.ts';
import { bridgeOptions, eventually, FARS, startNear } from './scene.ts';

for (const far of FARS) {
  describe(`a bridge to ${far.name}`, () => {
    for (const version of [3, 4, 5] as const) {
      for (const qos of [0, 1, 2] as const) {
        it(`carries both ways: MQTT level ${version}, QoS ${qos}`, async (test) => {
          const other = await far.start(test);
          const near = await startNear(test, [bridgeOptions(other.port, [`a/# both ${qos} here/ there/`], { versions: [version] })]);
          await near.connected();
          const here = await listening(test, near.port, 'here/#');
          const there = await listening(test, other.port, 'there/#');
          const publisher = await client(test, near.port, { protocolVersion: 4 }); // of MQTT.js with 5: it does not obey Receive Maximum
          const texts = Array.from({ length: 50 }, (_, at) => `out ${at}`);
          for (const text of texts) publisher.publish('here/a/x', text, { qos });
          await there.got(50);
          assert.deepEqual(there.texts(), texts);
          assert.ok(there.received.every((one) => one.topic === 'there/a/x' && one.qos === qos));
          await publish(test, other.port, 'there/a/y/z', 'in', { qos });
          await here.got(51);
          assert.deepEqual(here.received.at(-1), { topic: 'here/a/y/z', text: 'in', qos, retain: false });
          await publish(test, near.port, 'here/a/end', 'end', { qos });
          await there.got(52);
          await here.got(52);
          assert.deepEqual([here.received.length, there.received.length], [52, 52], 'each message once on each side');
          await eventually(() => near.state().queued === 0, 'everything is acknowledged');
          const { sent, received, dropped } = near.state();
          assert.deepEqual({ sent, received, dropped }, { sent: 51, received: 1, dropped: 0 });
        });
      }
    }

    for (const [topic, local, remote] of [
      ['t/# out 1', 't/x', 't/x'],
      ['t/# out 1 l/', 'l/t/x', 't/x'],
      ['t/# out 1 "" r/', 't/x', 'r/t/x'],
      ['t/+/b out 1 l/ r/', 'l/t/a/b', 'r/t/a/b'],
      ['# out 1 l/ r/', 'l/x', 'r/x'],
      ['"" out 1 l/one r/two', 'l/one', 'r/two'],
    ] as const) {
      it(`gives a topic its name over there: topic ${topic}`, async (test) => {
        const other = await far.start(test);
        const near = await startNear(test, [bridgeOptions(other.port, [topic, topic.replace('out', 'in')])]);
        await near.connected();
        const there = await listening(test, other.port, '#');
        const here = await listening(test, near.port, '#');
        await publish(test, near.port, local, 'goes', { qos: 1 });
        await there.got(1);
        await publish(test, other.port, remote, 'comes', { qos: 1 });
        await here.got(2);
        assert.deepEqual(
          there.received.map(({ topic: name, text }) => [name, text]),
          [
            [remote, 'goes'],
            [remote, 'comes'],
          ],
        );
        assert.deepEqual(here.received.at(-1), { topic: local, text: 'comes', qos: 1, retain: false });
      });
    }

    for (const version of [4, 5] as const) {
      it(`keeps retained messages retained, and clears them: MQTT level ${version}`, async (test) => {
        const other = await far.start(test);
        const near = await startNear(test, [bridgeOptions(other.port, ['# both 1'], { versions: [version] })]);
        await publish(test, near.port, 'before', 'b', { qos: 0, retain: true });
        await near.connected();
        await publish(test, near.port, 'after', 'a', { qos: 0, retain: true });
        await publish(test, other.port, 'over', 'o', { qos: 0, retain: true });
        const retainedAt = async (port: number) => {
          const all = await listening(test, port, '#');
          await publish(test, port, 'mark', 'm', { qos: 0 });
          await eventually(() => all.texts().includes('m'), 'the mark comes');
          return all.received.filter(({ retain }) => retain).map(({ topic }) => topic);
        };
        const everywhere = async (topics: readonly string[]) =>
          eventually(async () => {
            const found = [await retainedAt(near.port), await retainedAt(other.port)];
            return found.every((some) => some.sort().join() === [...topics].sort().join());
          }, `retained on both sides: ${topics}`);
        await everywhere(['before', 'after', 'over']);
        await publish(test, near.port, 'before', '', { qos: 0, retain: true });
        await publish(test, other.port, 'after', '', { qos: 0, retain: true });
        await everywhere(['over']);
      });
    }
  });
}
