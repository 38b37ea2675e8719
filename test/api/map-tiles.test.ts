// The map in the state folder, as its readers ask for it: whole, and by ranges.

import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { openApi } from './open-api.ts';

const PATH = '/api/v1/map/tiles.pmtiles';
const BYTES = 'PMTiles and so on';

test('map is given to whoever is signed in, whole or by a range [RFC 9110 14]', async (context) => {
  const mapTiles = join(temporaryFolder(context), 'tiles.pmtiles');
  writeFileSync(mapTiles, BYTES);
  const { ask } = await openApi(context, { mapTiles });
  assert.equal((await ask(PATH)).status, 401);
  assert.equal((await ask(PATH, { token: 'monitoring' })).status, 403);
  const whole = await ask(PATH, { token: 'viewer' });
  assert.deepEqual([whole.status, whole.text, whole.headers['accept-ranges']], [200, BYTES, 'bytes']);
  assert.equal(whole.headers['content-type'], 'application/vnd.pmtiles');
  for (const [range, status, text, place] of [
    ['bytes=0-6', 206, 'PMTiles', 'bytes 0-6/17'],
    ['bytes=8-', 206, 'and so on', 'bytes 8-16/17'],
    ['bytes=-2', 206, 'on', 'bytes 15-16/17'],
    ['bytes=-99', 206, BYTES, 'bytes 0-16/17'],
    ['bytes=14-99999999999999999999', 206, ' on', 'bytes 14-16/17'],
    ['bytes=17-', 416, '', 'bytes */17'],
    ['bytes=-0', 416, '', 'bytes */17'],
    ['bytes=5-2', 200, BYTES, undefined],
    ['bytes=0-1,4-5', 200, BYTES, undefined],
    ['lines=1-2', 200, BYTES, undefined],
  ] as const) {
    const answer = await ask(PATH, { token: 'viewer', headers: { range } });
    assert.deepEqual([answer.status, answer.text, answer.headers['content-range']], [status, text, place], range);
  }
  const head = await ask(PATH, { method: 'HEAD', token: 'viewer' });
  assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', '17']);
  const before = whole.headers['etag'];
  writeFileSync(mapTiles, `${BYTES}!`);
  assert.notEqual((await ask(PATH, { token: 'viewer' })).headers['etag'], before);
});

test('map is not found where there is none, or something else has its name', async (context) => {
  const folder = temporaryFolder(context);
  const mapTiles = join(folder, 'tiles.pmtiles');
  const { ask } = await openApi(context, { mapTiles });
  const status = async () => (await ask(PATH, { token: 'viewer' })).status;
  assert.equal(await status(), 404);
  mkdirSync(mapTiles);
  assert.equal(await status(), 404);
  rmSync(mapTiles, { recursive: true });
  writeFileSync(join(folder, 'secret'), 'secret');
  symlinkSync('secret', mapTiles);
  assert.equal(await status(), 404);
});
