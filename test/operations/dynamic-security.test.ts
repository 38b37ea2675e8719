// Dynamic security, changed by operations: what they refuse, and what is in the file and in force afterwards.

import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createBounds } from '../../src/access/access.ts';
import { PasswordAuthenticator } from '../../src/access/authenticator.ts';
import { DynamicSecurity } from '../../src/access/dynamic-security/dynamic-security.ts';
import { firstModel } from '../../src/access/dynamic-security/first-file.ts';
import { readSecurityFile } from '../../src/access/dynamic-security/security-file.ts';
import { Roles } from '../../src/api/roles.ts';
import { DEFAULT_LISTENER_POLICY } from '../../src/broker/options.ts';
import type { OperationNeeds } from '../../src/operations/needs.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { recordingLog } from '../support/ports/recording-log.ts';
import { operationsOn } from './test-operations.ts';

async function open(context: TestContext) {
  const folder = temporaryFolder(context);
  const file = join(folder, 'd.json');
  const kicked: (string | null)[] = [];
  const security = new DynamicSecurity({
    file,
    passwordInitFile: null,
    asOwner: (_path, work) => work(),
    log: recordingLog(),
    checkPasswords: (users) => new PasswordAuthenticator(null, users, null, createBounds()),
    passwordsChanged: () => {},
    addressesOf: () => [],
    changed: (names) => kicked.push(...names),
  });
  security.use(await firstModel('the password', null));
  kicked.length = 0;
  const dynamic: OperationNeeds['access']['dynamic'] = {
    file,
    get model() {
      return security.model;
    },
    run: (commands, username, look) =>
      new Promise((resolve, reject) => {
        security.run(commands, { clientId: 'test', username }, resolve, look).catch(reject);
      }),
  };
  const passwd = join(folder, 'passwd');
  writeFileSync(passwd, 'tom:$argon2id$x\n');
  const access = {
    ...{ account: null, dynamic, filesOf: () => ({ passwordFile: passwd, aclFile: null }), aclOf: () => null },
    canSignIn: (username: string) => ['tom', 'jane'].includes(username) || security.secretOf(username) !== null,
  };
  const roles = new Roles(null);
  const ask = operationsOn({ access: access as never, roles, listeners: [], broker: { sessions: [] } as never }); // the others are not asked
  return { ask, roles, folder, file, security, kicked, kept: () => readSecurityFile(file) };
}

const DOOR = { type: 'publishClientSend', topic: 'home/door', priority: 0, allow: true } as const;

test('dynamic roles, groups and clients are made, changed and removed, in the file and in force', async (context) => {
  const { ask, security, kicked, kept } = await open(context);
  await ask('add dynamic role', { name: 'family', text: 'The family', acls: [DOOR] });
  await ask('add dynamic group', { name: 'house', roles: [{ name: 'family', priority: 3 }] });
  await ask('add dynamic client', { username: 'tom', password: 'a password', groups: [{ name: 'house' }], text: 'Tom' });
  const { model } = await ask('dynamic security');
  const tom = model.clients.items.find((each: { username: string }) => each.username === 'tom');
  assert.deepEqual(tom.groups, [{ name: 'house', priority: null }]);
  assert.deepEqual([tom.text, tom.hasPassword, tom.disabled], ['Tom', true, false]);

  await ask('change dynamic role', { name: 'family', acls: [DOOR, { ...DOOR, topic: 'home/%u/#', allow: false }] });
  assert.equal(security.model.roles.get('family')?.acls.length, 2);
  assert.equal(security.model.roles.get('family')?.textName, 'The family', 'what is not given stays');
  await ask('change dynamic client', { username: 'tom', disabled: true, roles: [{ name: 'family' }] });
  assert.deepEqual([security.stateOf('tom'), [...security.model.clients.get('tom')!.roles.keys()]], ['disabled', ['family']]);
  await ask('change dynamic client', { username: 'tom', disabled: false });
  assert.equal(security.stateOf('tom'), 'can sign in');
  await ask('change dynamic group', { name: 'house', members: [] });
  assert.equal(security.model.clients.get('tom')?.groups.size, 0);
  await ask('change dynamic defaults', { defaults: { subscribe: true }, anonymousGroup: 'house' });
  assert.deepEqual([kept().defaults.subscribe, kept().anonymousGroup], [true, 'house']);

  kicked.length = 0;
  await ask('remove dynamic role', { name: 'family' });
  assert.ok(kicked.includes('tom'));
  await ask('remove dynamic client', { username: 'tom' });
  assert.deepEqual([kept().clients.has('tom'), kept().roles.has('family'), kept().groups.has('house')], [false, false, true]);
});

