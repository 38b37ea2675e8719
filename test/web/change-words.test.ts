// The page has words for every change that somebody may make: a new operation fails here.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { changeBy } from '../../src/operations/audit.ts';
import { OPERATIONS } from '../../src/operations/operations.ts';
import { CHANGES } from '../../src/web/change-keys.ts';

const ENGLISH = JSON.parse(readFileSync(join(import.meta.dirname, '../../src/web/locales/en.json'), 'utf8')) as Record<string, string>;

/** What the words may name of an operation: the fields that the box tells. */
function toldOf(name: string): readonly string[] {
  if (WITHOUT_OPERATION.includes(name)) return ['username'];
  const operation = OPERATIONS.find((each) => each.name === name) ?? assert.fail(name);
  const { properties = {} } = z.toJSONSchema(operation.input, { io: 'input', unrepresentable: 'any' });
  const given = Object.fromEntries(Object.keys(properties).map((field) => [field, 'x']));
  return Object.keys(changeBy(operation, given, { name: 'a test', right: 'admin' })?.about ?? {});
}

/** What can be asked for before there is a session. */
const WITHOUT_OPERATION = ['claim'];

test('each change that lasts has words', () => {
  const lasting = OPERATIONS.filter((each) => changeBy(each, {}, { name: 'a test', right: 'admin' })?.lasts).map(({ name }) => name);
  const known = [...new Set(Object.keys(CHANGES).map((code) => code.split(':')[0]))];
  assert.deepEqual([...lasting, ...WITHOUT_OPERATION].toSorted(), known.toSorted());
});

test('the words name only what the box tells of the operation', () => {
  for (const [code, key] of Object.entries(CHANGES)) {
    const [name = ''] = code.split(':');
    const placed = Array.from((ENGLISH[key] ?? assert.fail(key)).matchAll(/\{(\w+)\}/g), ([, field]) => field);
    assert.deepEqual(
      placed.filter((field) => !toldOf(name).includes(String(field))),
      [],
      code,
    );
  }
});
