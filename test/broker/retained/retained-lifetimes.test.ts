// Retained messages go when they are older than the configuration lets them be, also over a restart and when it says so later.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_BROKER_OPTIONS } from '../../../src/broker/options.ts';
import { expiryWithin } from '../../../src/broker/retained/retained-lifetimes.ts';
import { MemoryStore } from '../../store/memory-store.ts';
import { startTestBroker, type TestBroker } from '../../support/broker/test-broker.ts';
import { TestClock } from '../../support/ports/test-clock.ts';

const LIFETIMES = [
  { topicFilter: 'home/keep/#', seconds: 1_000_000 },
  { topicFilter: 'home/#', seconds: 60 },
];

/** Publishes by a client, QoS 1: it is in the store when this is done. */
async function publish(broker: TestBroker, topic: string): Promise<void> {
  const peer = await broker.connect({ clientId: '' });
  peer.send(`33 [ '${topic}' 0001 {} 01 ]`);
  await peer.expect('40 [ 0001 10 ]'); // nobody is subscribed
}

function there({ broker }: TestBroker): string[] {
  return [...broker.retained.all()].map(({ topic }) => topic.name).sort();
}

test('the earlier of own expiry and rule counts, and of rules the first that matches', () => {
  const expiry = (topic: string, own: number) => expiryWithin(LIFETIMES, topic, 1000, own);
  assert.equal(expiry('home/a', 0), 61_000);
  assert.equal(expiry('home/a', 5000), 5000);
  assert.equal(expiry('home/a', 99_000), 61_000);
  assert.equal(expiry('home/keep/a', 0), 1_000_001_000);
  assert.equal(expiry('other', 0), 0);
  assert.equal(expiryWithin([{ topicFilter: '#', seconds: 1 }], '$SYS/a', 0, 0), 0);
});

test('retained message is gone when its time is over, also when the broker was restarted meanwhile', async () => {
  const store = new MemoryStore();
  const clock = new TestClock();
  const setup = { openStore: async () => store, clock, options: { retainedLifetimes: LIFETIMES } };
  {
    await using first = await startTestBroker(setup);
    for (const topic of ['home/a', 'home/keep/a', 'other']) await publish(first, topic);
    assert.deepEqual(there(first), ['home/a', 'home/keep/a', 'other']);
  }
  clock.advance(61_000);
  await using second = await startTestBroker(setup);
  const peer = await second.connect({ clientId: '' });
  peer.send("82 [ 0001 {} 'home/a' 00 ]");
  await peer.expect('90 [ 0001 {} 00 ]'); // and no message
  second.broker.setOptions({ ...second.broker.options, retainedLifetimes: [...LIFETIMES] });
  assert.deepEqual(there(second), ['home/keep/a', 'other']);
});

test('retained message that was there before the rule goes by it too, and its new end is kept', async () => {
  const store = new MemoryStore();
  const clock = new TestClock();
  const openStore = async () => store;
  {
    await using first = await startTestBroker({ openStore, clock });
    await publish(first, 'home/a');
    clock.advance(30_000);
    first.broker.setOptions({ ...DEFAULT_BROKER_OPTIONS, retainedLifetimes: LIFETIMES });
    assert.equal(first.broker.retained.get('home/a')?.expiresAt, clock.now() + 30_000, 'it has been here for 30 seconds');
  }
  await using second = await startTestBroker({ openStore, clock });
  assert.equal(second.broker.retained.get('home/a')?.expiresAt, clock.now() + 30_000);
});
