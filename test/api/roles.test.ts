// The file of roles: what is given is there after a restart, and a damaged one opens the box to nobody.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Roles } from '../../src/api/roles.ts';
import { OperatorError } from '../../src/base/errors.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

test('roles are there again when they are read anew, for their owner only', (context) => {
  const path = join(temporaryFolder(context), 'roles');
  const roles = new Roles(path);
  assert.equal(roles.hasAdmin, false);
  roles.set('jane: the first', 'admin');
  roles.set('tom', 'viewer');
  roles.set('eve', 'operator');
  roles.set('eve', null);
  const again = new Roles(path);
  assert.deepEqual(
    [...again.all],
    [
      ['jane: the first', 'admin'],
      ['tom', 'viewer'],
    ],
  );
  assert.equal(again.hasAdmin, true);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

for (const text of ['admin\n', 'king:jane\n', 'admin:\n', ':jane\n']) {
  test(`roles are refused when the file has ${JSON.stringify(text)}`, (context) => {
    const path = join(temporaryFolder(context), 'roles');
    writeFileSync(path, text);
    assert.throws(() => new Roles(path), OperatorError);
    assert.equal(readFileSync(path, 'utf8'), text);
  });
}

test('role is not given when it cannot be written', (context) => {
  const folder = join(temporaryFolder(context), 'gone');
  const roles = new Roles(join(folder, 'roles'));
  assert.throws(() => roles.set('jane', 'admin'), /Cannot write roles/);
  assert.equal(roles.hasAdmin, false);
  mkdirSync(folder);
  roles.set('jane', 'admin');
  assert.equal(roles.of('jane'), 'admin');
});
