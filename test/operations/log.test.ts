// The last lines of the log, and the listeners.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastLines } from '../../src/logging/last-lines.ts';
import { operationsOn } from './test-operations.ts';

test('log gives the last lines in their order, searched and cut, however many there were', async () => {
  const lines = new LastLines();
  const ask = operationsOn({ lastLines: () => lines.list() });
  assert.deepEqual(await ask('log'), []);
  for (let number = 1; number <= 1203; number++) lines.add({ type: 'notice', time: number, text: `Line ${number}` });
  lines.add({ type: 'error', time: 1204, text: 'x'.repeat(100_000) });
  const all = await ask('log', { lines: 500 });
  assert.deepEqual([all.length, all[0].text, all.at(-1).text.length], [500, 'Line 705', 515]);
  assert.deepEqual(
    (await ask('log', { lines: 2, search: 'LINE 12' })).map(({ text }: { text: string }) => text),
    ['Line 1202', 'Line 1203'],
  );
  await assert.rejects(ask('log', {}, 'operator'), { reason: 'not allowed' });
});

test('listeners are told by their names', async () => {
  const listener = {
    name: '1883',
    protocol: 'mqtt',
    tls: false,
    certificate: null,
    wantsCertificate: false,
    takesOurCertificates: false,
    port: 1883,
    addresses: ['127.0.0.1'],
    connections: 2,
  } as const;
  assert.deepEqual(await operationsOn({ listeners: [listener] })('listeners', {}, 'viewer'), [{ ...listener, hosts: [] }]);
});
