// TCP and Unix sockets: what is opened, what is handed over, what is said when it fails.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { OperatorError } from '../../src/base/errors.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { closed } from '../support/network/closed.ts';
import { makeListener, openListener } from './test-listener.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some((entry) => entry.address === '::1'));

test('listener hands over stream and origin when a client connects', async (context) => {
  const { listener, next } = await openListener(context);
  const client = connect(listener.port, '127.0.0.1');
  const { stream, origin } = await next();
  assert.equal(origin.address, '127.0.0.1');
  assert.equal(origin.port, client.localPort);
  assert.equal(origin.policy.port, listener.port);
  assert.equal(origin.tls, null);
  client.write('hello');
  assert.equal(String((await once(stream, 'data'))[0]), 'hello');
  client.destroy();
});

test('listener opens both families on one port when localhost is asked for', {
  skip: hasIpv6 ? false : 'this machine has no ::1',
}, async (context) => {
  const { listener, next, log } = await openListener(context, { address: 'localhost' });
  for (const address of ['127.0.0.1', '::1']) {
    const client = connect(listener.port, address);
    assert.equal((await next()).origin.address, address);
    client.destroy();
  }
  assert.deepEqual(log.lines, [
    `Opening ipv4 listen socket on port ${listener.port}.`,
    `Opening ipv6 listen socket on port ${listener.port}.`,
  ]);
});

test('listener opens only IPv4 when socket_domain is ipv4', async (context) => {
  const { listener } = await openListener(context, { address: null, socketDomain: 'ipv4' });
  assert.deepEqual(listener.addresses, ['0.0.0.0']);
});

test('listener binds the addresses of an interface when bind_interface names it', async (context) => {
  const { listener } = await openListener(context, { address: null, bindInterface: 'lo', socketDomain: 'ipv4' });
  assert.deepEqual(listener.addresses, ['127.0.0.1']);
});

test('listener names the interface when bind_interface does not exist', async (context) => {
  const { listener } = makeListener(context, { bindInterface: 'nosuch0' });
  await assert.rejects(listener.start(), { name: 'OperatorError', message: /^Cannot bind to interface "nosuch0": this machine has .*lo/ });
});

test('listener names port and reason when the port is in use', async (context) => {
  const { listener } = await openListener(context);
  const second = makeListener(context, { port: listener.port }).listener;
  await assert.rejects(second.start(), (error: unknown) => {
    assert(error instanceof OperatorError);
    assert.match(error.message, new RegExp(`^Cannot open port "${listener.port}" on 127.0.0.1: address already in use - `));
    assert.equal(error.exitCode, 1);
    return true;
  });
});

test('listener names the address when this machine does not have it', async (context) => {
  const { listener } = makeListener(context, { address: '192.0.2.1' }); // RFC 5737: nobody has it
  await assert.rejects(listener.start(), /Cannot open port "0" on 192\.0\.2\.1: this machine does not have that address/);
});

test('listener denies a client when max_connections is reached', async (context) => {
  const { listener, next, log } = await openListener(context, { maxConnections: 1 });
  const first = connect(listener.port, '127.0.0.1');
  const { stream } = await next();
  const second = connect(listener.port, '127.0.0.1');
  await closed(second.resume());
  assert.equal(await log.line(/denied/), 'Client connection from 127.0.0.1 denied: max_connections exceeded.');
  first.destroy();
  await closed(stream.resume());
  assert.equal(listener.connections, 0);
  const third = connect(listener.port, '127.0.0.1');
  await next();
  third.destroy();
});

test('listener gives the places of clients that have gone to the next ones when max_connections is reached', async (context) => {
  const { listener, next, log } = await openListener(context, { maxConnections: 5 });
  for (let round = 0; round < 10; round++) {
    const clients: Socket[] = [];
    for (let count = 0; count < 5; count++) {
      clients.push(connect(listener.port, '127.0.0.1'));
      (await next()).stream.resume();
    }
    for (const client of clients) client.destroy();
  }
  assert.ok(!log.lines.some((line) => line.includes('denied')));
});

test('listener refuses new connections and keeps old ones when it is closed', async (context) => {
  const { listener, next } = await openListener(context);
  const client = connect(listener.port, '127.0.0.1');
  const { stream } = await next();
  const { port } = listener;
  listener.close();
  const late = connect(port, '127.0.0.1');
  const [refusal] = await once(late, 'error');
  assert.equal(refusal.code, 'ECONNREFUSED');
  stream.write('still here');
  assert.equal(String((await once(client, 'data'))[0]), 'still here');
  await listener.stop();
  await closed(client);
});

test('listener serves a Unix socket and removes it when it stops', async (context) => {
  const unixPath = join(temporaryFolder(context), 'midge.sock');
  const { listener, next, log } = await openListener(context, { unixPath });
  const client = connect(unixPath);
  assert.equal((await next()).origin.address, '');
  assert.deepEqual(log.lines, [`Opening unix listen socket on path ${unixPath}.`]);
  client.destroy();
  await listener.stop();
  assert.equal(existsSync(unixPath), false);
});

test('listener replaces a Unix socket when nobody listens on it any more', async (context) => {
  const unixPath = join(temporaryFolder(context), 'stale.sock');
  await leaveStaleSocket(unixPath);
  assert.equal(existsSync(unixPath), true);
  const { next } = await openListener(context, { unixPath });
  const client = connect(unixPath);
  await next();
  client.destroy();
});

test('listener leaves a Unix socket alone when another program listens on it', async (context) => {
  const unixPath = join(temporaryFolder(context), 'taken.sock');
  await openListener(context, { unixPath });
  const { listener } = makeListener(context, { unixPath });
  await assert.rejects(listener.start(), /Cannot open unix socket ".*": another program listens on it/);
});

test('listener leaves a file alone when it stands where the Unix socket should be', async (context) => {
  const unixPath = join(temporaryFolder(context), 'precious.txt');
  writeFileSync(unixPath, 'x');
  const { listener } = makeListener(context, { unixPath });
  await assert.rejects(listener.start(), /is not a socket/);
  assert.equal(existsSync(unixPath), true);
});

test('listener refuses a Unix socket path when the kernel would cut it', async (context) => {
  const { listener } = makeListener(context, { unixPath: `/tmp/${'x'.repeat(120)}` });
  await assert.rejects(listener.start(), /longer than 107 bytes/);
});

/** Binds a second name of a socket and unlinks the first on close: what a killed program leaves behind. */
async function leaveStaleSocket(path: string): Promise<void> {
  const { linkSync } = await import('node:fs');
  const server = createServer().listen(`${path}.first`);
  await once(server, 'listening');
  linkSync(`${path}.first`, path);
  server.close();
  await once(server, 'close');
}
