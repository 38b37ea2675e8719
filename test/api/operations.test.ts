// Every operation over HTTP: it has a place, and it is answered to who may ask, and to nobody else. Whatever is sent, the fault is never ours.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import fc from 'fast-check';
import type { Context } from 'hono';
import { z } from 'zod';
import { readBody } from '../../src/api/input.ts';
import { Roles } from '../../src/api/roles.ts';
import { fieldsInPath, hasBody, type OfferedOperation, offeredOperations, ROUTES } from '../../src/api/routes.ts';
import { TokenFile } from '../../src/api/tokens.ts';
import { operationNeeds } from '../../src/app/operation-needs.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { ConfigurationTrial } from '../../src/operations/configuration-trial.ts';
import { jsonSchemaOf } from '../../src/operations/json-schema.ts';
import { download } from '../../src/operations/operation.ts';
import { OPERATIONS, Operations } from '../../src/operations/operations.ts';
import { PreparedRestore } from '../../src/operations/prepared-restore.ts';
import { RIGHTS } from '../../src/operations/right.ts';
import { PhoneBook } from '../../src/phones/phone-book.ts';
import { Whereabouts } from '../../src/phones/whereabouts.ts';
import { History } from '../../src/telemetry/history/history.ts';
import { openAppliance } from '../app/test-appliance.ts';
import { configurationOf } from '../app/test-configuration.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { arbitraryOf } from './arbitrary-input.ts';
import { type Answer, openApi, TABLE } from './open-api.ts';

const OFFERED = offeredOperations(OPERATIONS);
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** An API on a real broker with accounts, rules and dynamic security: what it takes is carried out. */
async function openReal(context: TestContext, more: readonly string[] = []) {
  const folder = temporaryFolder(context);
  const at = (name: string) => join(folder, name);
  writeFileSync(at('passwd'), `jane:${HASH}\n`, { mode: 0o600 });
  writeFileSync(at('acl'), 'user jane\ntopic readwrite #\n', { mode: 0o600 });
  const lines = [`listener 0 ${at('broker.sock')}`, 'allow_anonymous true', `password_file ${at('passwd')}`, `acl_file ${at('acl')}`];
  const configuration = configurationOf(folder, [...lines, `dynamic_security_file ${at('dynamic.json')}`, ...more, ''].join('\n'));
  const { appliance } = await openAppliance(context, folder, { configuration });
  const reload = { at: 0, by: 'command', error: null, mistakes: [], later: [] } as const;
  const reloads = { last: null, changedFiles: () => [], reload: async () => reload };
  const tokens = new TokenFile(join(folder, 'tokens'), Date.now);
  const history = new History({ broker: appliance.broker, traffic: appliance.traffic, machine: () => null }, systemClock);
  const program = { title: 'midge version 1.2.3', buildDate: 0, since: 0 };
  const operations = new Operations(() =>
    operationNeeds(appliance, {
      reloads: reloads as never,
      program,
      setupCode: null,
      phones: { book: new PhoneBook(null, Date.now), seen: () => ({ address: null, signedIn: null }) },
      locations: { live: new Whereabouts(), log: appliance.store?.locations ?? null, keep: 'all', days: 90, isKept: () => true },
      tokens,
      roles: new Roles(null),
      trial: new ConfigurationTrial(silentLogger),
      history,
      brought: new PreparedRestore({ path: join(folder, 'upload'), restartFault: async () => null, restart: () => {} }),
      restart: { fault: async () => null, begin: () => {} },
      lastLines: () => [],
      changes: () => [],
    }),
  );
  return openApi(context, { table: OPERATIONS, operations });
}

/** A listener for which the broker has an authority of its own. */
const WITH_TLS = ['listener 0 127.0.0.1', 'secure true'];

/** Of a password that nobody knows. */
const HASH = '$7$101$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==';

function pathOf({ route }: OfferedOperation, value = 'nobody'): string {
  return `/api/v1${route.path.replaceAll(/\{\w+\}/g, encodeURIComponent(value))}`;
}

function isProblem({ status, headers, json }: Answer): boolean {
  return headers['content-type'] === 'application/problem+json' && json?.status === status && json.title !== '' && json.detail !== '';
}

/** Queries whose input has no room in an address: they have a body. */
const LONG_QUERIES = new Set(['check configuration', 'check invitation', 'edit configuration']);

