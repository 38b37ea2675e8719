// Client certificates of other authorities: chains, lists of revoked ones, dates, resumed sessions.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { TlsOptions } from '../../src/listeners/options.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { closed } from '../support/network/closed.ts';
import { type TestAuthority, type TestPair, testAuthority } from '../support/network/test-certificates.ts';
import { openListener, TLS } from './test-listener.ts';

const PAST = new Date('2021-01-01');

let authority: TestAuthority;
let server: TestPair;
let lamp: TestPair;

before(async () => {
  authority = await testAuthority();
  server = await authority.issue('CN=localhost');
  lamp = await authority.issue('CN=lamp');
});

interface Files {
  readonly cafile: string;
  readonly crlfile?: string;
}

async function open(context: TestContext, files: Files, options: Partial<TlsOptions> = {}) {
  const folder = temporaryFolder(context);
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const cafile = write('ca.crt', files.cafile);
  const crlfile = files.crlfile === undefined ? null : write('crl.pem', files.crlfile);
  const tls = { ...TLS, requireCertificate: true, cafile, crlfile, identity: 'common name' as const, ...options };
  return { ...(await openListener(context, { tls }, server)), write };
}

type Opened = Awaited<ReturnType<typeof open>>;

function dial({ listener }: Opened, pair: Partial<TestPair>, options: ConnectionOptions = {}): TLSSocket {
  return connect({ port: listener.port, host: '127.0.0.1', servername: 'localhost', ca: authority.cert, ...pair, ...options }).on(
    'error',
    () => {},
  );
}

async function assertAccepted(opened: Opened, pair: TestPair, name = 'lamp'): Promise<void> {
  const client = dial(opened, pair);
  assert.equal((await opened.next()).origin.identity, name);
  client.destroy();
}

async function assertRefused(opened: Opened, pair: Partial<TestPair>, reason: RegExp): Promise<void> {
  const client = dial(opened, pair).resume();
  const line = await opened.log.line(reason);
  assert.match(line, /^Client from 127\.0\.0\.1:\d+ failed the TLS handshake: .*\.$/);
  assert.match(opened.refusals.at(-1)?.reason ?? '', reason);
  await closed(client);
}

test('client certificate is refused when crlfile says that it is revoked, and accepted when it says another', async (context) => {
  const other = await authority.issue('CN=other');
  const opened = await open(context, { cafile: authority.cert, crlfile: await authority.revoke([other]) });
  await assertAccepted(opened, lamp);
  await assertRefused(opened, other, /its client certificate "other" is revoked/);
});

test('client certificate needs only the list of its own authority when that stands below another, as in mosquitto', async (context) => {
  const floor = await authority.authority('CN=First floor');
  const [light, lost] = [await floor.issue('CN=light'), await floor.issue('CN=lost')];
  const opened = await open(context, { cafile: authority.cert + floor.cert, crlfile: await floor.revoke([lost]) });
  await assertAccepted(opened, light, 'light');
  await assertRefused(opened, lost, /its client certificate "lost" is revoked/);
  await assertRefused(opened, lamp, /crlfile has no list of the authority of its client certificate/);
});

test('client certificate is refused when the list is past its date', async (context) => {
  const opened = await open(context, { cafile: authority.cert, crlfile: await authority.revoke([], PAST) });
  await assertRefused(opened, lamp, /the list of revoked certificates in crlfile is too old/);
});

test('list of revoked certificates does not count when another authority of the same name signed it', async (context) => {
  const twin = await testAuthority();
  const opened = await open(context, { cafile: authority.cert, crlfile: await twin.revoke([lamp]) });
  await assertRefused(opened, lamp, /crlfile has no list of the authority/);
});

test('TLS listener names crlfile when it holds no list', async (context) => {
  await assert.rejects(
    open(context, { cafile: authority.cert, crlfile: 'nothing' }),
    /Cannot use crlfile ".*crl\.pem": it holds no PEM revocation list/,
  );
});

