// Who has a port: this process, another one, nobody.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { portHolder } from '../../src/host/port-holder.ts';

for (const host of ['127.0.0.1', '::1']) {
  test(`portHolder names the process that listens on ${host}, and nobody when it has gone`, async (context) => {
    const server = createServer();
    const isOpen = await new Promise((resolve) => {
      server.once('error', () => resolve(false)).listen(0, host, () => resolve(true));
    });
    if (!isOpen) return context.skip(`this machine has no ${host}`);
    const address = server.address();
    assert(address !== null && typeof address === 'object');
    const program = readFileSync('/proc/self/comm', 'utf8').trim();
    assert.deepEqual(portHolder(address.port), { uid: process.getuid?.(), pid: process.pid, program });
    await new Promise((resolve) => server.close(resolve));
    assert.equal(portHolder(address.port), null);
  });
}
