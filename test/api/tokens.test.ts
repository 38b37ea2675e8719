// Bearer tokens: told once, kept as hashes, gone when they end or are removed.

import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TokenFile } from '../../src/api/tokens.ts';
import { OperatorError } from '../../src/base/errors.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const DAY_MS = 86_400_000;
const MONITOR = { name: 'prometheus', right: 'monitoring', days: null } as const;

test('token is found after a restart, and nobody can read it in the file', (context) => {
  const path = join(temporaryFolder(context), 'tokens');
  const token = new TokenFile(path, () => 0).add(MONITOR);
  assert.match(token, /^midge_[\w-]{43}$/);
  const again = new TokenFile(path, () => 1e13);
  assert.deepEqual(again.find(token), { name: 'prometheus', right: 'monitoring' });
  assert.equal(again.find(`${token}x`), null);
  assert.equal(again.find(''), null);
  assert.deepEqual(again.list(), [{ name: 'prometheus', right: 'monitoring', created: 0, ends: null }]);
  const text = readFileSync(path, 'utf8');
  assert.ok(!text.includes(token) && !text.includes(token.slice(6)));
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('token ends on its day', (context) => {
  let now = 5;
  const tokens = new TokenFile(join(temporaryFolder(context), 'tokens'), () => now);
  const token = tokens.add({ ...MONITOR, days: 2 });
  now = 5 + 2 * DAY_MS - 1;
  assert.notEqual(tokens.find(token), null);
  now++;
  assert.equal(tokens.find(token), null);
});

test('token that is removed ends at once, and its name is free again', (context) => {
  const tokens = new TokenFile(join(temporaryFolder(context), 'tokens'), () => 0);
  const token = tokens.add(MONITOR);
  assert.throws(() => tokens.add(MONITOR), /there is one of this name/);
  assert.equal(tokens.remove('prometheus'), true);
  assert.equal(tokens.remove('prometheus'), false);
  assert.equal(tokens.find(token), null);
  assert.notEqual(tokens.add(MONITOR), token);
});

for (const text of ['{', '{"name": "x"}', '[]', 'null', '{"name":"x","right":"king","hash":"x","created":0,"ends":null}']) {
  test(`tokens are refused when the file has ${text}`, (context) => {
    const path = join(temporaryFolder(context), 'tokens');
    writeFileSync(path, `${text}\n`);
    assert.throws(() => new TokenFile(path, () => 0), OperatorError);
  });
}

test('token is not made when it cannot be written', (context) => {
  const tokens = new TokenFile(join(temporaryFolder(context), 'gone', 'tokens'), () => 0);
  assert.throws(() => tokens.add(MONITOR), /Cannot write tokens/);
  assert.deepEqual(tokens.list(), []);
});
