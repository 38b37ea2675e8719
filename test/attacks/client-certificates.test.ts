// One device with a certificate that the broker trusts, and one that lost its right to it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { promisify } from 'node:util';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { testAuthority } from '../support/network/test-certificates.ts';
import { attackObstacle, midgeWords, startAttacked } from './attacked-broker.ts';

const CONNECT = Buffer.from('101000044d5154540402003c000474657374', 'hex');

const skip = attackObstacle({ limited: false });

test('a trusted certificate with an empty subject ends its own connection and no other', { skip }, async (t) => {
  const authority = await testAuthority();
  const server = await authority.issue('CN=localhost');
  const [nameless, lamp] = [await authority.issue(''), await authority.issue('CN=lamp')];
  const broker = await startAttacked(t, {
    configuration: `listener {port} 127.0.0.1
cafile {folder}/ca.crt
certfile {folder}/server.crt
keyfile {folder}/server.key
require_certificate true
use_subject_as_username true
advertise false
`,
    files: { 'ca.crt': authority.cert, 'server.crt': server.cert, 'server.key': server.key },
  });
  assert.equal(await answer({ port: broker.port, ca: authority.cert, ...nameless }), null);
  await broker.process.line(/denied: its certificate has no subject\.$/);
  assert.equal((await answer({ port: broker.port, ca: authority.cert, ...lamp }))?.toString('hex'), '20020000');
  assert(broker.isRunning());
});

test('a revoked certificate stays out when its list is deleted while the broker runs, and after a restart', { skip }, async (t) => {
  const configuration =
    'listener {port} 127.0.0.1\nsecure true\nrequire_certificate true\nuse_identity_as_username true\nadvertise false\n';
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o711); // started by root it runs as another user
  const first = await startAttacked(t, { configuration }, folder);
  const certificates = join(first.folder, 'state/certificates');
  const out = temporaryFolder(t);
  await midge('cert', 'client', 'lamp', '--state', join(first.folder, 'state'), '--out', out);
  const [ca, cert, key] = [join(certificates, 'ca.crt'), join(out, 'lamp.crt'), join(out, 'lamp.key')].map((file) => readFileSync(file));
  const pair: ConnectionOptions = { ca, cert, key };
  assert.notEqual(await answer({ port: first.port, ...pair }), null);
  await midge('cert', 'revoke', 'lamp', '--state', join(first.folder, 'state'));
  await first.process.line(/Client certificate \S+ is revoked\.$/);
  rmSync(join(certificates, 'ca.crl'));
  await first.process.line(/Wrote ".*ca\.crl" again, because 1 revoked certificates were missing from it\. They stay revoked\.$/);
  assert.equal(await answer({ port: first.port, ...pair }), null);
  await first.process.end();
  rmSync(join(certificates, 'ca.crl'));
  const second = await startAttacked(t, { configuration }, first.folder);
  assert.equal(await answer({ port: second.port, ...pair }), null);
  assert(readdirSync(certificates).includes('ca.crl'));
});

/** midge runs the program as root, who acts as the owner of the folder. */
async function midge(...words: readonly string[]): Promise<void> {
  await promisify(execFile)(...midgeWords(...words));
}

/** answer gives what the broker says to a CONNECT, or null when it hangs up. */
function answer(options: ConnectionOptions): Promise<Buffer | null> {
  const socket = connect({ host: '127.0.0.1', servername: 'localhost', ...options });
  socket.write(CONNECT);
  return new Promise((resolve) => {
    socket.once('data', (bytes) => {
      resolve(bytes);
      socket.destroy();
    });
    socket.on('error', () => {}).once('close', () => resolve(null));
  });
}
