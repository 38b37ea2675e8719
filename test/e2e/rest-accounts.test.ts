// Whose a token is, and what REST tells of accounts that dynamic security has as well: beside clients of MQTT and mosquitto's own program.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mqttClient } from '../support/clients/mqtt-client.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { runForeign } from '../support/process/foreign-program.ts';
import { runMidge } from '../support/process/midge-process.ts';
import { PASSWORD as ADMIN_PASSWORD, firstFile, NEEDS_MOSQUITTO } from './dynamic-security-brokers.ts';
import { openBox } from './rest-box.ts';

const JANE = { username: 'jane', password: 'correct horse' };
const TOM = { username: 'tom', password: 'battery staple' };

test('token of a person holds no more than the person, ends with the account for good, and is told to be theirs', async (context) => {
  const { folder, state, start, ask, claim, signIn } = await openBox(context);
  const { broker, port } = await start();
  const jane = await claim(JANE);
  const as =
    (headers: Record<string, string>) =>
    (path: string, method = 'GET', body?: object) =>
      ask(port, `/api/v1${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  const asJane = as(jane);
  const setRole = async (role: string | null) => assert.equal((await asJane('/roles/tom', 'PUT', { role })).status, 200);
  const addTom = async () => {
    const added = await asJane('/users', 'POST', TOM);
    assert.equal(added.status, 200, added.text);
    await setRole('admin');
  };
  await addTom();
  const made = await as(await signIn(TOM))('/tokens', 'POST', { name: 'script', right: 'operator' });
  assert.equal(made.status, 200, made.text);
  const { token, ...told } = JSON.parse(made.text);
  assert.deepEqual([told.name, told.account, told.right, told.holds, told.ends], ['script', 'tom', 'operator', 'operator', null]);
  const asToken = as({ authorization: `Bearer ${token}` });
  const statuses = async () => [(await asToken('/status')).status, (await asToken('/messages', 'POST', { topic: 'a' })).status];
  assert.deepEqual(await statuses(), [200, 200]);
  assert.ok(broker.lines.some((line) => /Done for token "script" of "tom" from .+ over REST: publish/.test(line)));
  assert.equal((await asJane('/tokens', 'POST', { name: 'script' })).status, 409);

  const cli = ['--state', state];
  const terminal = await runMidge(folder, ['token', 'add', 'terminal', '--right', 'viewer', ...cli]);
  assert.match(terminal.stderr, /Its right is viewer, until you remove it\. It belongs to this machine, not to an account\./);
  await setRole('viewer');
  assert.deepEqual(await statuses(), [200, 403]);
  const list = await runMidge(folder, ['token', 'list', ...cli]);
  assert.match(list.stdout, /^script +operator \(now viewer\) +tom +\d{4}-/m, list.stderr);
  assert.match(list.stdout, /^terminal +viewer +- +\d{4}-/m);
  await setRole(null);
  assert.deepEqual(await statuses(), [401, 401]);
  await setRole('admin');
  assert.deepEqual(await statuses(), [200, 200]);
  for (const [locked, expected] of [
    [true, [401, 401]],
    [false, [200, 200]],
  ] as const) {
    assert.equal((await asJane('/users/tom/lock', 'PUT', { locked })).status, 200);
    assert.deepEqual(await statuses(), expected, locked ? 'a locked account has no tokens' : 'and has them again');
  }

  assert.equal((await asJane('/users/tom', 'DELETE')).status, 200);
  assert.deepEqual(await statuses(), [401, 401]);
  await broker.line(/Tokens have ended with the accounts that made them: "script"\.$/);
  assert.deepEqual(
    JSON.parse((await asJane('/roles')).text).map(({ username }: { username: string }) => username),
    ['jane'],
    'the role has gone with the account',
  );
  await addTom();
  assert.notEqual((await asToken('/status')).status, 200, 'another tom has not the tokens of the first');
  const left = JSON.parse((await asJane('/tokens')).text);
  assert.deepEqual(
    left.map(({ name, account }: { name: string; account: string | null }) => [name, account]),
    [['terminal', null]],
  );
  assert.equal((await ask(port, '/api/v1/status', { headers: { authorization: `Bearer ${terminal.stdout.trim()}` } })).status, 200);
  assert.doesNotMatch(readFileSync(join(state, 'api-tokens'), 'utf8'), /script/);
  assert.ok(broker.lines.every((line) => !line.includes(token)));
  await setRole(null);
  const last = await asJane('/users/jane', 'DELETE');
  assert.deepEqual([last.status, /it is the only admin/.test(last.text)], [409, true]);
});

test('REST and mosquitto_ctrl agree about accounts, also about one that the password file has too', {
  skip: NEEDS_MOSQUITTO,
}, async (context) => {
  const file = await firstFile(temporaryFolder(context));
  const box = await openBox(context, `dynamic_security_file ${file}`);
  const { broker, port, plain } = await box.start();
  const jane = await box.claim(JANE);
  const ask = async (path: string, method = 'GET', body?: object, headers = jane) => {
    const answer = await box.ask(port, `/api/v1${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    return { ...answer, json: answer.text === '' ? null : JSON.parse(answer.text) };
  };
  const ctrl = async (...words: string[]) => {
    const { status, stdout, stderr } = await runForeign('mosquitto_ctrl', [
      '-p',
      `${plain}`,
      '-u',
      'admin',
      '-P',
      ADMIN_PASSWORD,
      'dynsec',
      ...words,
    ]);
    assert.equal(status, 0, stderr);
    return stdout.toString();
  };
  const comesIn = (password: string) =>
    mqttClient(context, { port: plain, username: 'lamp', password }).then(
      () => true,
      () => false,
    );
  const inDynamic = async () =>
    (await ask('/users')).json.items.find(({ username }: { username: string }) => username === 'lamp')?.inDynamicSecurity;
  const clients = async () =>
    (await ask('/dynamic-security')).json.model.clients.items.map(({ username }: { username: string }) => username);

  assert.equal((await ask('/users', 'POST', { username: 'lamp', password: 'of the file' })).status, 200);
  assert.deepEqual([await inDynamic(), await comesIn('of the file')], [false, true]);
  const { etag = '' } = (await ask('/dynamic-security')).headers;
  await ctrl('createRole', 'light');
  await ctrl('addRoleACL', 'light', 'publishClientSend', 'home/lamp', 'allow');
  await ctrl('createClient', 'lamp', '-p', 'of the other');
  await ctrl('addClientRole', 'lamp', 'light');
  assert.deepEqual(await clients(), ['admin', 'lamp']);
  assert.deepEqual([await inDynamic(), await comesIn('of the file'), await comesIn('of the other')], [true, false, true]);
  const verdict = (await ask('/rules/simulation?username=lamp&action=publish&topic=home/lamp')).json;
  assert.deepEqual([verdict.allowed, verdict.reason, verdict.rules[0].role], [true, 'role', 'light']);
  const stale = await ask('/dynamic-security/clients/lamp', 'PATCH', { disabled: true }, { ...jane, 'if-match': String(etag) });
  assert.equal(stale.status, 412, 'mosquitto_ctrl has changed it meanwhile');

  const changed = await ask('/users/lamp/password', 'PUT', { password: 'of REST' });
  assert.deepEqual([changed.status, changed.json.file], [200, file]);
  assert.deepEqual([await comesIn('of REST'), await comesIn('of the other')], [true, false]);
  assert.match(await ctrl('getClient', 'lamp'), /light/, 'and the rest stays');
  await ask('/dynamic-security/clients/lamp', 'PATCH', { disabled: true });
  assert.match(await ctrl('getClient', 'lamp'), /Disabled/i);
  assert.equal(await comesIn('of REST'), false);
  const taken = await ask('/users', 'POST', { username: 'admin', password: 'mine' });
  assert.deepEqual([taken.status, /dynamic security has a client of this name/.test(taken.text)], [409, true]);
  await ctrl('enableClient', 'lamp');

  await ask('/roles/lamp', 'PUT', { role: 'admin' });
  const lamp = await box.signIn({ username: 'lamp', password: 'of REST' });
  const { token } = (await ask('/tokens', 'POST', { name: 'blinker', right: 'viewer' }, lamp)).json;
  const asToken = async () => (await ask('/status', 'GET', undefined, { authorization: `Bearer ${token}` })).status;
  const own = await ask('/session/password', 'PUT', { current: 'of REST', password: 'of its own' }, lamp);
  assert.equal(own.status, 200, own.text);
  assert.deepEqual([await comesIn('of its own'), await asToken()], [true, 200]);
  await ctrl('disableClient', 'lamp');
  assert.equal(await asToken(), 401);
  await ctrl('enableClient', 'lamp');
  assert.equal(await asToken(), 200);

  const removed = await ask('/users/lamp', 'DELETE');
  assert.deepEqual([removed.status, removed.json.canStillSignIn, await comesIn('of its own')], [200, true, true]);
  assert.equal(await asToken(), 200, 'the account that counts is still there');
  await ctrl('deleteClient', 'lamp');
  assert.deepEqual([await clients(), await comesIn('of its own'), await asToken()], [['admin'], false, 401]);
  await broker.line(/Tokens have ended with the accounts that made them: "blinker"\.$/);
  await ctrl('createClient', 'lamp', '-p', 'a new one');
  assert.equal(await asToken(), 401, 'another lamp has not the tokens of the first');
  assert.equal((await ask('/dynamic-security/clients/lamp', 'DELETE')).json.canStillSignIn, false);
  assert.equal((await ctrl('listClients')).trim(), 'admin');
  assert.ok(existsSync(file));
});
