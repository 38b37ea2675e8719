// The warning of a browser at the first visit: it refuses the certificate of the box, its person goes on, and nobody was turned away.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { HOST, openHouse } from '../phones/house.ts';

test('browser that refused the certificate of the page is remembered, and counts as nobody who was turned away', async (context) => {
  const house = await openHouse(context);
  const words = ['s_client', '-connect', `${HOST}:${house.ports.secure}`, '-verify_return_error'];
  const browser = spawn('openssl', words, { stdio: ['pipe', 'ignore', 'ignore'] });
  browser.stdin.end();
  assert.notEqual((await once(browser, 'close'))[0], 0);
  const remembered = async () => (await house.ask('why')).refusals.map(({ cause }: { cause: string }) => cause);
  while ((await remembered()).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual([await remembered(), (await house.ask('status')).refusals], [['tls'], 0]);
});
