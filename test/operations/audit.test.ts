// Who changed what: a line for each change that was made, and no secret in it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { auditLine, changeBy } from '../../src/operations/audit.ts';
import { OperationFailure, operation } from '../../src/operations/operation.ts';
import { OPERATIONS, Operations } from '../../src/operations/operations.ts';

const ASKER = { name: '"jane" from 192.0.2.7 over REST', right: 'admin' } as const;
const lineOf = (...made: Parameters<typeof changeBy>) => {
  const change = changeBy(...made);
  return change === null ? null : auditLine(change);
};
const named = (name: string) => OPERATIONS.find((each) => each.name === name) ?? assert.fail(name);

test('change is told with who, through which door, and what; and nothing that was a secret', () => {
  const line = lineOf(named('add user'), { username: 'tom\n', password: 'correct horse', listener: null }, ASKER);
  assert.equal(line, 'Done for "jane" from 192.0.2.7 over REST: add user (username "tom\\n").');
  assert.equal(lineOf(named('reload'), {}, ASKER), 'Done for "jane" from 192.0.2.7 over REST: reload.');
  assert.ok((lineOf(named('delete retained'), { filter: 'x'.repeat(5000) }, ASKER) ?? '').length < 250);
  const unlocked = lineOf(named('lock user'), { username: 'tom', locked: false }, ASKER);
  assert.equal(unlocked, 'Done for "jane" from 192.0.2.7 over REST: lock user (username "tom", locked false).');
  assert.equal(lineOf(named('status'), {}, ASKER), null);
  const published = lineOf(named('publish'), { topic: 'home/lamp', payload: 'on', username: null }, ASKER);
  assert.equal(published, 'Done for "jane" from 192.0.2.7 over REST: publish (topic "home/lamp").');
});

test('no operation tells a field that may hold a secret', () => {
  const secret = 'f00d-secret';
  for (const each of OPERATIONS) {
    const fields = ['password', 'payload', 'text', 'content', 'token', 'confirm', 'code', 'value', 'invitation', 'rules'];
    const line = lineOf(each, Object.fromEntries(fields.map((field) => [field, secret])), ASKER);
    assert.ok(!line?.includes(secret), line ?? '');
  }
});

test('operations tell changes that were made, and neither queries nor what failed', async () => {
  const row = operation({
    name: 'reload',
    kind: 'command',
    right: 'admin',
    summary: 'A change.',
    input: z.strictObject({ file: z.string() }),
    output: z.object({}),
    run: (_, { file }) => {
      if (file === 'gone') throw new OperationFailure('not found', 'Cannot find it');
      return {};
    },
  });
  const perhaps = operation({
    name: 'delete retained',
    kind: 'command',
    right: 'admin',
    summary: 'A change, or what it would be.',
    input: z.strictObject({ filter: z.string() }),
    output: z.object({ deleted: z.boolean() }),
    isDone: ({ deleted }) => deleted,
    run: (_, { filter }) => ({ deleted: filter === 'a' }),
  });
  const lines: string[] = [];
  const operations = new Operations(
    () => ({}) as never,
    [row, perhaps],
    (change) => lines.push(auditLine(change)),
  );
  await operations.run('reload', { file: 'a' }, ASKER);
  await assert.rejects(operations.run('reload', { file: 'gone' }, ASKER));
  await assert.rejects(operations.run('reload', { file: 'a' }, { ...ASKER, right: 'viewer' }));
  for (const filter of ['a', 'b']) await operations.run('delete retained', { filter }, ASKER);
  assert.deepEqual(lines, [
    'Done for "jane" from 192.0.2.7 over REST: reload (file "a").',
    'Done for "jane" from 192.0.2.7 over REST: delete retained (filter "a").',
  ]);
});