test('each operation has a route of its own, or the reason why it has none', () => {
  assert.deepEqual(Object.keys(ROUTES).sort(), OPERATIONS.map(({ name }) => name).sort());
  const places = OFFERED.map(({ route }) => `${route.method} ${route.path.replaceAll(/\{\w+\}/g, '{}')}`);
  assert.equal(new Set(places).size, places.length, 'two operations have one place');
  for (const { operation, route } of OFFERED) {
    const isQuery = operation.kind === 'query' && !LONG_QUERIES.has(operation.name);
    assert.equal(route.method === 'GET', isQuery, `${operation.name}: a query is a GET, and nothing else is`);
    const { properties = {} } = jsonSchemaOf(operation.input, 'input') as { properties?: object };
    for (const field of fieldsInPath(route)) assert.ok(field in properties, `${operation.name} has no field ${field}`);
    assert.match(route.path, /^(\/([a-z]+(-[a-z]+)*|\{\w+\}))+$/);
  }
});

test('OpenAPI document is valid, and has every operation', async (context) => {
  const api = await openApi(context, { table: OPERATIONS });
  const { json: document } = await api.ask('/api/v1/openapi.json');
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors, null, 1));
  assert.equal(document.openapi, '3.1.0');
  for (const each of OFFERED) {
    const row = document.paths[`/api/v1${each.route.path}`][each.route.method.toLowerCase()];
    assert.equal(row.summary, each.operation.summary);
  }
  const ids = Object.values<Record<string, { operationId?: string }>>(document.paths).flatMap((path) =>
    Object.values(path).flatMap(({ operationId }) => operationId ?? []),
  );
  assert.equal(new Set(ids).size, OFFERED.length);
});

for (const each of OFFERED) {
  const { operation, route } = each;
  test(`${route.method} ${route.path} is for those with the right to ${operation.right}`, async (context) => {
    const api = await openApi(context, { table: OPERATIONS });
    const ask = (more: object) => api.ask(pathOf(each), { method: route.method, ...more });
    const signedOut = await ask({});
    assert.equal(signedOut.status, 401);
    assert.ok(isProblem(signedOut));
    assert.equal(signedOut.headers['www-authenticate'], 'Bearer');
    assert.equal((await ask({ headers: { authorization: 'Bearer wrong' } })).status, 401);
    assert.equal(api.signedIn.count, 0);
    for (const right of RIGHTS.slice(0, RIGHTS.indexOf(operation.right)))
      assert.equal((await ask({ token: right })).status, 403, `with the right to ${right}`);
  });

  test(`${route.method} ${route.path} names the field that is wrong`, async (context) => {
    const api = await openReal(context);
    const { upload } = operation;
    const hasJson = hasBody(route) && upload === undefined;
    const wrong = hasJson ? { body: { colour: 'red' } } : upload === undefined ? {} : { raw: 'x', headers: { 'content-type': upload[0]! } };
    const path = hasJson ? pathOf(each) : `${pathOf(each)}?colour=red`;
    const answer = await api.ask(path, { method: route.method, token: operation.right, ...wrong });
    assert.equal(answer.status, 422);
    assert.ok(isProblem(answer));
    assert.ok(answer.json.errors.some(({ field }: { field: string }) => field === 'colour'));
  });

  test(`${route.method} ${route.path} is answered without a fault of ours, whatever is sent`, { timeout: 120_000 }, async (context) => {
    const api = await openReal(context, /certificate|authority/.test(operation.name) ? WITH_TLS : []);
    const schema = jsonSchemaOf(operation.input, 'input');
    const inputs = fc.oneof({ arbitrary: arbitraryOf(schema), weight: 3 }, { arbitrary: fc.jsonValue(), weight: 1 });
    const token = operation.right;
    await fc.assert(
      fc.asyncProperty(inputs, fc.string({ minLength: 1, unit: 'grapheme' }), async (input, name) => {
        const path = pathOf(each, name === '.' || name === '..' ? 'x' : name);
        const file =
          operation.upload === undefined ? null : { raw: JSON.stringify(input), headers: { 'content-type': operation.upload[0]! } };
        const answer = hasBody(route)
          ? file !== null
            ? await api.ask(path, { method: route.method, token, ...file })
            : await api.ask(path, { method: route.method, token, body: input })
          : await api.ask(`${path}?${queryOf(input)}`, { method: route.method, token });
        assert.ok(answer.status < 500, `${answer.status} ${answer.text}`);
        if (answer.status === 200 && operation.output) assert.notEqual(answer.json, undefined);
        if (answer.status >= 400) assert.ok(isProblem(answer), answer.text);
      }),
      { numRuns: 40 },
    );
    assert.deepEqual(api.log.lines, []);
  });
}

/** What each operation needs that changes something of which somebody may have seen another state. */
const REVISED: Readonly<Record<string, { readonly path?: string; readonly body: object }>> = {
  'apply configuration': { body: { text: 'allow_anonymous true\n' } },
  'change service': { body: { port: 1884 } },
  'change location settings': { body: { days: 30 } },
  'change rules': { body: { username: 'jane', add: [{ kind: 'topic', access: 'read', filter: 'home/#' }] } },
  'change dynamic client': { path: 'admin', body: { disabled: true } },
  'change dynamic group': { path: 'unauthenticated', body: { text: 'Guests' } },
  'change dynamic role': { path: 'client', body: { text: 'Clients' } },
  'change dynamic defaults': { body: { defaults: { subscribe: true } } },
};

