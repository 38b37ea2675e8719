// QoS 2 identifiers that wait for PUBREL while the power goes: afterwards a repetition is told from another message by what was written down.

import { test } from 'node:test';
import { MemoryStore } from '../store/memory-store.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';

/** What is on the card when the power goes behind the PUBREC of the message `x` to `t` under identifier 1. */
async function interrupted(): Promise<MemoryStore> {
  const store = new MemoryStore();
  await using broker = await startTestBroker({ openStore: async () => store });
  const publisher = await broker.connect({ clientId: 'lamp', cleanStart: false });
  publisher.send("34 [ 't' 0001 {} |x| ]");
  await publisher.expect('50 [ 0001 ]');
  return store.copy();
}

/** A broker with that card gets the packet from the publisher that returns: the subscriber gets `delivered`, then what is sent last. */
async function publishAgain(store: MemoryStore, packet: string, delivered: readonly string[]): Promise<void> {
  await using broker = await startTestBroker({ openStore: async () => store });
  const subscriber = await broker.connect({ clientId: 'phone' });
  subscriber.send("82 [ 0001 {} '#' 00 ]");
  await subscriber.expect('90 [ 0001 {} 00 ]');
  const publisher = await broker.connect({ clientId: 'lamp', cleanStart: false });
  publisher.send(packet);
  await publisher.expect('50 [ 0001 ]');
  publisher.send("62 [ 0001 ] 30 [ 'last' {} |z| ]");
  await publisher.expect('70 [ 0001 ]');
  for (const expected of delivered) await subscriber.expect(expected);
  await subscriber.expect("30 [ 'last' {} |z| ]");
}

/** [what comes under the identifier after the power cut, the packet, what is delivered] */
const RETURNS: readonly (readonly [string, string, readonly string[]])[] = [
  ['a repetition', "3C [ 't' 0001 {} |x| ]", []],
  ['a repetition without DUP', "34 [ 't' 0001 {} |x| ]", []],
  ['another payload', "34 [ 't' 0001 {} |y| ]", ["30 [ 't' {} |y| ]"]],
  ['another topic', "34 [ 'u' 0001 {} |x| ]", ["30 [ 'u' {} |x| ]"]],
  ['another payload with DUP', "3C [ 't' 0001 {} |y| ]", ["30 [ 't' {} |y| ]"]],
];

for (const [what, packet, delivered] of RETURNS) {
  test(`${what} under an identifier that waits for PUBREL is delivered ${delivered.length} times after a power cut [MQTT-4.3.3-10]`, async () => {
    await publishAgain(await interrupted(), packet, delivered);
  });
}

test('DUP decides when the row is of a version without digests', async () => {
  for (const [packet, delivered] of [
    ["3C [ 't' 0001 {} |y| ]", []],
    ["34 [ 't' 0001 {} |y| ]", ["30 [ 't' {} |y| ]"]],
  ] as const) {
    const store = await interrupted();
    store.saveIncoming('lamp', 1, 0);
    await publishAgain(store, packet, delivered);
  }
});

test('a third message is told from the second when the power goes between them', async () => {
  const first = await interrupted();
  await using broker = await startTestBroker({ openStore: async () => first });
  const publisher = await broker.connect({ clientId: 'lamp', cleanStart: false });
  publisher.send("34 [ 't' 0001 {} |y| ]");
  await publisher.expect('50 [ 0001 ]');
  for (const packet of ["34 [ 't' 0001 {} |x| ]", "34 [ 'u' 0001 {} |y| ]"]) {
    await publishAgain(first.copy(), packet, [packet.replace('34', '30').replace('0001 ', '')]);
  }
  await publishAgain(first.copy(), "34 [ 't' 0001 {} |y| ]", []);
});
