// The table of metrics is one that Prometheus and others can be made from.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRICS } from '../../src/telemetry/metrics.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';

test('metrics have names and topics of their own, sentences, and units that their names tell', () => {
  const names = METRICS.map(({ name }) => name);
  const topics = METRICS.flatMap(({ sysTopics, loadTopic }) => [...sysTopics, ...(loadTopic === undefined ? [] : [loadTopic])]);
  assert.equal(new Set(names).size, names.length);
  assert.equal(new Set(topics).size, topics.length);
  for (const { name, unit, help } of METRICS) {
    assert.match(name, /^[a-z]+(_[a-z]+)*$/);
    assert.match(help, /^[A-Z].+\.$/);
    assert.equal(name.endsWith('_bytes'), unit === 'bytes', name);
  }
});

test('counters only grow and gauges come back when a client has come and gone', async () => {
  await using house = await startTestBroker();
  const sums = { storedMessages: 0, storedBytes: 0, outBytes: 0, heap: 0, heapMaximum: 0 };
  const read = () => new Map(METRICS.map(({ name, read }) => [name, read(house.broker, sums)]));
  const before = read();
  const phone = await house.connect();
  const during = read();
  assert.equal(during.get('clients_connected'), 1);
  phone.send('E0 [ ]');
  await phone.expectClosed();
  const after = read();
  for (const { name, kind } of METRICS) {
    if (kind === 'counter') assert.ok(before.get(name)! <= during.get(name)! && during.get(name)! <= after.get(name)!, name);
    else if (name !== 'clients_maximum') assert.equal(after.get(name), before.get(name), name);
  }
});
