// Long work over Server-Sent Events: how far it is, then the answer or the reason why there is none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { OperationFailure, operation } from '../../src/operations/operation.ts';
import { openApi } from './open-api.ts';

const LONG = operation({
  name: 'reload',
  kind: 'command',
  right: 'operator',
  summary: 'Long work.',
  input: z.strictObject({ file: z.string().nullish() }),
  output: z.object({ done: z.number() }),
  progress: z.object({ part: z.number() }),
  run: async (_, { file }, __, report) => {
    for (let part = 1; part <= 3; part++) {
      report({ part });
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (file === 'gone') throw new OperationFailure('not found', 'Cannot find "gone"');
    if (file === 'broken') throw new Error('secret detail');
    return { done: 3 };
  },
});

const ASK = { method: 'POST', token: 'operator', headers: { accept: 'text/event-stream' } } as const;
const PROGRESS = [1, 2, 3].map((part) => `event: progress\ndata: {"part":${part}}\n\n`).join('');

test('long work tells how far it is and then its answer, to who wants events', async (context) => {
  const api = await openApi(context, { table: [LONG] });
  const events = await api.ask('/api/v1/reload', { ...ASK, body: {} });
  assert.deepEqual([events.status, events.headers['content-type']], [200, 'text/event-stream']);
  assert.equal(events.text.replaceAll(': \n\n', ''), `${PROGRESS}event: done\ndata: {"done":3}\n\n`);
  const plain = await api.ask('/api/v1/reload', { method: 'POST', token: 'operator', body: {} });
  assert.deepEqual([plain.status, plain.json], [200, { done: 3 }]);
});

test('long work that fails says why in its last event, and nothing of a mistake of ours', async (context) => {
  const api = await openApi(context, { table: [LONG] });
  const gone = await api.ask('/api/v1/reload', { ...ASK, body: { file: 'gone' } });
  assert.match(gone.text, /event: problem\ndata: \{.*"status":404.*Cannot find \\"gone\\""\}\n\n$/);
  const broken = await api.ask('/api/v1/reload', { ...ASK, body: { file: 'broken' } });
  assert.match(broken.text, /event: problem\ndata: \{.*"status":500.*\}\n\n$/);
  assert.doesNotMatch(broken.text, /secret detail/);
  assert.ok(api.log.lines.some((line) => line.includes('secret detail')));
  assert.equal((await api.ask('/api/v1/reload', { ...ASK, token: 'viewer' })).status, 403);
});