test('role goes with a dynamic client, and the only admin stays', async (context) => {
  const { ask, roles, security } = await open(context);
  roles.set('anna', 'admin');
  await ask('add dynamic client', { username: 'anna', password: 'a password' });
  await assert.rejects(ask('remove dynamic client', { username: 'anna' }), { reason: 'conflict', message: /"anna": it is the only admin/ });
  assert.ok(security.model.clients.has('anna'));
  roles.set('jane', 'admin');
  await ask('remove dynamic client', { username: 'anna' });
  assert.equal(roles.of('anna'), null, 'who gets the name has not the role');
  roles.set('tom', 'viewer');
  await ask('add dynamic client', { username: 'tom', password: 'a password' });
  assert.equal((await ask('remove dynamic client', { username: 'tom' })).canStillSignIn, true);
  assert.equal(roles.of('tom'), 'viewer', 'the account of the password file keeps it');
});

test('client of dynamic security is locked by disabling it, whatever the password file says of its name', async (context) => {
  const { ask, security, kicked, kept, file, folder } = await open(context);
  await ask('add dynamic client', { username: 'tom', password: 'a password' });
  kicked.length = 0;
  assert.deepEqual(await ask('lock user', { username: 'tom', locked: true }), { username: 'tom', file });
  assert.deepEqual([security.stateOf('tom'), kept().clients.get('tom')?.disabled, kicked], ['disabled', true, ['tom']]);
  assert.equal(readFileSync(join(folder, 'passwd'), 'utf8'), 'tom:$argon2id$x\n');
  await ask('lock user', { username: 'tom', locked: false });
  assert.equal(security.stateOf('tom'), 'can sign in');
});

test('disabled client of dynamic security comes in neither by its password nor by its certificate', async (context) => {
  const { ask, security } = await open(context);
  await ask('add dynamic client', { username: 'tom', password: 'a password' });
  const authenticator = security.authenticator({ authenticate: () => 'accepted' }, false);
  const login = (identity: string | null) =>
    authenticator.authenticate({
      ...{ clientId: 'c', username: 'tom', password: identity === null ? Buffer.from('a password') : null },
      origin: { address: '127.0.0.1', port: 1, policy: DEFAULT_LISTENER_POLICY, identity, tls: null },
    });
  assert.deepEqual([await login(null), await login('tom')], ['accepted', 'accepted']);
  await ask('lock user', { username: 'tom', locked: true });
  assert.deepEqual([await login(null), await login('tom'), await login('lamp')], ['locked', 'locked', 'accepted']);
});

test('change of a client gives it a new password and leaves its links where they were', async (context) => {
  const { ask, security } = await open(context);
  const [role] = security.model.roles.keys();
  await ask('add dynamic client', { username: 'tom', roles: [{ name: role, priority: 7 }] });
  assert.equal(security.stateOf('tom'), 'without password');
  await ask('change dynamic client', { username: 'tom', password: 'a password' });
  assert.equal(security.stateOf('tom'), 'can sign in');
  assert.deepEqual([...security.model.clients.get('tom')!.roles], [[role, 7]]);
});

