// Who gets in, how long, and from where: sessions of browsers, Bearer tokens, the claim of a new box, and the names under which we answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { Roles } from '../../src/api/roles.ts';
import { type Asker, type Operation, operation } from '../../src/operations/operation.ts';
import { CODE, type OpenApi, openApi, PASSWORD, signIn, TABLE } from './open-api.ts';

const MINUTE = 60_000;
const LOGIN = { method: 'POST', body: { username: 'jane', password: PASSWORD } };

test('session begins with the password, and ends with a sign-out', async (context) => {
  const api = await openApi(context, { table: TABLE });
  const answer = await api.ask('/api/v1/session', LOGIN);
  assert.equal(answer.status, 200);
  assert.equal(answer.json.role, 'admin');
  assert.match(String(answer.headers['set-cookie']), /^midge-local=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  const headers = await signIn(api);
  assert.equal((await api.ask('/api/v1/status', { headers })).status, 200);
  assert.equal((await api.ask('/api/v1/session', { headers })).json.username, 'jane');
  assert.equal((await api.ask('/api/v1/session', { method: 'DELETE', headers })).status, 204);
  assert.equal((await api.ask('/api/v1/status', { headers })).status, 401);
  assert.ok(api.log.lines.every((line) => !line.includes(PASSWORD)));
});

test('cookie is one of HTTPS only when the connection has TLS', async (context) => {
  const api = await openApi(context, { table: TABLE, guest: { hasTls: true } });
  const { headers } = await api.ask('/api/v1/session', LOGIN);
  assert.match(String(headers['set-cookie']), /^__Host-midge=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
});

for (const [what, body, status] of [
  ['a wrong password', { username: 'jane', password: 'wrong' }, 401],
  ['an unknown user', { username: 'nobody', password: PASSWORD }, 401],
  ['an account without a role', { username: 'tom', password: PASSWORD }, 401],
  ['no password', { username: 'jane' }, 422],
  ['a password that is too long', { username: 'jane', password: 'x'.repeat(20_000) }, 413],
] as const) {
  test(`session is refused to ${what}`, async (context) => {
    const api = await openApi(context, { table: TABLE });
    const answer = await api.ask('/api/v1/session', { method: 'POST', body });
    assert.equal(answer.status, status);
    assert.equal(answer.headers['set-cookie'], undefined);
    assert.equal(api.signedIn.count, 0);
    if (status === 401) assert.match(answer.json.detail, /^The user name or the password is wrong, or the account has no role here$/);
  });
}

test('sign-in is told of when it is refused, with what was wrong, and when it succeeds', async (context) => {
  const api = await openApi(context, { table: TABLE });
  for (const body of [
    { username: 'jane', password: 'wrong' },
    { username: 'nobody', password: PASSWORD },
    { username: 'tom', password: PASSWORD },
    { username: 'jane' },
  ])
    await api.ask('/api/v1/session', { method: 'POST', body });
  await signIn(api);
  const from = 'from 192.0.2.7 at 8443';
  assert.deepEqual(api.signIns, [
    `jane ${from}: wrong password`,
    `nobody ${from}: wrong password`,
    `tom ${from}: no role`,
    `jane ${from}: signed in`,
  ]);
});

test('sign-in that is held is told of as such', async (context) => {
  const api = await openApi(context, { table: TABLE, attempts: { isHeld: () => true, failed: () => {} } });
  await api.ask('/api/v1/session', { method: 'POST', body: { username: 'jane', password: 'wrong' } });
  assert.deepEqual(api.signIns, ['jane from 192.0.2.7 at 8443: held']);
});

for (const [what, times, status] of [
  ['unused for half an hour', [30], 401],
  ['used now and then', [29, 29, 29], 200],
  ['twelve hours old, however much it was used', Array(25).fill(29), 401],
] as const) {
  test(`session answers ${status} when it is ${what}`, async (context) => {
    const api = await openApi(context, { table: TABLE });
    const headers = await signIn(api);
    let last = 0;
    for (const minutes of times) {
      api.clock.now += minutes * MINUTE;
      last = (await api.ask('/api/v1/status', { headers })).status;
    }
    assert.equal(last, status);
  });
}

test('session ends when its account has another password, and when it has lost its role', async (context) => {
  const api = await openApi(context, { table: TABLE });
  const [first, second] = [await signIn(api), await signIn(api)];
  api.passwords.set('jane', 'another');
  assert.equal((await api.ask('/api/v1/status', { headers: first })).status, 401);
  api.passwords.set('jane', PASSWORD);
  assert.equal((await api.ask('/api/v1/status', { headers: second })).status, 200);
  api.roles.set('jane', null);
  assert.equal((await api.ask('/api/v1/status', { headers: second })).status, 401);
});

test('session is one of the listener where it began, whichever it comes by: with per_listener_settings that has the account', async (context) => {
  const seen = operation({
    name: 'users',
    kind: 'query',
    right: 'viewer',
    summary: 'By which listener.',
    input: z.strictObject({}),
    output: z.object({ listener: z.string() }),
    run: (_, __, { listener = '' }) => ({ listener }),
  });
  let listener = '8443';
  const guest = {
    get listener() {
      return listener;
    },
  };
  const api = await openApi(context, { table: [...TABLE, seen], guest });
  const headers = await signIn(api);
  listener = '8444';
  assert.deepEqual((await api.ask('/api/v1/users', { headers })).json, { listener: '8443' });
});

test('oldest session of an account ends when it has too many, and nobody else', async (context) => {
  const api = await openApi(context, { table: TABLE });
  api.roles.set('tom', 'viewer');
  const other = await signIn(api, 'tom');
  const sessions = [];
  for (let count = 0; count < 17; count++) sessions.push(await signIn(api));
  const statuses = [];
  for (const headers of [...sessions, other]) statuses.push((await api.ask('/api/v1/status', { headers })).status);
  assert.deepEqual(statuses, [401, ...Array(17).fill(200)]);
});

test('change by a session needs its CSRF token', async (context) => {
  const api = await openApi(context, { table: TABLE });
  const { cookie = '', ...csrf } = await signIn(api);
  const reload = (headers: Record<string, string>) => api.ask('/api/v1/reload', { method: 'POST', headers: { cookie, ...headers } });
  assert.equal((await reload({})).status, 403);
  assert.equal((await reload({ 'x-csrf-token': 'wrong' })).status, 403);
  assert.equal((await reload(csrf)).status, 200);
});

for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { origin: 'null' }]) {
  test(`sign-in and claim are refused when another page has sent them: ${JSON.stringify(headers)}`, async (context) => {
    const api = await openApi(context, { table: TABLE });
    assert.equal((await api.ask('/api/v1/session', { ...LOGIN, headers })).status, 403);
    assert.equal((await api.ask('/api/v1/claim', { method: 'POST', body: {}, headers })).status, 403);
  });
}