/** Where the revision of each is told. */
const TOLD_BY: Readonly<Record<string, string>> = {
  'apply configuration': '/configuration',
  'change service': '/service',
  'change location settings': '/location-settings',
  'change rules': '/rules?username=jane',
};

const REVISABLE = OFFERED.filter(({ operation }) => 'revision' in ((jsonSchemaOf(operation.input, 'input')['properties'] as object) ?? {}));

test('each operation that takes a revision has one to try below', () => {
  assert.deepEqual(REVISABLE.map(({ operation }) => operation.name).sort(), Object.keys(REVISED).sort());
});

for (const each of REVISABLE) {
  const { name } = each.operation;
  test(`${each.route.method} ${each.route.path} is refused with a stale ETag, and carried out with that of the last answer`, async (context) => {
    const api = await openReal(context);
    const { path, body } = REVISED[name]!;
    const change = (tag: string) =>
      api.ask(pathOf(each, path), { method: each.route.method, token: 'admin', body, headers: { 'if-match': tag } });
    const seen = await api.ask(`/api/v1${TOLD_BY[name] ?? '/dynamic-security'}`, { token: 'admin' });
    assert.match(String(seen.headers['etag']), /^"[^"]+"$/);
    const stale = await change('"another"');
    assert.equal(stale.status, 412, stale.text);
    assert.ok(isProblem(stale));
    const done = await change(String(seen.headers['etag']));
    assert.equal(done.status, 200, done.text);
  });
}

/** A role may be given before there is an account, and what is known of a phone that nobody knows is nothing. */
const NEEDS_NOTHING = ['location history', 'phone places', 'set role'];

/** What each other operation needs whose path names something. */
const NAMED: Readonly<Record<string, object | undefined>> = {
  client: undefined,
  'kick client': {},
  'forget session': undefined,
  'change password': { password: 'a long password' },
  'lock user': { locked: true },
  'remove user': undefined,
  'change dynamic client': { disabled: true },
  'remove dynamic client': undefined,
  'change dynamic group': { text: 'x' },
  'remove dynamic group': undefined,
  'change dynamic role': { text: 'x' },
  'remove dynamic role': undefined,
  'new phone link': {},
  'change phone groups': { groups: [] },
  'change phone card': { name: 'Jane' },
  'send phone places': {},
  'remove phone': undefined,
  'remove token': undefined,
  'test bridge': {},
  'change bridge': { password: 'secret' },
  'remove bridge': undefined,
  'revoke client certificate': undefined,
  restore: {},
  'discard restore': undefined,
  'forget broker': undefined,
};

test('something of a name that is not there is not found, whatever is to be done with it', async (context) => {
  const api = await openReal(context, WITH_TLS);
  for (const each of OFFERED.filter(({ operation }) => operation.name in NAMED)) {
    for (const name of ['nobody', '__proto__', 'constructor', '../../../etc/passwd']) {
      const body = NAMED[each.operation.name];
      const answer = await api.ask(pathOf(each, name), {
        method: each.route.method,
        token: 'admin',
        ...(body === undefined ? {} : { body }),
      });
      assert.equal(answer.status, 404, `${each.operation.name} of ${name}: ${answer.text}`);
      assert.ok(isProblem(answer));
    }
  }
  const names = OFFERED.filter(({ route }) => fieldsInPath(route).length > 0).map(({ operation }) => operation.name);
  assert.deepEqual(names.sort(), [...Object.keys(NAMED), ...NEEDS_NOTHING].sort());
});

function queryOf(input: unknown): string {
  if (typeof input !== 'object' || input === null) return encodeURIComponent(JSON.stringify(input));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input)) query.append(name, typeof value === 'string' ? value : JSON.stringify(value));
  return query.toString();
}

test('another method than that of the operation is refused, with those that are right', async (context) => {
  const api = await openApi(context, { table: OPERATIONS });
  for (const path of new Set(OFFERED.map((each) => pathOf(each)))) {
    const allowed = OFFERED.filter((each) => pathOf(each) === path).map(({ route }) => route.method as string);
    for (const method of METHODS.filter((each) => !allowed.includes(each))) {
      const answer = await api.ask(path, { method, token: 'admin' });
      assert.equal(answer.status, 405, `${method} ${path}`);
      assert.ok(isProblem(answer));
      assert.deepEqual(
        String(answer.headers['allow'])
          .split(', ')
          .filter((each) => each !== 'HEAD'),
        allowed,
      );
    }
  }
});