test('client certificate is refused when it has expired, is of a strange authority or is not there', async (context) => {
  const opened = await open(context, { cafile: authority.cert });
  await assertRefused(opened, await authority.issue('CN=lamp', PAST), /its client certificate "lamp" expired on 2021-01-01\.?$/);
  await assertRefused(
    opened,
    await (await testAuthority('CN=Stranger')).issue('CN=lamp'),
    /its client certificate "lamp" is issued by "Stranger", an authority that this broker does not trust/,
  );
  await assertRefused(opened, {}, /it sent no client certificate/);
});

test('client certificate is accepted when it has expired and disable_client_cert_date_checks is there, but no other', async (context) => {
  const floor = await authority.authority('CN=First floor');
  const revoked = await authority.issue('CN=lost', PAST);
  const files = { cafile: authority.cert, crlfile: await authority.revoke([revoked]) };
  const opened = await open(context, files, { checksClientDates: false });
  const strange = await testAuthority('CN=Stranger');
  await assertAccepted(opened, await authority.issue('CN=lamp', PAST));
  await assertRefused(opened, revoked, /its client certificate "lost" is revoked/);
  await assertRefused(opened, await strange.issue('CN=lamp', PAST), /is issued by "Stranger", an authority that/);
  await assertRefused(opened, await strange.issue('CN=lamp'), /is issued by "Stranger"/);
  await assertRefused(opened, {}, /it sent no client certificate/);
  const below = await floor.issue('CN=below', PAST);
  const whole = await open(context, { cafile: authority.cert }, { checksClientDates: false });
  await assertAccepted(whole, { ...below, cert: `${below.cert}\n${floor.cert}` }, 'below');
});

test('client certificate that is revoked meanwhile is refused when its session would be resumed, and on review', async (context) => {
  const opened = await open(context, { cafile: authority.cert, crlfile: await authority.revoke([]) });
  const client = dial(opened, lamp);
  const { stream, origin } = await opened.next();
  const session = once(client, 'session');
  stream.write('x');
  const [ticket] = await session;
  assert.notEqual(origin.review?.(), null);
  opened.write('crl.pem', await authority.revoke([lamp]));
  await opened.listener.replaceCertificate();
  assert.equal(origin.review?.(), null);
  dial(opened, lamp, { session: ticket }).resume();
  await opened.log.line(/its client certificate "lamp" is revoked/);
});

test('client certificate with an empty subject is refused where its subject or common name is the user name', async (context) => {
  const nameless = await authority.issue('');
  for (const identity of ['subject', 'common name'] as const) {
    const opened = await open(context, { cafile: authority.cert }, { identity });
    const client = dial(opened, nameless).resume();
    await opened.log.line(new RegExp(`denied: its certificate has no ${identity}`));
    await closed(client);
    await assertAccepted(opened, lamp, identity === 'subject' ? 'CN=lamp' : 'lamp');
  }
  const unnamed = await open(context, { cafile: authority.cert }, { identity: 'none' });
  dial(unnamed, nameless);
  assert.equal((await unnamed.next()).origin.identity, null);
});

test('client certificate is refused, and the listener lives on, when its chain holds a key that OpenSSL can not read', async (context) => {
  const floor = await authority.authority('CN=First floor');
  const below = await floor.issue('CN=below');
  const opened = await open(context, { cafile: authority.cert }, { checksClientDates: false });
  const chain = { ...below, cert: `${below.cert}\n${withUnknownKey(floor.cert)}` };
  const client = dial(opened, chain, { ciphers: 'DEFAULT@SECLEVEL=0' }).resume(); // or it would not send that itself
  await opened.log.line(/failed the TLS handshake: its client certificate "below" is issued by "First floor", an authority that/);
  await closed(client);
  await assertAccepted(opened, lamp);
});

test('TLS listener names cafile and capath when the key of an authority in them can not be read', async (context) => {
  const cafile = withUnknownKey(authority.cert);
  await assert.rejects(open(context, { cafile }), /Cannot use cafile ".*ca\.crt": the key of the certificate "CN=Test CA" can't be read/);
});

/** The certificate with the algorithm of its key changed to one that nobody knows: 1.2.840.10045.2.9 instead of id-ecPublicKey. */
function withUnknownKey(pem: string): string {
  const bytes = Buffer.from(new X509Certificate(pem).raw);
  const algorithm = bytes.indexOf(Buffer.from('06072a8648ce3d0201', 'hex'));
  bytes[algorithm + 8] = 9;
  return `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}