for (const [role, statuses] of [
  ['viewer', [200, 403, 403]],
  ['operator', [200, 200, 403]],
  ['admin', [200, 200, 200]],
] as const) {
  test(`role ${role} has its rights and no more`, async (context) => {
    const api = await openApi(context, { table: TABLE });
    api.roles.set('tom', role);
    const headers = await signIn(api, 'tom');
    const found = [
      await api.ask('/api/v1/status', { headers }),
      await api.ask('/api/v1/throttle', { headers }),
      await api.ask('/api/v1/reload', { method: 'POST', headers }),
    ];
    assert.deepEqual(
      found.map(({ status }) => status),
      statuses,
    );
  });
}

test('wrong tokens are counted, and then refused unseen; a right one counts all the same', async (context) => {
  const api = await openApi(context, { table: TABLE });
  for (let count = 0; count < 10; count++) assert.equal((await api.ask('/api/v1/status', { headers: bearer('guess') })).status, 401);
  assert.equal((await api.ask('/api/v1/status', { headers: bearer('guess') })).status, 429);
  assert.equal(api.wrong.length, 10);
  assert.equal(
    (await api.ask('/api/v1/status', { headers: bearer('viewer') })).status,
    200,
    'whoever sends wrong ones keeps no others out',
  );
});

test('token that an account has made holds no more than the account at that moment, and is told by its name', async (context) => {
  const asked: string[] = [];
  const seen = operation({
    name: 'users',
    kind: 'query',
    right: 'viewer',
    summary: 'Who asks.',
    input: z.strictObject({}),
    output: z.object({ tokenOf: z.string().nullable() }),
    run: (_, __, { name, tokenOf = null }) => {
      asked.push(name);
      return { tokenOf };
    },
  });
  const tokens = { find: (token: string) => ({ name: 'grafana', right: 'operator', account: token }) as const };
  const api = await openApi(context, { table: [...TABLE, seen], tokens });
  api.roles.set('tom', 'admin');
  const statuses = async () => {
    const found = [];
    for (const [path, method] of [['/status'], ['/throttle'], ['/reload', 'POST']] as const)
      found.push((await api.ask(`/api/v1${path}`, { method: method ?? 'GET', headers: bearer('tom') })).status);
    return found;
  };
  assert.deepEqual(await statuses(), [200, 200, 403], 'its own right');
  api.roles.set('tom', 'viewer');
  assert.deepEqual(await statuses(), [200, 403, 403], 'the role of the account');
  assert.deepEqual((await api.ask('/api/v1/users', { headers: bearer('tom') })).json, { tokenOf: 'tom' });
  assert.deepEqual(asked, ['token "grafana" of "tom" from 192.0.2.7 over REST']);
  api.roles.set('tom', null);
  assert.deepEqual(await statuses(), [401, 401, 401]);
  api.roles.set('tom', 'admin');
  api.passwords.delete('tom');
  assert.deepEqual(await statuses(), [401, 401, 401], 'the account cannot sign in');
  assert.equal(api.wrong.length, 0, 'nobody has guessed');
});

