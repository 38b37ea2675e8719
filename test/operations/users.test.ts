// Accounts and rules, changed in the files a person edits while a whole appliance runs.

import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hashPassword } from '../../src/access/password-hash.ts';
import { askControl } from '../../src/control/ask-control.ts';
import { Operations } from '../../src/operations/operations.ts';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { openPort, startMidge } from '../support/process/midge-process.ts';

const ACL = '# what guests may do\ntopic read open/#\n\n# the lamp\nuser lamp\ntopic write home/lamp\n';

// biome-ignore lint/suspicious/noExplicitAny: the answers are the subject of the test
type Ask = (request: string, input?: object) => Promise<any>;

async function startHouse(t: TestContext) {
  const folder = temporaryFolder(t);
  const passwd = join(folder, 'passwd');
  const acl = join(folder, 'acl');
  const state = join(folder, 'state');
  writeFileSync(passwd, `# the family\nlamp:${await hashPassword('glow', 'sha512-pbkdf2')}\n`, { mode: 0o640 });
  writeFileSync(acl, ACL, { mode: 0o644 });
  writeFileSync(join(folder, 'midge.conf'), `password_file ${passwd}\nacl_file ${acl}\nlog_dest stdout\npersistence true\n`);
  const broker = startMidge(t, folder, ['serve', '-c', join(folder, 'midge.conf'), '-p', '0', '--state', state]);
  const port = await openPort(broker);
  await broker.line(/ running$/);
  const ask: Ask = (request, input = {}) => askControl(join(state, 'control.sock'), { request, ...input }, 30_000);
  return { ask, port, passwd, acl };
}

