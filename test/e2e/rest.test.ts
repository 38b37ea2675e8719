// The REST interface of the program itself: from the first claim over HTTPS to a restart, beside clients of MQTT.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as secure } from 'node:tls';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { runMidge } from '../support/process/midge-process.ts';
import { headersOf, openBox, setupCode } from './rest-box.ts';

test('box is claimed over HTTPS with the code that midge status shows, and its admin is there after a restart', async (context) => {
  const { folder, state, start, ask } = await openBox(context);
  const first = await start();
  const shown = await runMidge(folder, ['status', '--state', state]);
  const [, code = ''] = /The set-up code is ([0-9a-f-]{39})$/m.exec(shown.stdout) ?? [];
  assert.notEqual(code, '', shown.stdout + shown.stderr);
  assert.equal((await ask(first.port, '/ready')).status, 200);
  assert.equal((await ask(first.port, '/api/v1/status')).status, 401);
  const login = { username: 'jane', password: 'correct horse' };
  const claimed = await ask(first.port, '/api/v1/claim', { method: 'POST', body: { ...login, code } });
  assert.equal(claimed.status, 200, claimed.text);
  assert.match(String(claimed.headers['set-cookie']), /^__Host-midge=.*; Secure/);
  const headers = await headersOf(claimed);
  const status = JSON.parse((await ask(first.port, '/api/v1/status', { headers })).text);
  assert.equal(
    status.listeners.some(({ protocol, tls }: { protocol: string; tls: boolean }) => protocol === 'http' && tls),
    true,
  );
  assert.equal((await ask(first.port, '/api/v1/reload', { method: 'POST', headers, body: {} })).status, 200);
  assert.doesNotMatch((await runMidge(folder, ['status', '--state', state])).stdout, /set-up code/);
  assert.ok(first.broker.lines.every((line) => !line.includes(login.password)));
  await first.broker.end();
  const second = await start();
  assert.equal((await ask(second.port, '/api/v1/status', { headers })).status, 401, 'sessions end with the process');
  const again = await ask(second.port, '/api/v1/session', { method: 'POST', body: login });
  assert.equal(again.status, 200, again.text);
  const metrics = await ask(second.port, '/metrics', { headers: await headersOf(again) });
  assert.match(metrics.text, /^midge_clients_connected 0$/m);
  const made = await runMidge(folder, ['token', 'add', 'prometheus', '--state', state]);
  const authorization = `Bearer ${made.stdout.trim()}`;
  assert.equal((await ask(second.port, '/metrics', { headers: { authorization } })).status, 200, made.stderr);
  assert.equal((await ask(second.port, '/api/v1/status', { headers: { authorization } })).status, 403);
  assert.match((await runMidge(folder, ['token', 'list', '--state', state])).stdout, /^prometheus +monitoring +- +\d{4}-.+ never$/m);
  assert.equal((await runMidge(folder, ['token', 'remove', 'prometheus', '--state', state])).status, 0);
  assert.equal((await ask(second.port, '/metrics', { headers: { authorization } })).status, 401);
  for (let tries = 0; tries < 3; tries++)
    assert.equal((await ask(second.port, '/api/v1/session', { method: 'POST', body: { ...login, password: 'wrong' } })).status, 401);
  const held = await ask(second.port, '/api/v1/session', { method: 'POST', body: login });
  assert.equal(held.status, 401, 'the throttle of MQTT logins counts here too');
});

