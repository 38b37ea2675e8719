// Client certificates of other authorities: chains, lists of revoked ones, dates, resumed sessions.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { TlsOptions } from '../../src/listeners/options.ts';
import { closed } from '../support/closed.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type TestAuthority, type TestPair, testAuthority } from '../support/test-certificates.ts';
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
