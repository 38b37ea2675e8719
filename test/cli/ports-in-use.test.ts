// An installation finds the programs that have its ports, before it changes anything.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { portsInUse } from '../../src/cli/ports-in-use.ts';
import { BARE, INSTALLED } from '../install/machines.ts';

test('portsInUse names the program on a port of the configuration to come, and nobody while our own service runs', async (context) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const { port } = server.address() as AddressInfo; // it listens on a port
  const text = `listener ${port}\nsecure true\n#listener 1\nlistener ${port}\n`;
  const [found, ...others] = portsInUse(BARE, text);
  assert.equal(found?.port, port);
  assert.match(found.holder, new RegExp(`\\(process ${process.pid}\\)$`));
  assert.deepEqual(others, []);
  assert.deepEqual(portsInUse(INSTALLED, text), []);
  server.close();
  await once(server, 'close');
  assert.deepEqual(portsInUse(BARE, text), []);
});
