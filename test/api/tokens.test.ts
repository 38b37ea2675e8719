// Bearer tokens: told once, kept as hashes, gone when they end or are removed.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { TokenFile } from '../../src/api/tokens.ts';
import { OperatorError } from '../../src/base/errors.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const DAY_MS = 86_400_000;
const MONITOR = { name: 'prometheus', right: 'monitoring', days: null, account: null } as const;

test('token is found after a restart, and nobody can read it in the file', (context) => {
  const path = join(temporaryFolder(context), 'tokens');
  const { token } = new TokenFile(path, () => 0).add(MONITOR);
  assert.match(token, /^midge_[\w-]{43}$/);
  const again = new TokenFile(path, () => 1e13);
  assert.deepEqual(again.find(token), { name: 'prometheus', right: 'monitoring', account: null });
  assert.equal(again.find(`${token}x`), null);
  assert.equal(again.find(''), null);
  assert.deepEqual(again.list(), [{ name: 'prometheus', right: 'monitoring', created: 0, ends: null, account: null }]);
  const text = readFileSync(path, 'utf8');
  assert.ok(!text.includes(token) && !text.includes(token.slice(6)));
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('token ends on its day', (context) => {
  let now = 5;
  const tokens = new TokenFile(join(temporaryFolder(context), 'tokens'), () => now);
  const { token } = tokens.add({ ...MONITOR, days: 2 });
  now = 5 + 2 * DAY_MS - 1;
  assert.notEqual(tokens.find(token), null);
  now++;
  assert.equal(tokens.find(token), null);
});

test('token that is removed ends at once, and its name is free again', (context) => {
  const tokens = new TokenFile(join(temporaryFolder(context), 'tokens'), () => 0);
  const { token } = tokens.add(MONITOR);
  assert.throws(() => tokens.add(MONITOR), /there is one of this name/);
  assert.equal(tokens.remove('prometheus'), true);
  assert.equal(tokens.remove('prometheus'), false);
  assert.equal(tokens.find(token), null);
  assert.notEqual(tokens.add(MONITOR).token, token);
});

test('token that an account has made ends with it, also in the file, and those of others and of the machine stay', (context) => {
  const path = join(temporaryFolder(context), 'tokens');
  const tokens = new TokenFile(path, () => 0);
  const made = [null, 'jane', 'tom'].map((account) => tokens.add({ ...MONITOR, name: `of ${account}`, account }));
  assert.deepEqual(tokens.find(made[1]!.token), { name: 'of jane', right: 'monitoring', account: 'jane' });
  const before = readFileSync(path, 'utf8');
  assert.deepEqual(
    tokens.keepAccounts(() => true),
    [],
  );
  assert.equal(readFileSync(path, 'utf8'), before);
  assert.deepEqual(
    tokens.keepAccounts((account) => account === 'tom'),
    ['of jane'],
  );
  for (const each of [tokens, new TokenFile(path, () => 0)]) {
    assert.equal(each.find(made[1]!.token), null);
    assert.deepEqual(
      each.list().map(({ account }) => account),
      [null, 'tom'],
    );
  }
});

test('token of an account that has gone has ended even where the file cannot be written', (context) => {
  const folder = temporaryFolder(context);
  mkdirSync(join(folder, 'sub'));
  const tokens = new TokenFile(join(folder, 'sub', 'tokens'), () => 0);
  const { token } = tokens.add({ ...MONITOR, account: 'jane' });
  rmSync(join(folder, 'sub'), { recursive: true });
  assert.throws(() => tokens.keepAccounts(() => false), /Cannot write tokens/);
  assert.equal(tokens.find(token), null);
});

test('tokens of a file from before tokens had accounts are those of the machine', (context) => {
  const path = join(temporaryFolder(context), 'tokens');
  const { token } = new TokenFile(path, () => 0).add(MONITOR);
  assert.doesNotMatch(readFileSync(path, 'utf8'), /account/, 'an older midge reads it');
  assert.equal(new TokenFile(path, () => 0).find(token)?.account, null);
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