test('midge why tells who tried passwords at the page, and that they signed in since', async (context) => {
  const { folder, state, start, ask, claim, signIn } = await openBox(context);
  const { port } = await start();
  const login = { username: 'jane', password: 'correct horse' };
  await claim(login);
  const body = { ...login, password: 'tr0ub4dor' };
  for (let tries = 0; tries < 2; tries++) await ask(port, '/api/v1/session', { method: 'POST', body });
  await ask(port, '/api/v1/session', { method: 'POST', body: { ...body, username: 'root' } });
  const refusals = async () => JSON.parse((await runMidge(folder, ['status', '--json', '--state', state])).stdout).refusals;
  assert.equal(await refusals(), 3);
  const { stdout } = await runMidge(folder, ['why', '--state', state]);
  const from = `from 127\\.0\\.0\\.1 on port ${port} wanted to sign in to the page, but`;
  assert.match(
    stdout,
    new RegExp(`somebody, user jane, ${from} gave a wrong password for user "jane" \\(2 times since .+\\)\n +-> if it was you`),
  );
  assert.match(
    stdout,
    new RegExp(`somebody, user root, ${from} user "root" has no account here\n +-> if it was you, look at the user name`),
  );
  assert.doesNotMatch(stdout, /tr0ub4dor/);
  await signIn(login);
  assert.equal(await refusals(), 1);
  const after = await runMidge(folder, ['why', 'jane', '--state', state]);
  assert.match(after.stdout, /-> this user signed in from there at \S+: nothing to do\n$/);
});

test('listener of the API speaks no MQTT, and lets go of who says nothing it understands', async (context) => {
  const { start } = await openBox(context);
  const { port } = await start();
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(Buffer.from('101000044d5154540502003c000000', 'hex'));
  socket.resume();
  await once(socket, 'close');
});

test('broker serves clients although the roles are damaged, and then nobody gets into the API', async (context) => {
  const { state, start } = await openBox(context);
  mkdirSync(state, { mode: 0o700 });
  writeFileSync(join(state, 'api-roles'), 'king:jane\n');
  writeFileSync(join(state, '.midge-state'), '');
  const { broker, port } = await start();
  await broker.line(/Warning: Cannot read roles .+ The REST interface will not work\.$/);
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const tls = secure({ socket, rejectUnauthorized: false });
  tls.on('error', () => {});
  tls.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n');
  let answer = '';
  tls.on('data', (chunk) => {
    answer += chunk;
  });
  await once(socket, 'close');
  assert.equal(answer, '');
});

test('owner of a box whose ACL file is empty may use all topics, and others stay without rules', async (context) => {
  const { folder, state, start, ask } = await openBox(context, `acl_file ${join(temporaryFolder(context), 'acl')}`);
  const [, acl = ''] = /acl_file (.+)/.exec(readFileSync(join(folder, 'midge.conf'), 'utf8')) ?? [];
  writeFileSync(acl, '# nobody yet\n', { mode: 0o600 });
  const { port } = await start();
  const code = await setupCode(folder, state);
  const claimed = await ask(port, '/api/v1/claim', { method: 'POST', body: { username: 'jane', password: 'correct horse', code } });
  const headers = await headersOf(claimed);
  assert.equal(readFileSync(acl, 'utf8'), '# nobody yet\n\nuser jane\ntopic readwrite #\ntopic read $SYS/#\n');
  await ask(port, '/api/v1/users', { method: 'POST', headers, body: { username: 'tom', password: 'correct horse' } });
  const may = async (username: string, action: string, topic: string) => {
    const query = new URLSearchParams({ username, action, topic });
    return JSON.parse((await ask(port, `/api/v1/rules/simulation?${query}`, { headers })).text).allowed;
  };
  assert.deepEqual(
    [
      await may('jane', 'publish', 'home/door'),
      await may('jane', 'receive', '$SYS/broker/uptime'),
      await may('tom', 'publish', 'home/door'),
    ],
    [true, true, false],
  );
});

