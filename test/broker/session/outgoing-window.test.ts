// Packet identifiers and their slots: counted up from 1, never one that is in use [MQTT-2.2.1-4].

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Message } from '../../../src/broker/message.ts';
import { Delivery, OutgoingWindow } from '../../../src/broker/session/outgoing-window.ts';
import { makeTopic } from '../../../src/broker/topic.ts';

function delivery(): Delivery {
  const payload = Buffer.from('xy');
  return new Delivery(Message.of({ topic: makeTopic('a'), qos: 1, retain: false, payload }), 1, false, null, null);
}

test('OutgoingWindow gives identifiers from 1 upwards and begins again after 65535', () => {
  const window = new OutgoingWindow();
  for (let id = 1; id <= 65_535; id++) {
    const one = delivery();
    window.add(one);
    assert.equal(one.packetId, id);
    window.remove(one);
  }
  const next = delivery();
  window.add(next);
  assert.equal(next.packetId, 1);
});

test('OutgoingWindow never gives an identifier in use, finds each by its identifier and keeps their order', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(300)), { maxLength: 1500 }), (steps) => {
      const window = new OutgoingWindow();
      const held: Delivery[] = [];
      for (const step of steps) {
        if (step === null || held.length === 0) {
          const one = delivery();
          window.add(one);
          assert.ok(!held.some((other) => other.packetId === one.packetId));
          held.push(one);
        } else {
          const [one] = held.splice(step % held.length, 1);
          assert.ok(one);
          assert.equal(window.get(one.packetId), one);
          window.remove(one);
          assert.equal(window.get(one.packetId), null);
        }
      }
      assert.deepEqual(window.inOrder(), held);
      assert.equal(window.count, held.length);
      assert.equal(window.bytes, held.length * 2);
    }),
    { numRuns: 60 },
  );
});

test('OutgoingWindow holds 65535 deliveries at once', () => {
  const window = new OutgoingWindow();
  const all = Array.from({ length: 65_535 }, delivery);
  for (const one of all) window.add(one);
  assert.equal(new Set(all.map((one) => one.packetId)).size, 65_535);
  assert.equal(window.count, 65_535);
});

test('OutgoingWindow gives no identifier that is reserved, and is full when all are taken or reserved', () => {
  const window = new OutgoingWindow();
  const free = [37, 69, 40_000, 65_535]; // two of them in one slot
  for (let id = 1; id <= 65_535; id++) if (!free.includes(id)) window.reserve(id);
  const given = free.map(() => {
    assert.equal(window.isFull, false);
    const one = delivery();
    window.add(one);
    return one.packetId;
  });
  assert.deepEqual(
    given.toSorted((one, other) => one - other),
    free,
  );
  assert.equal(window.isFull, true);
});
