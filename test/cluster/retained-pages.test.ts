// What differs between two brokers goes over in pages: none takes long to make or to take, however many topics were cleared.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { BUCKETS, SharedRetained } from '../../src/cluster/retained.ts';
import { readRecords } from '../../src/cluster/retained-records.ts';
import { RetainedSync } from '../../src/cluster/retained-sync.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';

/** Topics for some pages; 80,000 are remembered. */
const CLEARED = 20_000;
/** Bytes of a page, and of the topics of one bucket behind its end. */
const PAGE_MAX = 600_000;
/** Of a broker that has nothing in common with ours. */
const OTHER = Buffer.alloc(BUCKETS * 4, 0xff);

async function scene(t: TestContext) {
  const { broker, stop } = await startTestBroker();
  t.after(stop);
  const values = new SharedRetained({ broker, id: 'a', tell: () => {}, noRoom: () => {} });
  values.begin();
  return { broker, values };
}

test('cluster spreads topics that were cleared over the pages of what differs', async (t) => {
  const { broker, values } = await scene(t);
  for (let number = 0; number < CLEARED; number++) broker.retained.cleared.add(`house/floor/room/sensor/${number}/value`, number + 1);
  const names: string[] = [];
  for (let from = 0; from < BUCKETS; ) {
    const { records, next } = values.page(OTHER, from);
    assert.ok(records.length < PAGE_MAX, `a page has ${records.length} bytes`);
    assert.ok(next > from);
    for (const { topic } of readRecords(records, 0)) names.push(topic.name);
    from = next;
  }
  assert.deepEqual([names.length, new Set(names).size], [CLEARED, CLEARED]);
});

test('cluster asks a broker that was forgotten and is back at once for what differs', async (t) => {
  const { values } = await scene(t);
  const nothing = Buffer.alloc(8);
  nothing.writeUInt32BE(BUCKETS);
  let asked = 0;
  const ask = async (): Promise<Buffer[]> => {
    asked++;
    return [nothing];
  };
  const sync = new RetainedSync({ values, ask, failed: (_, reason) => assert.fail(reason) });
  const hear = async (): Promise<void> => {
    sync.heard('b', 'another digest');
    await new Promise(setImmediate);
  };
  await hear();
  await hear();
  assert.equal(asked, 1, 'it has nothing: the next question waits');
  sync.forget('b');
  await hear();
  assert.equal(asked, 2);
});