const REFUSED: readonly (readonly [name: string, input: object, reason: string, field: string | null])[] = [
  ['add dynamic client', { username: 'admin' }, 'conflict', 'username'],
  ['add dynamic client', { username: '' }, 'bad input', 'username'],
  ['add dynamic client', { username: 'tom', roles: [{ name: 'nobody' }] }, 'bad input', 'roles.0.name'],
  ['add dynamic client', { username: 'tom', groups: [{ name: 'nobody' }] }, 'bad input', 'groups.0.name'],
  ['add dynamic client', { username: 'tom', password: '' }, 'bad input', 'password'],
  ['change dynamic client', { username: 'tom' }, 'not found', null],
  ['change dynamic client', { username: 'admin', disabled: true, revision: '77' }, 'stale', null],
  ['remove dynamic client', { username: 'tom' }, 'not found', null],
  ['add dynamic group', { name: '' }, 'bad input', 'name'],
  ['change dynamic group', { name: 'none' }, 'not found', null],
  ['remove dynamic group', { name: 'none' }, 'not found', null],
  ['add dynamic role', { name: 'family', acls: [DOOR, { ...DOOR, topic: 'a/#/b' }] }, 'bad input', 'acls.1.topic'],
  ['add dynamic role', { name: 'family', acls: [DOOR, DOOR] }, 'bad input', 'acls.1.topic'],
  ['change dynamic role', { name: 'none' }, 'not found', null],
  ['remove dynamic role', { name: 'none' }, 'not found', null],
  ['change dynamic defaults', { anonymousGroup: 'none' }, 'bad input', 'anonymousGroup'],
];

for (const [name, input, reason, field] of REFUSED) {
  test(`"${name}" is refused as "${reason}" and changes nothing: ${JSON.stringify(input)}`, async (context) => {
    const { ask, security } = await open(context);
    const before = security.model;
    await assert.rejects(ask(name, input), (error: { reason: string; faults: readonly { path: readonly unknown[] }[] }) => {
      assert.deepEqual([error.reason, error.faults[0]?.path.join('.') ?? null], [reason, field]);
      return true;
    });
    assert.equal(security.model, before);
  });
}

test('change by who has not seen that of another is refused, even where both come at the same moment, or the other was made by hand', async (context) => {
  const { ask, security, file } = await open(context);
  await ask('add dynamic client', { username: 'ann' });
  const { revision } = await ask('dynamic security');
  const change = (password: string) => ask('change dynamic client', { username: 'ann', password, revision });
  const outcomes = await Promise.allSettled([change('the first one'), change('the second one')]);
  assert.deepEqual(
    outcomes.map((each) => (each.status === 'rejected' ? each.reason.reason : 'done')),
    ['done', 'stale'],
  );
  const seen = await ask('dynamic security');
  const edited = readSecurityFile(file);
  edited.clients.delete('ann');
  security.use(edited);
  await assert.rejects(ask('change dynamic client', { username: 'ann', text: 'x', revision: seen.revision }), { reason: 'stale' });
});

test('name of a user who is in dynamic security too is told, and what is changed of it is what counts', async (context) => {
  const { ask, security, file } = await open(context);
  const seen = async () => (await ask('users')).items.map((each: { inDynamicSecurity: boolean }) => each.inDynamicSecurity);
  assert.deepEqual(await seen(), [false]);
  await ask('add dynamic client', { username: 'tom', password: 'a password' });
  assert.deepEqual(await seen(), [true]);
  const before = security.secretOf('tom');
  assert.equal((await ask('change password', { username: 'tom', password: 'another password' })).file, file);
  assert.notEqual(security.secretOf('tom'), before);
  await assert.rejects(ask('change password', { username: 'tom', password: '' }), { reason: 'bad input' });
  await assert.rejects(ask('add user', { username: 'admin', password: 'a password' }), { reason: 'conflict' });
  assert.equal((await ask('remove dynamic client', { username: 'tom' })).canStillSignIn, true);
  await ask('add dynamic client', { username: 'ann', password: 'a password' });
  assert.equal((await ask('remove dynamic client', { username: 'ann' })).canStillSignIn, false);
});

test('change is not possible where dynamic security is not turned on', async () => {
  const ask = operationsOn({ access: { dynamic: null } as OperationNeeds['access'] }); // the others are not asked
  await assert.rejects(ask('add dynamic role', { name: 'family' }), { reason: 'not possible' });
  assert.deepEqual(await ask('dynamic security'), { model: null, revision: null });
});

test('change that the file cannot take is refused', async (context) => {
  const { ask, folder, security } = await open(context);
  rmSync(folder, { recursive: true });
  await assert.rejects(ask('add dynamic role', { name: 'family' }), { reason: 'not possible' });
  assert.equal(security.model.roles.has('family'), false);
});