function bearer(token: string) {
  return { authorization: `Bearer ${token}` };
}

const CLAIM = { code: CODE, username: 'anna', password: 'long enough' };

test('unclaimed box lets nobody sign in, until a claim with the set-up code', async (context) => {
  const roles = new Roles(null);
  const api = await openApi(context, { table: TABLE, roles });
  const refused = await api.ask('/api/v1/session', LOGIN);
  assert.equal(refused.status, 403);
  assert.match(refused.json.detail, /claim/);
  const claimed = await api.ask('/api/v1/claim', { method: 'POST', body: { ...CLAIM, code: CODE.replaceAll('-', '').toUpperCase() } });
  assert.equal(claimed.status, 200, claimed.text);
  assert.equal(claimed.json.role, 'admin');
  assert.equal(roles.of('anna'), 'admin');
  assert.equal(api.passwords.get('anna'), CLAIM.password);
  assert.equal((await api.ask('/api/v1/claim', { method: 'POST', body: { ...CLAIM, username: 'eve' } })).status, 409);
  assert.equal(api.passwords.has('eve'), false);
  assert.deepEqual(api.changes, [{ who: '"anna" from 192.0.2.7 over REST', operation: 'claim', about: { username: 'anna' } }]);
});

test('claim of an account that is there needs its password', async (context) => {
  const roles = new Roles(null);
  const api = await openApi(context, { table: TABLE, roles });
  const claim = (password: string) => api.ask('/api/v1/claim', { method: 'POST', body: { ...CLAIM, username: 'jane', password } });
  assert.equal((await claim('another password')).status, 401);
  assert.equal(roles.hasAdmin, false);
  assert.equal((await claim(PASSWORD)).status, 200);
});

test('claim with a wrong code is refused and counted, and then refused unseen; the right one counts all the same', async (context) => {
  const roles = new Roles(null);
  const api = await openApi(context, { table: TABLE, roles });
  const claim = (code: string) => api.ask('/api/v1/claim', { method: 'POST', body: { ...CLAIM, code } });
  for (let count = 0; count < 10; count++) assert.equal((await claim(`${count}`)).status, 403);
  assert.equal((await claim('10')).status, 429);
  assert.equal(roles.hasAdmin, false);
  assert.equal((await claim(CODE)).status, 200, 'whoever sends wrong ones keeps the owner out of nothing');
});