test('answer is that of the operation, and says its revision as ETag', async (context) => {
  const api = await openApi(context, { table: TABLE });
  assert.deepEqual((await api.ask('/api/v1/why?about=jane', { token: 'viewer' })).json, { about: 'jane' });
  const changed = await api.ask('/api/v1/reload', { method: 'POST', token: 'admin', headers: { 'if-match': '"r7"' } });
  assert.equal(changed.status, 200);
  assert.equal(changed.headers['etag'], '"r7"');
});

for (const [what, ask, status] of [
  ['a stale ETag', { headers: { 'if-match': '"r6"' } }, 412],
  ['a weak ETag, which never matches', { headers: { 'if-match': 'W/"r7"' } }, 412],
  ['several ETags', { headers: { 'if-match': '"r7", "r8"' } }, 412],
  ['something that is in the way, whatever ETag it brings', { headers: { 'if-match': '"r7"' }, body: { file: 'taken' } }, 409],
  ['something that is not there', { body: { file: 'gone' } }, 404],
  ['no JSON', { raw: '{' }, 400],
  ['bytes that are no text', { raw: '{"file": "\udfff' }, 400],
  ['another type of body', { raw: 'file=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415],
  ['a body that is no object', { body: [1] }, 422],
  ['a field of another type', { body: { file: 7 } }, 422],
  ['a field of 250,000 lists in each other', { raw: `{"file":${'['.repeat(250_000)}${']'.repeat(250_000)}}` }, 422],
  ['a key that every object has', { raw: '{"__proto__":{"file":"gone"},"constructor":{}}' }, 422],
  ['a body of more than a megabyte', { body: { file: 'x'.repeat(1_048_577) } }, 413],
  ['a mistake of ours', { body: { file: 'broken' } }, 500],
] as const) {
  test(`problem is told with status ${status} when a request has ${what}`, async (context) => {
    const api = await openApi(context, { table: TABLE });
    const answer = await api.ask('/api/v1/reload', { method: 'POST', token: 'admin', ...ask });
    assert.equal(answer.status, status, answer.text);
    assert.ok(isProblem(answer));
    assert.doesNotMatch(answer.text, /secret detail/);
    assert.equal(
      api.log.lines.some((line) => line.includes('secret detail')),
      status === 500,
    );
  });
}

test('any ETag will do where any is asked for, and what has none is not changed on the condition of one', async (context) => {
  const api = await openReal(context);
  const add = (tag: string) =>
    api.ask('/api/v1/users', {
      method: 'POST',
      token: 'admin',
      headers: { 'if-match': tag },
      body: { username: 'tom', password: 'a password' },
    });
  const refused = await add('"r7"');
  assert.equal(refused.status, 412, refused.text);
  assert.ok(isProblem(refused));
  assert.equal((await add('*')).status, 200);
});

test('body that comes too slowly is not taken for a whole one', async () => {
  const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(Buffer.from('{"file": null}')) });
  const context = { req: { header: () => undefined, raw: { body } } } as unknown as Context; // no more of it is looked at
  await assert.rejects(readBody(context, 100, 1), { status: 408 });
});

test('file is answered as it is, under a name that no header breaks', async (context) => {
  const chunks = async function* () {
    yield Buffer.from([1, 2]);
    yield Buffer.from([3]);
  };
  const row = download(
    {
      name: 'reload',
      kind: 'command',
      right: 'admin',
      summary: 'A file.',
      input: z.strictObject({}),
      download: ['application/x-tar'],
      run: () => ({ mediaType: 'application/x-tar', fileName: 'a "b"\r\n.tar', chunks: chunks() }),
    },
    z.undefined(),
  );
  const api = await openApi(context, { table: [row] });
  const answer = await api.ask('/api/v1/reload', { method: 'POST', token: 'admin' });
  assert.deepEqual([answer.status, answer.text], [200, '\u0001\u0002\u0003']);
  assert.equal(answer.headers['content-disposition'], 'attachment; filename="a__b___.tar"');
  assert.equal(answer.headers['content-type'], 'application/x-tar');
  const document = JSON.stringify((await api.ask('/api/v1/openapi.json')).json);
  assert.ok((await new Validator().validate(JSON.parse(document))).valid);
});

test('each answer has the security headers, a problem too', async (context) => {
  const api = await openApi(context, { table: TABLE });
  for (const path of ['/health', '/nothing', '/api/v1/status', '/api/v1/openapi.json', '/metrics']) {
    for (const headers of [{}, { host: 'evil.example' }]) {
      const answer = await api.ask(path, { headers });
      assert.equal(answer.headers['x-content-type-options'], 'nosniff', path);
      assert.equal(answer.headers['cache-control'], answer.headers['etag'] === undefined ? 'no-store' : 'no-cache', path);
      assert.match(String(answer.headers['content-security-policy']), /default-src 'none'/);
      assert.equal(answer.headers['access-control-allow-origin'], undefined);
      assert.equal(answer.headers['x-powered-by'], undefined);
    }
  }
});
