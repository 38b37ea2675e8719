// The whole program with a certificate of the Internet: from a real authority (Debian's pebble), shown to who asks for its name.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { noNameServer, startNameServer } from '../internet/name-server.ts';
import { noAcme, startAcme } from '../internet/test-acme.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { startMidge } from '../support/process/midge-process.ts';

const skip = noAcme || noNameServer;
const NAME = 'home.example.org';

test('phones that ask for the public name are shown the certificate of the authority, all others that of midge', {
  skip,
  timeout: 120_000,
}, async (context) => {
  const server = await startNameServer(context);
  const acme = await startAcme(context, server.target);
  const folder = temporaryFolder(context);
  const [port = 0] = await freePorts(1);
  const file = join(folder, 'midge.conf');
  const text = [
    `listener ${port} 127.0.0.1`,
    'secure true',
    'allow_anonymous true',
    `listener ${acme.httpPort} 127.0.0.1`, // the authority's question comes to the listener that is there anyway
    'protocol http',
    'secure false',
    'advertise false',
  ].join('\n');
  const asked = [`acme_names ${NAME}`, `acme_directory ${acme.directory}`, `acme_cafile ${acme.cafile}`, `acme_port ${acme.httpPort}`].join(
    '\n',
  );
  writeFileSync(file, `${text}\n${asked}\n`);
  const broker = startMidge(context, folder, ['serve', '-c', file]);
  await broker.line(/Got a certificate for home\.example\.org/);
  const own = readFileSync(join(folder, 'state/midge/certificates/ca.crt'), 'utf8');
  const root = await acme.root();
  await until(async () => (await verify(port, NAME, root)) === null);
  assert.match((await verify(port, NAME, own)) ?? '', /unable to get|self-signed/);
  assert.equal(await verify(port, 'localhost', own), null);
  assert.match((await verify(port, 'localhost', root)) ?? '', /unable to|self-signed/);
  assert.equal(await broker.end(), 0);

  const again = startMidge(context, folder, ['serve', '-c', file]);
  await again.line(/version .* running$/);
  await until(async () => (await verify(port, NAME, root)) === null);
  assert.ok(!again.lines.some((line) => line.includes('Orders a certificate')));
  writeFileSync(file, `${text}\n`);
  process.kill(again.pid, 'SIGHUP');
  await until(async () => (await verify(port, NAME, own)) === 'names');
  assert.ok(!again.lines.some((line) => /error/i.test(line)), again.lines.join('\n'));
});

/** Null = the certificate is trusted and for the name; `names` = it is for others; else what is wrong with it. */
function verify(port: number, servername: string, ca: string): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', servername, ca }, () => {
      socket.destroy();
      resolve(null);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? 'names' : error.message));
  });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 100));
}
