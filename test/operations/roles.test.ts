// Roles of accounts: given and taken by an admin, and never so that nobody is left who may give them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Roles } from '../../src/api/roles.ts';
import { OperationFailure } from '../../src/operations/operation.ts';
import { Operations } from '../../src/operations/operations.ts';

const ADMIN = { name: 'jane', right: 'admin' } as const;

function open(roles: Roles | null) {
  const operations = new Operations(() => ({ roles, access: { canSignIn: (name: string) => name !== 'locked' } }) as never); // nothing else is asked
  return (name: string, input: object) => operations.run(name, input, ADMIN);
}

test('role is given and taken, and listed', async () => {
  const roles = new Roles(null);
  const run = open(roles);
  await run('set role', { username: 'jane', role: 'admin' });
  await run('set role', { username: 'tom', role: 'viewer' });
  assert.deepEqual(await run('roles', {}), [
    { username: 'jane', role: 'admin' },
    { username: 'tom', role: 'viewer' },
  ]);
  await run('set role', { username: 'tom', role: null });
  assert.equal(roles.of('tom'), null);
});

for (const role of [null, 'operator'] as const) {
  test(`only admin keeps its role when it should become ${role}`, async () => {
    const roles = new Roles(null);
    const run = open(roles);
    await run('set role', { username: 'jane', role: 'admin' });
    await assert.rejects(
      run('set role', { username: 'jane', role }),
      (error) => error instanceof OperationFailure && error.reason === 'conflict',
    );
    await run('set role', { username: 'locked', role: 'admin' });
    await assert.rejects(run('set role', { username: 'jane', role }), /it is the only admin/, 'the other one cannot sign in');
    await run('set role', { username: 'tom', role: 'admin' });
    await run('set role', { username: 'jane', role });
    assert.equal(roles.of('jane'), role);
  });
}

test('name that a line of the file cannot hold is refused', async () => {
  const run = open(new Roles(null));
  await assert.rejects(run('set role', { username: 'a\nadmin:eve', role: 'viewer' }), /control character/);
});

test('roles are not possible without a REST interface', async () => {
  await assert.rejects(open(null)('roles', {}), (error) => error instanceof OperationFailure && error.reason === 'not possible');
});