for (const username of ['', 'a:b', 'a\nb', '#a', ' a', 'a ', 'a\u0000']) {
  test(`claim refuses the name ${JSON.stringify(username)}, which a password file can't hold`, async (context) => {
    const api = await openApi(context, { table: TABLE, roles: new Roles(null) });
    const { status, json } = await api.ask('/api/v1/claim', { method: 'POST', body: { ...CLAIM, username } });
    assert.deepEqual([status, json.errors[0].field], [422, 'username']);
  });
}

for (const [host, status] of [
  ['127.0.0.1', 200],
  ['127.0.0.1:8443', 200],
  ['192.168.1.2', 200],
  ['[fd00::2]:8443', 200],
  ['localhost:80', 200],
  ['BOX.local.', 200],
  ['evil.example', 421],
  ['127.0.0.1.evil.example', 421],
  ['box.local.evil.example', 421],
] as const) {
  test(`host "${host}" is answered with ${status}`, async (context) => {
    const api = await openApi(context, { table: TABLE });
    assert.equal((await api.ask('/health', { headers: { host } })).status, status);
  });
}

test('way that others can read along only leads to HTTPS', async (context) => {
  const api = await openApi(context, { table: TABLE, guest: { isPrivate: false } });
  const moved = await api.ask('/api/v1/status?a=b', { token: 'admin', headers: { host: '[fd00::2]:8080' } });
  assert.deepEqual([moved.status, moved.headers['location']], [308, 'https://[fd00::2]:8443/api/v1/status?a=b']);
  const posted = await api.ask('/api/v1/session', LOGIN);
  assert.deepEqual([posted.status, posted.headers['set-cookie']], [403, undefined]);
  assert.equal(api.signedIn.count, 0);
});

test('health is told to anyone, and readiness is that of the broker', async (context) => {
  let isReady = false;
  const api = await openApi(context, { table: TABLE, isReady: () => isReady });
  assert.equal((await api.ask('/health')).status, 200);
  assert.equal((await api.ask('/ready')).status, 503);
  isReady = true;
  assert.equal((await api.ask('/ready')).status, 200);
});

test('welcome tells who has not signed in whether the box is claimed, and who has who he is', async (context) => {
  const fresh = await openApi(context, { table: TABLE, roles: new Roles(null) });
  const { run, ...first } = (await fresh.ask('/api/v1/welcome')).json;
  assert.deepEqual(first, { isClaimed: false, session: null, missing: null });
  const api = await openApi(context, { table: TABLE });
  const { run: another, ...second } = (await api.ask('/api/v1/welcome')).json;
  assert.deepEqual(second, { isClaimed: true, session: null, missing: null });
  assert.equal((await api.ask('/api/v1/welcome')).json.run, another);
  assert.notEqual(run, another, 'each start has its own');
  assert.equal(api.signedIn.count, 0);
  const headers = await signIn(api);
  const { session } = (await api.ask('/api/v1/welcome', { headers })).json;
  assert.deepEqual([session.username, session.role, session.csrfToken], ['jane', 'admin', headers['x-csrf-token']]);
});

test('welcome tells that the box can make no account until it is claimed, and to nobody after it', async (context) => {
  const missing = { configuration: '/etc/midge/midge.conf', passwordFile: '/var/lib/midge/passwd', listener: null, hasAccounts: false };
  const roles = new Roles(null);
  const api = await openApi(context, { table: TABLE, roles, missing });
  assert.deepEqual((await api.ask('/api/v1/welcome')).json.missing, missing);
  roles.set('jane', 'admin');
  assert.equal((await api.ask('/api/v1/welcome')).json.missing, null);
});

/** A table whose change of a password is that of the test's accounts. */
function passwordTable(passwords: () => Map<string, string>, askers: Asker[] = []): readonly Operation[] {
  const changePassword = operation({
    name: 'change password',
    kind: 'command',
    right: 'admin',
    summary: 'A password.',
    input: z.strictObject({ username: z.string(), password: z.string(), listener: z.string() }),
    output: z.object({ username: z.string() }),
    run: (_, { username, password }, asker) => {
      askers.push(asker);
      passwords().set(username, password);
      return { username };
    },
  });
  return [...TABLE, changePassword];
}