test('backup is downloaded, and restored over REST: what it would replace is said first, and the broker begins anew with it', async (context) => {
  const { folder, state, start, ask } = await openBox(context, 'persistence true');
  const { broker, port } = await start();
  const code = await setupCode(folder, state);
  const claimed = await ask(port, '/api/v1/claim', { method: 'POST', body: { username: 'jane', password: 'correct horse', code } });
  const headers = await headersOf(claimed);
  await ask(port, '/api/v1/tokens', { method: 'POST', headers, body: { name: 'old', right: 'admin' } });
  const [, token = ''] =
    /"token":"([^"]+)"/.exec(
      (await ask(port, '/api/v1/tokens', { method: 'POST', headers, body: { name: 'kept', right: 'admin' } })).text,
    ) ?? [];
  const bearer = { authorization: `Bearer ${token}` };
  await ask(port, '/api/v1/messages', { method: 'POST', headers, body: { topic: 'a', payload: 'then', retain: true } });
  const backup = await ask(port, '/api/v1/backup', { headers: bearer });
  assert.deepEqual([backup.status, backup.headers['content-type']], [200, 'application/gzip']);
  assert.deepEqual([backup.bytes[0], backup.bytes[1]], [0x1f, 0x8b]);
  assert.equal((await ask(port, '/api/v1/backup', { method: 'HEAD', headers: bearer })).status, 200);
  assert.deepEqual(
    readdirSync(state).filter((name) => name.includes('backup-')),
    [],
    'the copy of the database is gone',
  );
  await ask(port, '/api/v1/messages', { method: 'POST', headers, body: { topic: 'a', payload: 'now', retain: true } });
  await ask(port, '/api/v1/tokens/old', { method: 'DELETE', headers });
  const upload = (bytes: Buffer) =>
    ask(port, '/api/v1/restores', { method: 'POST', headers: { ...headers, 'content-type': 'application/gzip' }, bytes });
  const damaged = await upload(backup.bytes.subarray(0, 900));
  assert.equal(damaged.status, 409, damaged.text);
  assert.equal(existsSync(join(state, 'restore-upload')), false);
  const prepared = await upload(backup.bytes);
  assert.equal(prepared.status, 200, prepared.text);
  const plan = JSON.parse(prepared.text);
  assert.deepEqual(plan.writes, [state]);
  assert.deepEqual(plan.stays, [
    { path: join(folder, 'passwd'), holds: 'accounts' },
    { path: join(folder, 'midge.conf'), holds: 'settings' },
  ]);
  assert.ok(plan.revivals.includes('token "old" of the REST interface comes back'), prepared.text);
  const retained = () => ask(port, '/api/v1/retained-message?topic=a', { headers: bearer });
  assert.match((await retained()).text, /"now"/, 'nothing is changed so far');
  assert.equal((await ask(port, '/api/v1/restores/other/confirmation', { method: 'POST', headers, body: {} })).status, 404);
  const before = broker.lines.length;
  const restored = await ask(port, `/api/v1/restores/${plan.id}/confirmation`, { method: 'POST', headers, body: {} });
  assert.deepEqual([restored.status, JSON.parse(restored.text)], [200, { restarts: true }]);
  await broker.line(/^Restored a backup of /, before);
  await broker.line(/ running$/, before);
  assert.match((await retained()).text, /"then"/);
  const tokens = JSON.parse((await ask(port, '/api/v1/tokens', { headers: bearer })).text);
  assert.deepEqual(
    tokens.map(({ name }: { name: string }) => name),
    ['old', 'kept'],
  );
  assert.equal(existsSync(join(state, 'restore-upload')), false);
  const changes = JSON.parse((await ask(port, '/api/v1/changes', { headers: bearer })).text);
  assert.deepEqual(
    changes.map(({ what }: { what: string }) => what.replace(/ \(.*/s, '')).slice(0, 2),
    ['restore', 'remove token'],
    'they outlive the restore',
  );
  await broker.end();
});

