// What a device gets to see: the form of the certificates, the rules of Apple, and real handshakes.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import tls from 'node:tls';

import { createCertificates } from '../../src/certificates/certificates.ts';
import { BUILD_DATE, DAY, makeAppliance } from './appliance.ts';

const noOpenssl = spawnSync('openssl', ['version']).error ? 'openssl is not installed (Debian package openssl)' : false;

test('the first start makes an authority and a server certificate', async (t) => {
  const appliance = makeAppliance(t);
  const certificates = await appliance.boot();
  const authority = new X509Certificate(certificates.authority().cert);
  const server = new X509Certificate(certificates.server().cert);
  assert.equal(authority.subject, 'CN=midge authority on pi');
  assert.equal(authority.ca, true);
  assert.equal(server.subject, 'CN=pi');
  assert.equal(server.ca, false);
  assert.equal(server.checkIssued(authority), true);
  assert.equal(server.verify(authority.publicKey), true);
  assert.equal(certificates.authority().fingerprint, authority.fingerprint256);
  assert.equal(certificates.server().expires, server.validToDate.getTime());
});

test('the authority is valid for ten years from now', async (t) => {
  const appliance = makeAppliance(t);
  const authority = new X509Certificate((await appliance.boot()).authority().cert);
  assert.equal(authority.validFromDate.getTime(), BUILD_DATE - DAY);
  assert.equal(authority.validToDate.getTime(), appliance.clock.wall + 3652 * DAY);
});

