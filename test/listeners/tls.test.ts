// TLS listeners: versions, names, client certificates, failures, replacing the certificate.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { before, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import WebSocket from 'ws';
import { until } from '../support/broker/turns.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { closed } from '../support/network/closed.ts';
import { type TestAuthority, type TestPair, testAuthority } from '../support/network/test-certificates.ts';
import { missing, runForeign } from '../support/process/foreign-program.ts';
import { makeListener, openListener, PLAIN, TLS } from './test-listener.ts';

let authority: TestAuthority;
let server: TestPair;

before(async () => {
  authority = await testAuthority();
  server = await authority.issue('CN=localhost');
});

function dial(port: number, options: ConnectionOptions = {}): TLSSocket {
  return connect({ port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert, ...options });
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`TLS listener hands over the clear stream when a client uses ${version}`, async (context) => {
    const { listener, next } = await openListener(context, { tls: TLS }, server);
    const client = dial(listener.port, { minVersion: version, maxVersion: version, ALPNProtocols: ['mqtt'] });
    const { stream, origin } = await next();
    assert.equal(origin.tls?.version, version);
    assert.match(origin.tls?.cipher ?? '', /AES|CHACHA/);
    assert.equal(origin.identity, null);
    client.write('hello');
    assert.equal(String((await once(stream, 'data'))[0]), 'hello');
    assert.equal(client.alpnProtocol, 'mqtt');
    client.destroy();
    await closed(stream);
    assert.equal(listener.connections, 0);
  });
}

test('TLS listener refuses TLS 1.2 when tls_version asks for 1.3', async (context) => {
  const { listener, log } = await openListener(context, { tls: { ...TLS, minVersion: 'TLSv1.3' } }, server);
  await once(dial(listener.port, { maxVersion: 'TLSv1.2' }), 'error');
  assert.match(
    await log.line(/failed/),
    /^Client from 127\.0\.0\.1:\d+ failed the TLS handshake: it offers only TLS versions that are not allowed here\.$/,
  );
});