test('users are added, get another password and are removed while the broker runs, and the file keeps its comments and rights', async (t) => {
  const { ask, port, passwd } = await startHouse(t);
  assert.deepEqual(await ask('add user', { username: 'anna', password: 'first' }), { username: 'anna', file: passwd });
  const anna = await mqttClient(t, { port, username: 'anna', password: 'first' });
  assert.match(readFileSync(passwd, 'utf8'), /^# the family\nlamp:\S+\nanna:\$argon2id\$\S+\n$/);
  assert.equal(statSync(passwd).mode & 0o777, 0o640);
  const { items } = await ask('users');
  const rules = { first: { access: 'write', filter: 'home/lamp' }, count: 1 };
  assert.deepEqual(items, [
    { username: 'anna', origin: passwd, clients: 1, locked: false, hasRules: false, rules: null, inDynamicSecurity: false },
    { username: 'lamp', origin: passwd, clients: 0, locked: false, hasRules: true, rules, inDynamicSecurity: false },
  ]);
  await assert.rejects(ask('add user', { username: 'anna', password: 'x' }), /there is one of this name/);
  await assert.rejects(ask('add user', { username: 'a:b', password: 'x' }), /':' character/);
  const gone = new Promise((resolve) => anna.once('close', () => resolve(null)));
  await ask('change password', { username: 'anna', password: 'second' });
  await gone;
  await assert.rejects(mqttClient(t, { port, username: 'anna', password: 'first' }));
  await mqttClient(t, { port, username: 'anna', password: 'second' });
  await ask('remove user', { username: 'anna' });
  await assert.rejects(mqttClient(t, { port, username: 'anna', password: 'second' }));
  await assert.rejects(ask('remove user', { username: 'anna' }), /Cannot find user "anna"/);
});

test('account is locked with its clients thrown out, why says so, and it comes in again when it is unlocked', async (t) => {
  const { ask, port, passwd } = await startHouse(t);
  const login = { port, clientId: 'porch', username: 'lamp', password: 'glow', reconnectPeriod: 0 };
  const lamp = await mqttClient(t, login);
  const before = readFileSync(passwd, 'utf8');
  const gone = new Promise((resolve) => lamp.once('close', () => resolve(null)));
  assert.deepEqual(await ask('lock user', { username: 'lamp', locked: true }), { username: 'lamp', file: passwd });
  await gone;
  assert.equal(readFileSync(passwd, 'utf8'), before.replace('lamp:', 'lamp:!'));
  const lockedOf = async () => (await ask('users')).items.map((user: { locked: boolean }) => user.locked);
  assert.deepEqual(await lockedOf(), [true]);
  for (let index = 0; index < 4; index++) await assert.rejects(mqttClient(t, login));
  const { refusals, held } = await ask('why', { about: 'porch' });
  assert.equal(refusals[0].reason, 'gives user "lamp": the account is locked');
  assert.equal(refusals[0].advice, `to let this user in: midge passwd --unlock ${passwd} lamp`);
  assert.deepEqual(held, []);
  await ask('change password', { username: 'lamp', password: 'shine' });
  assert.deepEqual(await lockedOf(), [true], 'another password unlocks nothing');
  await ask('lock user', { username: 'lamp', locked: false });
  assert.deepEqual(await lockedOf(), [false]);
  await mqttClient(t, { ...login, password: 'shine' });
  await assert.rejects(ask('lock user', { username: 'nobody', locked: true }), /Cannot find user "nobody"/);
});

test('nobody locks the account that it is signed in with, or the only admin', async () => {
  const roles = { all: new Map([['jane', 'admin']]) };
  const operations = new Operations(() => ({ roles, access: { dynamic: null, canSignIn: () => true } }) as never); // nothing else is asked
  const lock = (asker: object) => operations.run('lock user', { username: 'jane', locked: true }, { name: 'x', right: 'admin', ...asker });
  await assert.rejects(lock({ username: 'jane' }), /you are signed in with it/);
  await assert.rejects(lock({ tokenOf: 'jane' }), /you are signed in with it/);
  await assert.rejects(lock({}), /Cannot lock user "jane": it is the only admin/);
});

test('rules are shown, changed all or none, and count at once; two editors do not undo each other', async (t) => {
  const { ask, acl } = await startHouse(t);
  const shown = await ask('rules', { username: 'lamp' });
  assert.deepEqual(shown.rules, [{ line: 6, kind: 'topic', access: 'write', filter: 'home/lamp' }]);
  const may = async (input: object) =>
    (await ask('simulate', { action: 'publish', username: 'lamp', topic: 'home/door', ...input })).allowed;
  assert.equal(await may({}), false);
  const add = [{ kind: 'topic', access: 'write', filter: 'home/door' }];
  const changed = await ask('change rules', { username: 'lamp', add, revision: shown.revision });
  assert.equal(readFileSync(acl, 'utf8'), `${ACL}topic write home/door\n`);
  assert.equal(statSync(acl).mode & 0o777, 0o644);
  assert.equal(await may({}), true);
  await assert.rejects(ask('change rules', { username: 'lamp', remove: add, revision: shown.revision }), /has changed since/);
  const missing = [{ kind: 'topic', access: 'deny', filter: 'x' }];
  await assert.rejects(ask('change rules', { username: 'lamp', remove: [...add, ...missing] }), /there is no such rule/);
  await assert.rejects(
    ask('change rules', { add: [{ kind: 'topic', access: 'read', filter: 'a\nuser root' }] }),
    /a line of the file cannot hold it/,
  );
  await assert.rejects(
    ask('change rules', { add: [{ kind: 'topic', access: 'read', filter: 'home/#/x' }] }),
    /no topic filter - \+ stands for/,
  );
  assert.equal(await may({}), true);
  await ask('change rules', { username: 'lamp', remove: add, revision: changed.revision });
  assert.equal(readFileSync(acl, 'utf8'), ACL);
});

test('simulate tells the rule that decides, and who can tells everybody who may', async (t) => {
  const { ask, acl } = await startHouse(t);
  assert.deepEqual(await ask('simulate', { action: 'publish', topic: 'home/lamp', username: 'lamp' }), {
    allowed: true,
    reason: 'rule',
    text: `${acl}:6: topic write home/lamp`,
    rules: [{ file: acl, line: 6, kind: 'topic', access: 'write', filter: 'home/lamp' }],
  });
  assert.deepEqual(await ask('simulate', { action: 'receive', topic: 'home/lamp', username: 'lamp' }), {
    allowed: false,
    reason: 'no rule',
    text: `no rule of ${acl} matches`,
    rules: [],
  });
  assert.equal((await ask('simulate', { action: 'publish', topic: '$SYS/x' })).reason, 'reserved topic');
  const subscribed = await ask('simulate', { action: 'subscribe', topic: 'open/+' });
  assert.deepEqual([subscribed.allowed, subscribed.rules[0].line], [true, 2]);
  const { people } = await ask('who can', { topic: 'home/lamp' });
  assert.deepEqual(people, [{ who: 'user', username: 'lamp', client: null, receive: false, publish: true }]);
});

test('a change that cannot be put in force is taken back, and says why', async (t) => {
  const { ask, passwd, acl } = await startHouse(t);
  writeFileSync(passwd, `${readFileSync(passwd, 'utf8')}bob:plain\n`);
  await assert.rejects(
    ask('change rules', { add: [{ kind: 'topic', access: 'read', filter: 'x' }] }),
    (error: Error) => /it is not hashed/.test(error.message) && /taken back/.test(error.message),
  );
  assert.equal(readFileSync(acl, 'utf8'), ACL);
});

test('simulate, who can and why name the role that decides when there is dynamic security', async (t) => {
  const folder = temporaryFolder(t);
  const [file, passwd, state] = [join(folder, 'd.json'), join(folder, 'passwd'), join(folder, 'state')];
  const encoded_password = await hashPassword('glow', 'sha512-pbkdf2');
  const acls = [
    { acltype: 'publishClientSend', topic: 'home/%u', priority: 1, allow: true },
    { acltype: 'subscribePattern', topic: 'home/#', priority: 0, allow: true },
  ];
  const clients = [
    { username: 'lamp', roles: [{ rolename: 'lamps' }], encoded_password },
    { username: 'off', roles: [{ rolename: 'lamps' }], encoded_password, disabled: true },
  ];
  writeFileSync(file, JSON.stringify({ roles: [{ rolename: 'lamps', acls }], clients }), { mode: 0o600 });
  writeFileSync(passwd, `fred:${encoded_password}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'midge.conf'), `password_file ${passwd}\ndynamic_security_file ${file}\nlog_dest stdout\npersistence true\n`);
  const broker = startMidge(t, folder, ['serve', '-c', join(folder, 'midge.conf'), '-p', '0', '--state', state]);
  const port = await openPort(broker);
  const ask: Ask = (request, input = {}) => askControl(join(state, 'control.sock'), { request, ...input }, 30_000);

  const simulated = (action: string, topic: string, username: string) => ask('simulate', { action, topic, username });
  const rule = { file, role: 'lamps', group: null, acltype: 'publishClientSend', topic: 'home/%u', priority: 1, allow: true };
  assert.deepEqual(await simulated('publish', 'home/lamp', 'lamp'), {
    allowed: true,
    reason: 'role',
    text: `role "lamps" of ${file}: publishClientSend allow home/%u (priority 1)`,
    rules: [rule],
  });
  for (const [action, topic, username, allowed, reason] of [
    ['publish', 'home/x', 'lamp', false, 'default'],
    ['subscribe', 'home/+', 'lamp', true, 'role'],
    ['subscribe', '#', 'lamp', false, 'default'],
    ['publish', 'home/fred', 'fred', false, 'unknown user'],
  ] as const) {
    const answer = await simulated(action, topic, username);
    assert.deepEqual([answer.allowed, answer.reason], [allowed, reason], `${username} ${action} ${topic}`);
  }
  const { model } = await ask('dynamic security');
  assert.deepEqual(
    model.clients.items.map((each: { username: string; disabled: boolean; hasPassword: boolean }) => [
      each.username,
      each.disabled,
      each.hasPassword,
    ]),
    [
      ['lamp', false, true],
      ['off', true, true],
    ],
  );
  assert.deepEqual(model.clients.items[0].roles, [{ name: 'lamps', priority: null }]);
  assert.deepEqual(
    model.roles.map(({ name, acls: its }: { name: string; acls: object[] }) => [name, its.length]),
    [['lamps', 2]],
  );
  assert.ok(!JSON.stringify(model).includes(encoded_password.slice(-20)), 'a hash has come along');
  const { everybody, people } = await ask('who can', { topic: 'home/lamp' });
  assert.equal(everybody, false);
  assert.deepEqual(people, [
    { who: 'user', username: 'lamp', client: null, receive: true, publish: true },
    { who: 'user', username: 'off', client: null, receive: true, publish: false },
  ]);

  const lamp = await mqttClient(t, { port, username: 'lamp', password: 'glow', protocolVersion: 5 });
  await assert.rejects(lamp.publishAsync('home/x', '1', { qos: 1 }));
  await assert.rejects(mqttClient(t, { port, username: 'off', password: 'glow' }));
  const { refusals } = await ask('why');
  const reasons = refusals.map(({ reason, advice }: { reason: string; advice: string }) => `${reason} - ${advice}`).join('\n');
  assert.match(reasons, /may not publish to "home\/x": no ACL of its roles matches.*addRoleACL ROLE publishClientSend home\/x allow/);
  assert.match(reasons, /gives user "off", who is disabled - .*midge ctrl dynsec enableClient off/);
});
