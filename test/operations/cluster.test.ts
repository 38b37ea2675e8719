// The cluster as programs see it, and a broker that never comes back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterState } from '../../src/cluster/state.ts';
import { operationsOn } from './test-operations.ts';

const PEER: ClusterState['peers'][number] = {
  ...{ id: 'box-2', phase: 'connected', since: 0, version: '0.1.0', filters: 3, sent: 5, queued: 0, dropped: 0, lastError: null },
  ...{ latency: 1.5, figures: { 'clients/connected': 2 } },
};

const STATE: ClusterState = {
  ...{ name: 'home', id: 'box-1', phase: 'connected', since: 0, server: '192.0.2.1:4222', lastError: null, carried: 9, wills: 0 },
  ...{ figures: { 'clients/connected': 1 }, totals: { 'clients/connected': 3 }, peers: [PEER] },
};

const BROKER = { journal: null } as never;

test('cluster is told with what each broker counts, and is null without one', async () => {
  const told = await operationsOn({ cluster: STATE })('cluster', {}, 'viewer');
  assert.deepEqual([told.since, told.totals, told.peers[0].latency], ['1970-01-01T00:00:00Z', { 'clients/connected': 3 }, 1.5]);
  assert.equal(await operationsOn({ cluster: null })('cluster'), null);
});

test('broker that never comes back is forgotten by an admin, and one that is there is not', async () => {
  const asked: string[] = [];
  const forgetBroker = (id: string) => {
    asked.push(id);
    return id === 'box-2' ? 'forgotten' : id === 'box-3' ? 'connected' : 'unknown';
  };
  const ask = operationsOn({ forgetBroker, broker: BROKER, store: null });
  assert.deepEqual(await ask('forget broker', { id: 'box-2' }), { id: 'box-2' });
  await assert.rejects(ask('forget broker', { id: 'box-3' }), /Cannot forget broker "box-3": it is connected/);
  await assert.rejects(ask('forget broker', { id: 'box-4' }), /the cluster has none of this name/);
  await assert.rejects(operationsOn({ forgetBroker: () => null })('forget broker', { id: 'box-2' }), /the configuration has no cluster/);
  await assert.rejects(ask('forget broker', { id: 'box-2' }, 'operator'), /right/);
  assert.deepEqual(asked, ['box-2', 'box-3', 'box-4']);
});