test('TLS listener keeps TLS 1.3 when ciphers names only TLS 1.2 ones', async (context) => {
  const tls = { ...TLS, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' };
  const { listener, next } = await openListener(context, { tls }, server);
  const client = dial(listener.port);
  assert.equal((await next()).origin.tls?.version, 'TLSv1.3');
  client.destroy();
  const older = dial(listener.port, { maxVersion: 'TLSv1.2' });
  assert.equal((await next()).origin.tls?.cipher, 'ECDHE-ECDSA-AES128-GCM-SHA256');
  older.destroy();
});

test('TLS listener resumes a session when the client comes back', async (context) => {
  const { listener, next } = await openListener(context, { tls: TLS }, server);
  const first = dial(listener.port);
  const session = once(first, 'session');
  (await next()).stream.write('x'); // TLS 1.3 sends its tickets after the handshake
  const [ticket] = await session;
  first.destroy();
  const second = dial(listener.port, { session: ticket });
  await once(second, 'secureConnect');
  assert.equal(second.isSessionReused(), true);
  second.destroy();
});

test('TLS listener refuses a web browser that asks an MQTT port for HTTP', async (context) => {
  const { listener, log } = await openListener(context, { tls: TLS }, server);
  await once(dial(listener.port, { ALPNProtocols: ['h2', 'http/1.1'] }), 'error');
  await log.line(/it asks for another protocol than MQTT/);
});

for (const [identity, expected] of [
  ['common name', 'lamp'],
  ['subject', 'CN=lamp,O=Home,C=GB'],
] as const) {
  test(`TLS listener takes the user name from the ${identity} when the client shows a certificate`, async (context) => {
    const { tls } = clientCertificateOptions(temporaryFolder(context), authority);
    const { listener, next } = await openListener(context, { tls: { ...tls, identity } }, server);
    const client = dial(listener.port, await authority.issue('C=GB, O=Home, CN=lamp'));
    const { stream, origin } = await next();
    assert.equal(origin.identity, expected);
    const session = once(client, 'session');
    stream.write('x');
    const [ticket] = await session;
    client.destroy();
    const resumed = dial(listener.port, { session: ticket });
    assert.equal((await next()).origin.identity, expected, 'also when the session is resumed');
    resumed.destroy();
  });
}

test('TLS listener turns a client away when its certificate has no common name', async (context) => {
  const { tls } = clientCertificateOptions(temporaryFolder(context), authority);
  const { listener, log } = await openListener(context, { tls: { ...tls, identity: 'common name' } }, server);
  const client = dial(listener.port, await authority.issue('O=Home'));
  await closed(client.resume());
  await log.line(/denied: its certificate has no common name\.$/);
});

test('TLS listener names the failure when a client shows no certificate or a strange one', async (context) => {
  const { tls } = clientCertificateOptions(temporaryFolder(context), authority);
  const { listener, log } = await openListener(context, { tls }, server);
  dial(listener.port).on('error', () => {});
  await log.line(/it sent no client certificate/);
  dial(listener.port, await (await testAuthority('CN=Stranger')).issue('CN=lamp')).on('error', () => {});
  await log.line(/its client certificate "lamp" is issued by "Stranger"/);
});

test('TLS listener sends its alert however quickly a client answers', { skip: missing(['openssl'], 'openssl') }, async (context) => {
  const { listener, refusals } = await openListener(context, { tls: { ...TLS, requireCertificate: true } }, server);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const busy = setInterval(() => Atomics.wait(pause, 0, 0, 20), 1); // answers are here when the event loop polls next
  context.after(() => clearInterval(busy));
  for (let client = 1; client <= 5; client++) {
    const { stderr } = await runForeign('openssl', ['s_client', '-connect', `127.0.0.1:${listener.port}`, '-quiet']);
    assert.match(stderr, /alert certificate required/);
    await until(() => refusals.length === client);
  }
});

test('TLS listener thinks of the name when mosquitto_pub does not find it in the certificate', {
  skip: missing(['mosquitto_pub'], 'mosquitto-clients'),
}, async (context) => {
  const { listener, log } = await openListener(context, { tls: TLS, address: '127.0.0.2' }, server);
  const cafile = join(temporaryFolder(context), 'ca.crt');
  writeFileSync(cafile, authority.cert);
  const { status } = await runForeign('mosquitto_pub', ['-h', '127.0.0.2', '-p', `${listener.port}`, '--cafile', cafile, '-t', 'a', '-n']);
  assert.notEqual(status, 0);
  assert.match(await log.line(/failed/), /it may not find the name that it connects to in the certificate of this broker\.$/);
});

test('TLS listener says what came when a client does not speak TLS, and nothing of a port probe', async (context) => {
  const { listener, log, refusals } = await openListener(context, { tls: TLS }, server);
  connectPlain(listener.port, '127.0.0.1')
    .on('error', () => {})
    .write(Buffer.from('101000044d5154540402003c000474657374', 'hex'));
  await log.line(/it does not appear to be using TLS/);
  connectPlain(listener.port, '127.0.0.1')
    .on('error', () => {})
    .write('GET / HTTP/1.1\r\n\r\n');
  await log.line(/it speaks plain HTTP to a TLS listener/);
  const probe = connectPlain(listener.port, '127.0.0.1');
  await once(probe, 'connect');
  probe.destroy();
  const half = connectPlain(listener.port, '127.0.0.1');
  half.write(Buffer.from('160301', 'hex'));
  await once(half, 'connect');
  half.end();
  await log.line(/connection closed by client/);
  while (listener.connections > 0) await new Promise(setImmediate);
  assert.equal(log.lines.filter((line) => line.includes('failed')).length, 3, 'one line for each but the probe');
  assert.deepEqual(
    refusals.map(({ cause, reason }) => [cause, reason]),
    [
      ['tls', 'failed the TLS handshake: it does not appear to be using TLS'],
      ['tls', 'failed the TLS handshake: it speaks plain HTTP to a TLS listener'],
      ['tls', 'failed the TLS handshake: connection closed by client'],
    ],
  );
});

test('TLS listener for browsers answers plain HTTP with a page that leads to https, and does not call that a refusal', async (context) => {
  const { listener, log, refusals } = await openListener(context, { tls: TLS, protocol: 'http' }, server);
  const answer = await fetch(`http://127.0.0.1:${listener.port}/phones`);
  assert.equal(answer.status, 400);
  assert.match(await answer.text(), /begins with https:\/\/.*location\.protocol = 'https:'/s);
  await log.line(/came by http:\/\/ and was led to https:\/\//);
  while (listener.connections > 0) await new Promise(setImmediate);
  assert.deepEqual(refusals, []);
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  for (const end of ['destroy', 'resetAndDestroy'] as const) {
    test(`TLS listener says that a client may not trust it when it has seen the certificate and leaves without a word, by ${version} and ${end}`, async (context) => {
      const { listener, refusals, log } = await openListener(context, { tls: TLS }, server);
      const client = connectPlain(listener.port, '127.0.0.1').on('error', () => {});
      client.write(await clientHello(version));
      await once(client, 'data');
      client[end]();
      const words = 'it left when it had seen the certificate of this broker, which it may not trust';
      await log.line(new RegExp(`failed the TLS handshake: ${words}\\.$`));
      assert.deepEqual(
        refusals.map(({ cause, reason }) => [cause, reason]),
        [['tls', `failed the TLS handshake: ${words}`]],
      );
    });
  }
}

/** clientHello gives the first bytes of a handshake. */
function clientHello(version: 'TLSv1.2' | 'TLSv1.3'): Promise<Buffer> {
  return new Promise((resolve) => {
    const write = (chunk: Buffer, _: unknown, done: () => void) => {
      resolve(chunk);
      done();
    };
    connect({ socket: new Duplex({ read() {}, write }), minVersion: version, maxVersion: version }).on('error', () => {});
  });
}

test('TLS listener stops at once when a handshake is half done', async (context) => {
  const { listener } = await openListener(context, { tls: TLS }, server);
  const silent = connectPlain(listener.port, '127.0.0.1');
  await once(silent, 'connect');
  while (listener.connections === 0) await new Promise(setImmediate);
  const end = closed(silent.resume());
  await listener.stop();
  await end;
});

for (const [what, protocol] of [
  ['TLS handshake', 'mqtt'],
  ['WebSocket upgrade', 'websockets'],
] as const) {
  test(`listener drops a ${what} that began before other options were put in force, and keeps who is through`, async (context) => {
    const options = { protocol, tls: protocol === 'mqtt' ? TLS : null };
    const { listener, next } = await openListener(context, options, server);
    const through = protocol === 'mqtt' ? dial(listener.port) : new WebSocket(`ws://127.0.0.1:${listener.port}`, ['mqtt']);
    const { stream } = await next();
    const begun = connectPlain(listener.port, '127.0.0.1').resume();
    begun.write(protocol === 'mqtt' ? Buffer.of(0x16, 3, 1) : 'GET / HTTP/1.1\r\nHost: me\r\n');
    while (listener.connections < 2) await new Promise(setImmediate);
    const putInForce = await listener.prepare({ ...PLAIN, ...options });
    assert.equal(listener.connections, 2);
    const end = closed(begun);
    putInForce();
    await end;
    assert.equal(stream.destroyed, false);
    if (through instanceof WebSocket) through.terminate();
    else through.destroy();
  });
}

test('TLS listener shows the new certificate when it is replaced and keeps its connections', async (context) => {
  const pair = { ...server };
  const { listener, next } = await openListener(context, { tls: TLS }, pair);
  const old = dial(listener.port);
  const { stream } = await next();
  Object.assign(pair, await authority.issue('CN=renewed'));
  await listener.replaceCertificate();
  const client = dial(listener.port);
  await once(client, 'secureConnect');
  assert.equal(client.getPeerCertificate().subject.CN, 'renewed');
  client.destroy();
  stream.write('old connection lives');
  assert.equal(String((await once(old, 'data'))[0]), 'old connection lives');
  old.destroy();
});

test('TLS listener keeps its certificate when the new file is bad', async (context) => {
  const folder = temporaryFolder(context);
  const certificate = { certfile: write(folder, 'server.crt', server.cert), keyfile: write(folder, 'server.key', server.key) };
  const { listener } = await openListener(context, { tls: { ...TLS, certificate } });
  writeFileSync(certificate.certfile, 'garbage');
  await assert.rejects(listener.replaceCertificate(), /Cannot use certfile ".*server\.crt": it holds no PEM certificate/);
  const client = dial(listener.port);
  await once(client, 'secureConnect');
  client.destroy();
});

test('TLS listener names the file when certificate or key is unusable', async (context) => {
  const folder = temporaryFolder(context);
  const certfile = write(folder, 'server.crt', server.cert);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const encrypted = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' });
  const attempts: readonly [string, RegExp][] = [
    [join(folder, 'missing.key'), /^Cannot read keyfile ".*missing\.key": ENOENT/],
    [
      write(folder, 'other.key', String(privateKey.export({ type: 'pkcs8', format: 'pem' }))),
      /does not belong to the certificate in ".*server\.crt"$/,
    ],
    [write(folder, 'encrypted.key', String(encrypted)), /it is encrypted .* - decrypt it with "openssl pkey/],
    [write(folder, 'empty.key', ''), /it holds no PEM private key/],
  ];
  for (const [keyfile, message] of attempts) {
    const { listener } = makeListener(context, { tls: { ...TLS, certificate: { certfile, keyfile } } });
    await assert.rejects(listener.start(), { name: 'OperatorError', message });
  }
});

function clientCertificateOptions(folder: string, issuer: TestAuthority) {
  return { tls: { ...TLS, requireCertificate: true, cafile: write(folder, 'ca.crt', issuer.cert) } };
}

function write(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('TLS listener takes AES with GCM or CCM and no CBC of TLS 1.2, unless ciphers names it', async (context) => {
  const { listener, log, next } = await openListener(context, { tls: TLS }, server);
  const cbc: ConnectionOptions = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA' };
  await once(dial(listener.port, cbc), 'error');
  await log.line(/failed the TLS handshake: it offers no cipher that is allowed here\.$/);
  for (const ciphers of ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-CCM']) {
    const client = dial(listener.port, { maxVersion: 'TLSv1.2', ciphers });
    assert.equal((await next()).origin.tls?.cipher, ciphers);
    client.destroy();
  }
  const lenient = await openListener(context, { tls: { ...TLS, ciphers: 'ECDHE-ECDSA-AES128-SHA256' } }, server);
  const client = dial(lenient.listener.port, cbc);
  assert.equal((await lenient.next()).origin.tls?.cipher, 'ECDHE-ECDSA-AES128-SHA256');
  client.destroy();
});