test('password of an account without rights is changed by itself, and its other sessions end', async (context) => {
  const roles = new Roles(null);
  roles.set('jane', 'admin');
  roles.set('tom', 'viewer');
  const askers: Asker[] = [];
  const api: OpenApi = await openApi(context, { roles, table: passwordTable(() => api.passwords, askers) });
  const [here, elsewhere] = [await signIn(api, 'tom'), await signIn(api, 'tom')];
  const change = (body: object, headers: Record<string, string>) => api.ask('/api/v1/session/password', { method: 'PUT', headers, body });
  const wrong = await change({ current: 'wrong', password: 'another password' }, here);
  assert.equal(wrong.status, 422);
  assert.equal(wrong.json.errors[0].field, 'current');
  assert.equal((await change({ current: PASSWORD, password: 'short' }, here)).status, 422);
  const { 'x-csrf-token': _, ...without } = here;
  assert.equal((await change({ current: PASSWORD, password: 'another password' }, without)).status, 403);
  assert.equal(api.passwords.get('tom'), PASSWORD);
  const changed = await change({ current: PASSWORD, password: 'another password' }, here);
  assert.deepEqual([changed.status, changed.json.username, changed.json.role], [200, 'tom', 'viewer']);
  assert.equal(api.passwords.get('tom'), 'another password');
  assert.deepEqual(
    askers.map(({ name, isOfPage, address }) => [name, isOfPage, address]),
    [['"tom" from 192.0.2.7 over REST', true, '192.0.2.7']],
  );
  assert.equal((await api.ask('/api/v1/status', { headers: elsewhere })).status, 401);
  const [cookie = ''] = String(changed.headers['set-cookie']).split(';');
  assert.equal((await api.ask('/api/v1/status', { headers: { cookie } })).status, 200);
});

test('password cannot be changed with a token, or by who is not signed in', async (context) => {
  const api: OpenApi = await openApi(context, { table: passwordTable(() => api.passwords) });
  const body = { current: PASSWORD, password: 'another password' };
  assert.equal((await api.ask('/api/v1/session/password', { method: 'PUT', token: 'admin', body })).status, 403);
  assert.equal((await api.ask('/api/v1/session/password', { method: 'PUT', body })).status, 401);
});

test('scripts of another web page may ask with a token where the owner has named it, and no others may', async (context) => {
  const page = 'https://home.example:8123';
  const api = await openApi(context, { originsAt: (listener) => (listener === '8443' ? [page] : []) });
  const preflight = (origin: string) =>
    api.ask('/api/v1/status', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' },
    });
  const allowed = await preflight(page);
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers['access-control-allow-origin'], page);
  assert.match(String(allowed.headers['access-control-allow-headers']), /Authorization/i);
  assert.equal(allowed.headers['access-control-allow-credentials'], undefined, 'cookies are for our page');
  const answer = await api.ask('/api/v1/status', { token: 'viewer', headers: { origin: page } });
  assert.deepEqual([answer.status, answer.headers['access-control-allow-origin']], [200, page]);
  assert.match(String(answer.headers['vary']), /Origin/);
  const problem = await api.ask('/api/v1/status', { headers: { origin: page } });
  assert.deepEqual([problem.status, problem.headers['access-control-allow-origin']], [401, page], 'a script reads why');
  for (const origin of ['https://home.example', 'http://home.example:8123', 'https://evil.example', 'null']) {
    const refused = await preflight(origin);
    assert.equal(refused.status, 405, origin);
    for (const each of [refused, await api.ask('/api/v1/status', { token: 'viewer', headers: { origin } })])
      assert.equal(each.headers['access-control-allow-origin'], undefined, origin);
  }
  const session = await api.ask('/api/v1/session', {
    method: 'POST',
    headers: { origin: page },
    body: { username: 'jane', password: PASSWORD },
  });
  assert.equal(session.status, 403, 'the page of another origin begins no session');
});
