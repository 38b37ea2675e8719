// Accounts and rules, changed in the files a person edits while a whole appliance runs.

import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hashPassword } from '../../src/access/password-hash.ts';
import { askControl } from '../../src/control/ask-control.ts';
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
  assert.deepEqual(items, [
    { username: 'anna', origin: passwd, clients: 1, hasRules: false },
    { username: 'lamp', origin: passwd, clients: 0, hasRules: true },
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
  await assert.rejects(ask('change rules', { add: [{ kind: 'topic', access: 'read', filter: 'a\nuser root' }] }), /no topic filter/);
  assert.equal(await may({}), true);
  await ask('change rules', { username: 'lamp', remove: add, revision: changed.revision });
  assert.equal(readFileSync(acl, 'utf8'), ACL);
});

test('simulate tells the rule that decides, and who can tells everybody who may', async (t) => {
  const { ask, acl } = await startHouse(t);
  assert.deepEqual(await ask('simulate', { action: 'publish', topic: 'home/lamp', username: 'lamp' }), {
    allowed: true,
    reason: 'rule',
    rules: [{ file: acl, line: 6, kind: 'topic', access: 'write', filter: 'home/lamp' }],
  });
  assert.deepEqual(await ask('simulate', { action: 'receive', topic: 'home/lamp', username: 'lamp' }), {
    allowed: false,
    reason: 'no rule',
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
