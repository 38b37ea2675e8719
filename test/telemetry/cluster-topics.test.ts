// What the $SYS tree says of a cluster.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterTopics } from '../../src/telemetry/cluster-topics.ts';

const CLUSTER = {
  ...{ name: 'home', id: 'box-1', phase: 'connected', carried: 7 },
  figures: { 'clients/connected': 2 },
  totals: { 'clients/connected': 5 },
  peers: [
    { id: 'box-2', phase: 'connected', sent: 4, queued: 1, dropped: 0, latency: 1.26, figures: { 'clients/connected': 3 } },
    { id: 'box-3', phase: 'away', sent: 0, queued: 9, dropped: 2, latency: null, figures: null },
  ],
};

test('clusterTopics tell each broker, and the sums', () => {
  const texts = new Map(clusterTopics(CLUSTER));
  const of = (name: string) => texts.get(`$SYS/cluster/${name}`);
  assert.deepEqual([of('name'), of('id'), of('state'), of('carried'), of('queued')], ['home', 'box-1', 'connected', '7', '10']);
  assert.deepEqual([of('brokers/connected'), of('brokers/total')], ['2', '3']);
  assert.equal(of('total/clients/connected'), '5');
  assert.deepEqual([of('broker/box-1/clients/connected'), of('broker/box-2/clients/connected')], ['2', '3']);
  assert.deepEqual([of('broker/box-2/latency'), of('broker/box-2/from here/sent')], ['1.3', '4']);
  assert.deepEqual([of('broker/box-3/state'), of('broker/box-3/from here/queued')], ['away', '9']);
  assert.equal(of('broker/box-3/latency'), undefined);
});

test('clusterTopics are none for a broker on its own', () => {
  assert.deepEqual(clusterTopics(null), []);
});
