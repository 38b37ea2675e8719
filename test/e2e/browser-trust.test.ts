// The warning of a browser at the first visit: it refuses the certificate of the box, its person goes on, and nobody was turned away.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HOST, openHouse } from '../phones/house.ts';
import { secureRequest } from '../phones/secure-request.ts';
import { setupCode } from './rest-box.ts';

test('browser that refused the certificate is no refusal any more once its person has claimed the box', async (context) => {
  const house = await openHouse(context);
  const words = ['s_client', '-connect', `${HOST}:${house.ports.secure}`, '-verify_return_error'];
  const browser = spawn('openssl', words, { stdio: ['pipe', 'ignore', 'ignore'] });
  browser.stdin.end();
  assert.notEqual((await once(browser, 'close'))[0], 0);
  const refusals = async () => (await house.ask('status')).refusals;
  while ((await refusals()) === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  const ca = readFileSync(join(house.state, 'certificates/ca.crt'), 'utf8');
  const body = JSON.stringify({ code: await setupCode(house.folder, house.state), username: 'jane', password: 'correct horse battery' });
  const headers = { 'content-type': 'application/json' };
  const { status, text } = await secureRequest(`https://${HOST}:${house.ports.secure}/api/v1/claim`, { ca, method: 'POST', headers, body });
  assert.equal(status, 200, text);
  assert.equal(await refusals(), 0);
});
