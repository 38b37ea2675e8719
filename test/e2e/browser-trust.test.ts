// The warning of a browser at the first visit: it refuses the certificate of the box, its person goes on, and nobody was turned away.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { HOST, openHouse } from '../phones/house.ts';
import { freePorts } from '../support/network/free-ports.ts';

test('browser that refused the certificate of the page is remembered, and counts as nobody who was turned away', async (context) => {
  const house = await openHouse(context);
  const words = ['s_client', '-connect', `${HOST}:${house.ports.secure}`, '-verify_return_error'];
  const browser = spawn('openssl', words, { stdio: ['pipe', 'ignore', 'ignore'] });
  browser.stdin.end();
  assert.notEqual((await once(browser, 'close'))[0], 0);
  const remembered = async () => (await house.ask('why')).refusals.map(({ cause }: { cause: string }) => cause);
  while ((await remembered()).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual([await remembered(), (await house.ask('status')).refusals], [['tls'], 0]);
  const [other] = await freePorts(1);
  const text = readFileSync(house.file, 'utf8');
  writeFileSync(house.file, text.replace(`listener ${house.ports.secure}\n`, `listener ${other}\n`));
  assert.equal((await house.ask('reload')).error, null);
  const [refusal] = (await house.ask('why')).refusals;
  assert.deepEqual([refusal.isBrowser, (await house.ask('status')).refusals], [true, 0], 'also when the page has another port since');
});