test('the server certificate keeps the rules of Apple [support.apple.com/103769]', async (t) => {
  const server = new X509Certificate((await makeAppliance(t).boot()).server().cert);
  assert.equal((server.validToDate.getTime() - server.validFromDate.getTime()) / DAY, 820);
  assert.deepEqual(server.keyUsage, ['1.3.6.1.5.5.7.3.1'], 'extended key usage serverAuth');
  assert.equal(server.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.match(server.subjectAltName ?? '', /^DNS:pi, DNS:pi\.local, DNS:localhost, /);
});

test('the server certificate names the host, every address but link-local ones, and the extra names', async (t) => {
  const appliance = makeAppliance(t, { extraNames: ['Bücher.example', '198.51.100.1', 'localhost'] });
  const server = new X509Certificate((await appliance.boot()).server().cert);
  assert.deepEqual(server.subjectAltName?.split(', '), [
    'DNS:pi',
    'DNS:pi.local',
    'DNS:localhost',
    'DNS:xn--bcher-kva.example',
    'IP Address:192.0.2.7',
    'IP Address:2001:DB8:0:0:0:0:0:7',
    'IP Address:127.0.0.1',
    'IP Address:0:0:0:0:0:0:0:1',
    'IP Address:198.51.100.1',
  ]);
});

test('serial numbers are positive, at most 20 bytes and never the same', async (t) => {
  const appliance = makeAppliance(t);
  const certificates = await appliance.boot();
  const serials = [certificates.authority().cert, certificates.server().cert].map((pem) => new X509Certificate(pem).serialNumber);
  appliance.machine = { hostName: 'other', addresses: [] };
  await certificates.check();
  serials.push(new X509Certificate(certificates.server().cert).serialNumber);
  assert.equal(new Set(serials).size, 3);
  for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
});

test('host names too long for a common name are cut', async (t) => {
  const appliance = makeAppliance(t);
  appliance.machine = { hostName: 'h'.repeat(63), addresses: [] };
  const certificates = await appliance.boot();
  assert.equal(new X509Certificate(certificates.authority().cert).subject.length, 'CN='.length + 64);
  assert.match(new X509Certificate(certificates.server().cert).subjectAltName ?? '', new RegExp(`DNS:${'h'.repeat(63)}\\.local`));
});

test('keys are for the owner only', async (t) => {
  const { folder, boot } = makeAppliance(t);
  await boot();
  const mode = (path: string) => statSync(path).mode & 0o777;
  assert.equal(mode(folder), 0o700);
  assert.equal(mode(`${folder}/ca.key`), 0o600);
  assert.equal(mode(`${folder}/server.key`), 0o600);
  assert.match(readFileSync(`${folder}/ca.key`, 'utf8'), /^-----BEGIN PRIVATE KEY-----/);
});

test('openssl accepts the chain for a TLS server by name and address', { skip: noOpenssl }, async (t) => {
  const { folder, boot } = makeAppliance(t, { now: Date.now() });
  await boot();
  for (const who of [
    ['-verify_hostname', 'pi.local'],
    ['-verify_ip', '192.0.2.7'],
    ['-verify_ip', '::1'],
  ]) {
    const flags = ['-x509_strict', '-purpose', 'sslserver', '-CAfile', `${folder}/ca.crt`, ...who];
    assert.match(execFileSync('openssl', ['verify', ...flags, `${folder}/server.crt`], { encoding: 'utf8' }), /: OK/);
  }
});

test('openssl sees an authority that can sign certificates and revocations but no further authority', { skip: noOpenssl }, async (t) => {
  const { folder, boot } = makeAppliance(t);
  await boot();
  const describe = (file: string) => execFileSync('openssl', ['x509', '-in', `${folder}/${file}`, '-noout', '-text'], { encoding: 'utf8' });
  assert.match(describe('ca.crt'), /Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
  assert.match(describe('ca.crt'), /Key Usage: critical\s+Certificate Sign, CRL Sign/);
  assert.match(describe('server.crt'), /Key Usage: critical\s+Digital Signature\n/);
  const keyId = /Subject Key Identifier:\s+(\S+)/.exec(describe('ca.crt'))?.[1];
  assert.ok(keyId);
  assert.match(describe('server.crt'), new RegExp(`Authority Key Identifier:\\s+(keyid:)?${keyId}`));
});

test('a client that trusts the authority connects by every kind of name', async (t) => {
  const certificates = await makeAppliance(t, { now: Date.now(), extraNames: ['*.home.example'] }).boot();
  const port = await serveTls(t, certificates.server());
  const { cert: ca } = certificates.authority();
  for (const host of ['pi', 'pi.local', 'localhost', 'broker.home.example', '192.0.2.7', '2001:db8::7', '127.0.0.1', '::1']) {
    assert.equal(await handshake(port, host, ca), 'authorized', host);
  }
});

test('a client refuses a name that the certificate lacks and an authority that it does not trust', async (t) => {
  const certificates = await makeAppliance(t, { now: Date.now() }).boot();
  const stranger = await makeAppliance(t, { now: Date.now() }).boot();
  const port = await serveTls(t, certificates.server());
  assert.equal(await handshake(port, 'elsewhere', certificates.authority().cert), 'ERR_TLS_CERT_ALTNAME_INVALID');
  assert.match(await handshake(port, 'pi', stranger.authority().cert), /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY|CERT_SIGNATURE_FAILURE/);
});

test('a bad extra name is refused before anything is started', async (t) => {
  const { clock, log, folder } = makeAppliance(t);
  const setup = { clock, log, buildDate: BUILD_DATE, machine: () => ({ hostName: '', addresses: [] }) };
  assert.throws(() => createCertificates({ ...setup, options: { folder, extraNames: ['https://pi'] } }), {
    name: 'OperatorError',
    message: /^Cannot use certificate name "https:\/\/pi": /,
  });
});

async function serveTls(t: TestContext, pair: { cert: string; key: string }): Promise<number> {
  const server = tls.createServer({ cert: pair.cert, key: pair.key }, (socket) => socket.end());
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port; // a TCP server's address
}

/** handshake connects to loopback as if it were `host`. Gives 'authorized' or the error's code. */
async function handshake(port: number, host: string, ca: string): Promise<string> {
  const socket = tls.connect({ socket: connect(port, '127.0.0.1'), host, ca });
  try {
    await once(socket, 'secureConnect');
    return socket.authorized ? 'authorized' : 'unauthorized';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error); // TLS errors carry a code
  } finally {
    socket.destroy();
  }
}