test('broker restarts over REST with what waited for the next start, but not with mistakes or while a change is on trial', async (context) => {
  const { folder, start, ask, claim } = await openBox(context, 'persistence true');
  const { broker, port } = await start();
  const headers = await claim({ username: 'jane', password: 'correct horse' });
  const post = (path: string, body: object = {}) => ask(port, `/api/v1/${path}`, { method: 'POST', headers, body });
  const status = async () => JSON.parse((await ask(port, '/api/v1/status', { headers })).text);
  await post('messages', { topic: 'a', payload: 'kept', retain: true });
  const file = join(folder, 'midge.conf');
  const text = readFileSync(file, 'utf8');

  writeFileSync(file, `listener many\n${text}`);
  const refused = await post('restart');
  assert.deepEqual(
    [refused.status, /would not come back with these mistakes:.*midge.conf:1:10: error: /.test(refused.text)],
    [409, true],
    refused.text,
  );

  writeFileSync(file, text);
  const { revision } = JSON.parse((await ask(port, '/api/v1/configuration', { headers })).text);
  const changed = `max_keepalive 600\nmdns_name porch\n${text}`;
  const tried = JSON.parse((await ask(port, '/api/v1/configuration', { method: 'PUT', headers, body: { text: changed, revision } })).text);
  assert.deepEqual(tried.later, ['mdns_name']);
  assert.equal((await post('restart')).status, 409);
  await post('configuration/confirmation', { confirm: tried.confirm });
  assert.deepEqual((await status()).reload.later, ['mdns_name']);

  const [before, pid] = [broker.lines.length, (await status()).pid];
  const restarted = await post('restart');
  assert.deepEqual([restarted.status, JSON.parse(restarted.text)], [200, { restarts: true }], restarted.text);
  await broker.line(/ running$/, before);
  assert.equal((await ask(port, '/api/v1/session', { headers })).status, 401);
  const again = await ask(port, '/api/v1/session', { method: 'POST', body: { username: 'jane', password: 'correct horse' } });
  const now = JSON.parse((await ask(port, '/api/v1/status', { headers: await headersOf(again) })).text);
  assert.deepEqual([now.pid, now.reload], [pid, null]);
  const retained = await ask(port, '/api/v1/retained-message?topic=a', { headers: await headersOf(again) });
  assert.match(retained.text, /"kept"/);
  const changes = JSON.parse((await ask(port, '/api/v1/changes?limit=2', { headers: await headersOf(again) })).text);
  assert.deepEqual(
    changes.map(({ who, what }: { who: string; what: string }) => [who, what]),
    [
      ['"jane" from 127.0.0.1 over REST', 'restart'],
      ['"jane" from 127.0.0.1 over REST', 'confirm configuration'],
    ],
    'they outlive the restart',
  );
  await broker.end();
});

const ROOT_ONLY = process.getuid?.() === 0 ? false : 'only root can give up root';

test('broker that has given up root restores a backup where it needs root for nothing, and says it before where it does', {
  skip: ROOT_ONLY,
}, async (context) => {
  const pidFolder = temporaryFolder(context);
  const login = { username: 'jane', password: 'correct horse' };
  const open = async (...more: readonly string[]) => {
    const box = await openBox(context, 'persistence true', 'user nobody', ...more);
    for (const path of [box.folder, join(box.folder, 'passwd')]) chownSync(path, 65534, 65534);
    const { broker, port } = await box.start();
    await broker.line(/Running as user nobody\.$/);
    return { ...box, broker, port, headers: await box.claim(login) };
  };
  const free = await open();
  const possible = JSON.parse((await free.ask(free.port, '/api/v1/restores', { headers: free.headers })).text);
  assert.equal(possible.obstacle, null);
  const { bytes } = await free.ask(free.port, '/api/v1/backup', { headers: free.headers });
  const headers = { ...free.headers, 'content-type': 'application/gzip' };
  const { id } = JSON.parse((await free.ask(free.port, '/api/v1/restores', { method: 'POST', headers, bytes })).text);
  const before = free.broker.lines.length;
  await free.ask(free.port, `/api/v1/restores/${id}/confirmation`, { method: 'POST', headers: free.headers, body: {} });
  await free.broker.line(/^Restored a backup of /, before);
  await free.broker.line(/ running$/, before);
  await free.broker.end();

  const bound = await open(`pid_file ${join(pidFolder, 'midge.pid')}`);
  const answer = JSON.parse((await bound.ask(bound.port, '/api/v1/restores', { headers: bound.headers })).text);
  assert.match(answer.obstacle, /given up root, and without it could not write ".+" again \(permission denied\)/);
  assert.equal(answer.command, `sudo midge restore -c ${join(bound.folder, 'midge.conf')} --state ${bound.state} midge-backup.tar.gz`);
  await bound.broker.end();
});
