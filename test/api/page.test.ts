// The page for browsers as files: what is told about them, in which coding they go, and who gets a 304.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { PageFiles } from '../../src/api/ports.ts';
import { openApi } from './open-api.ts';

const FILES: ReadonlyMap<string, string> = new Map([
  ['index.html', '<!doctype html>'],
  ['assets/index-abcdefgh.js', 'export {};'],
  ['assets/index-abcdefgh.css', 'html {}'],
]);

const PAGE: PageFiles = {
  names: new Set(FILES.keys()),
  read: (name) => new Uint8Array(gzipSync(FILES.get(name) ?? '')),
};

test('page is there for everybody, under a policy that allows this box only', async (context) => {
  const { ask } = await openApi(context, { page: PAGE });
  const answer = await ask('/');
  assert.equal(answer.status, 200);
  assert.equal(answer.text, '<!doctype html>');
  assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(answer.headers['cache-control'], 'no-cache');
  const policy = String(answer.headers['content-security-policy']);
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
  assert.doesNotMatch(policy, /unsafe|http|\*/);
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
});

test('page keeps the files whose names say what they hold for a year', async (context) => {
  const { ask } = await openApi(context, { page: PAGE });
  const { headers } = await ask('/assets/index-abcdefgh.js');
  assert.equal(headers['content-type'], 'text/javascript; charset=utf-8');
  assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal((await ask('/assets/index-abcdefgh.css')).headers['content-type'], 'text/css; charset=utf-8');
});

for (const [header, coding] of [
  ['gzip, deflate, br', 'gzip'],
  ['br;q=1, *;q=0.1', 'gzip'],
  ['gzip;q=0', undefined],
  ['gzip;q=0.0', undefined],
  ['br', undefined],
  ['', undefined],
] as const) {
  test(`page goes ${coding ?? 'plain'} to "accept-encoding: ${header}" [RFC 9110 12.5.3]`, async (context) => {
    const { ask } = await openApi(context, { page: PAGE });
    const answer = await ask('/', { headers: { 'accept-encoding': header } });
    assert.equal(answer.headers['content-encoding'], coding);
    assert.equal(answer.headers['vary'], 'Accept-Encoding');
    if (coding === undefined) assert.equal(answer.text, '<!doctype html>');
  });
}

test('page is not sent again to who has it [RFC 9110 13.1.2]', async (context) => {
  const { ask } = await openApi(context, { page: PAGE });
  const etag = String((await ask('/')).headers['etag']);
  assert.match(etag, /^"[\w-]{22}"$/);
  for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const answer = await ask('/', { headers: { 'if-none-match': tags } });
    assert.deepEqual([answer.status, answer.text, answer.headers['etag']], [304, '', etag]);
  }
  assert.equal((await ask('/', { headers: { 'if-none-match': '"other"' } })).status, 200);
});

test('page has no other files than its own', async (context) => {
  const { ask } = await openApi(context, { page: PAGE });
  for (const path of ['/assets/', '/assets/../index.html.gz', '/assets/%2e%2e/%2e%2e/package.json', '/index.html', '/package.json']) {
    assert.equal((await ask(path)).status, 404, path);
  }
  assert.equal((await ask('/', { method: 'POST' })).status, 405);
});

test('page says how it is built when it is not there', async (context) => {
  const { ask } = await openApi(context);
  const answer = await ask('/');
  assert.equal(answer.status, 404);
  assert.match(answer.json.detail, /build\/web\.ts/);
});
