// Client certificates of the appliance's own authority: issued, listed, revoked, and files that phones import.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ClientRegister } from '../../src/certificates/client-certificates.ts';
import { makePkcs12 } from '../../src/certificates/pkcs12.ts';
import { readRevocations } from '../../src/certificates/revocation-lists.ts';
import { addRevoked, REVOCATION_LIST, readRevoked } from '../../src/certificates/revocation-records.ts';
import { testAuthority } from '../support/network/test-certificates.ts';
import { BUILD_DATE, DAY, makeAppliance } from './appliance.ts';

const MOMENT = { now: BUILD_DATE + 30 * DAY, buildDate: BUILD_DATE };
const noOpenssl = spawnSync('openssl', ['version']).error ? 'openssl is not installed (Debian package openssl)' : false;

async function openRegister(context: TestContext) {
  const appliance = makeAppliance(context);
  const certificates = await appliance.boot();
  return { appliance, certificates, register: await ClientRegister.open(appliance.folder) };
}

test('client certificate is of the authority and ends with it', async (context) => {
  const { register } = await openRegister(context);
  const { certificate, key } = await register.issue('anna phone', MOMENT);
  const x509 = new X509Certificate(certificate.cert);
  assert.equal(x509.subject, 'CN=anna phone');
  assert.deepEqual(x509.keyUsage, ['1.3.6.1.5.5.7.3.2'], 'extended key usage clientAuth');
  assert.equal(x509.ca, false);
  assert(x509.checkPrivateKey(key) && x509.verify(register.authority.certificate.publicKey));
  assert.equal(certificate.notBefore, BUILD_DATE - DAY, 'also for a clock that is a little behind');
  assert.equal(certificate.notAfter, register.authority.certificate.validToDate.getTime());
  assert.deepEqual(await register.list(), [certificate]);
});

test('client certificate is refused when its name has one, and issued again when that is revoked', async (context) => {
  const { register } = await openRegister(context);
  const first = await register.issue('lamp', MOMENT);
  await assert.rejects(
    register.issue('lamp', MOMENT),
    /^OperatorError: Cannot issue a certificate for "lamp": it has one, valid to .* - revoke that first/,
  );
  await register.revoke('lamp', MOMENT.now);
  const second = await register.issue('lamp', MOMENT);
  const states = (await register.list()).map(({ serial, revokedAt }) => [serial, revokedAt]);
  assert.deepEqual(
    new Map(states as [string, number | null][]),
    new Map([
      [first.certificate.serial, MOMENT.now],
      [second.certificate.serial, null],
    ]),
  );
});

test('client certificate is refused when its name can be no file or would match the names of others', async (context) => {
  const { register } = await openRegister(context);
  for (const name of ['', 'a/b', '+', 'a#', '-x', '..', ' a', 'a\n', 'x'.repeat(65)]) {
    await assert.rejects(register.issue(name, MOMENT), /^OperatorError: Cannot issue a certificate/, JSON.stringify(name));
  }
  assert.equal((await register.issue('Käthe’s phone', MOMENT)).certificate.name, 'Käthe’s phone');
});

test('register refuses to open a folder without an authority', async (context) => {
  const { folder } = makeAppliance(context);
  await assert.rejects(ClientRegister.open(folder), /Cannot find certificate authority ".*ca\.crt": there is none - start the broker/);
});

test('running certificates take up what another process revokes', async (context) => {
  const { appliance, certificates, register } = await openRegister(context);
  const { certificate } = await register.issue('lamp', MOMENT);
  const leaf = new X509Certificate(certificate.cert);
  assert.equal(certificates.revocations().statusOf(leaf, MOMENT.now), 'good');
  const changed = new Promise<void>((resolve) => void certificates.onChange(resolve));
  await register.revoke(certificate.serial, MOMENT.now);
  await changed;
  assert.equal(certificates.revocations().statusOf(leaf, MOMENT.now), 'revoked');
  assert(appliance.log.lines.includes(`Client certificate ${certificate.serial} is revoked.`));
  assert.equal((await appliance.boot()).revocations().statusOf(leaf, MOMENT.now), 'revoked', 'also after a restart');
});

test('revoked certificate stays revoked when the list is deleted or put back from before, while running and at a start', async (context) => {
  const { appliance, certificates, register } = await openRegister(context);
  const path = join(appliance.folder, REVOCATION_LIST);
  const [lamp, door] = [await register.issue('lamp', MOMENT), await register.issue('door', MOMENT)];
  await register.revoke('lamp', MOMENT.now);
  const older = readFileSync(path);
  await register.revoke('door', MOMENT.now);
  const areRevoked = (from: typeof certificates) =>
    [lamp, door].every(({ certificate }) => from.revocations().statusOf(new X509Certificate(certificate.cert), MOMENT.now) === 'revoked');
  for (const spoil of [() => rmSync(path), () => writeFileSync(path, older)]) {
    spoil();
    await certificates.check();
    assert(areRevoked(certificates), 'while running');
    assert.match(readFileSync(path, 'utf8'), /BEGIN X509 CRL/, 'the list is there again');
    spoil();
    assert(areRevoked(await appliance.boot()), 'at a start');
    assert((await register.list()).every(({ revokedAt }) => revokedAt === MOMENT.now));
  }
  rmSync(join(appliance.folder, 'clients'), { recursive: true });
  rmSync(path);
  await certificates.check();
  assert(areRevoked(certificates), 'while running, without any file of it');
  assert(areRevoked(await appliance.boot()), 'its files are there again');
});

test('list of an older midge, which wrote nothing else, keeps its revoked certificates when it is deleted', async (context) => {
  const { appliance, register } = await openRegister(context);
  const { certificate } = await register.issue('lamp', MOMENT);
  await register.revoke('lamp', MOMENT.now);
  rmSync(join(appliance.folder, 'clients', `${certificate.serial}.revoked`));
  await appliance.boot();
  rmSync(join(appliance.folder, REVOCATION_LIST));
  const { revoked } = await readRevoked(appliance.folder, register.authority.cert);
  assert.deepEqual([...revoked.keys()], [certificate.serial]);
  assert.equal(revoked.get(certificate.serial)?.at, Math.floor(MOMENT.now / 1000) * 1000);
});

test('six revocations at once by six processes all hold', async (context) => {
  const { appliance, register } = await openRegister(context);
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const name of names) await register.issue(name, MOMENT);
  const program = `
    const { ClientRegister } = await import(${JSON.stringify(new URL('../../src/certificates/client-certificates.ts', import.meta.url).href)});
    const register = await ClientRegister.open(process.argv[1]);
    await register.revoke(process.argv[2], Date.now());`;
  const runs = names.map((name) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, appliance.folder, name], { stdio: 'inherit' });
    return new Promise<number | null>((resolve) => child.on('exit', resolve));
  });
  assert.deepEqual(await Promise.all(runs), [0, 0, 0, 0, 0, 0]);
  const list = await readRevocations(readFileSync(join(appliance.folder, REVOCATION_LIST), 'utf8'), [register.authority.cert]);
  assert.equal(list.lists[0]?.revoked.size, 6, 'in the signed list');
  assert((await register.list()).every(({ revokedAt }) => revokedAt !== null));
});

test('what a folder says is revoked can be carried into another state of it', async (context) => {
  const { appliance, register } = await openRegister(context);
  const { certificate } = await register.issue('lamp', MOMENT);
  const before = await readRevoked(appliance.folder, register.authority.cert);
  assert.equal(before.revoked.size, 0);
  await addRevoked(appliance.folder, register.authority, [{ serial: certificate.serial.toUpperCase(), at: MOMENT.now }]);
  assert.equal((await register.list())[0]?.revokedAt, MOMENT.now);
  assert(existsSync(join(appliance.folder, REVOCATION_LIST)));
});

test('certificates refuse to start when the list of revoked ones is damaged', async (context) => {
  const { appliance, register } = await openRegister(context);
  await register.issue('lamp', MOMENT);
  writeFileSync(join(appliance.folder, REVOCATION_LIST), 'nothing');
  await assert.rejects(appliance.boot(), /Cannot read revoked certificates ".*ca\.crl": it holds no PEM revocation list/);
});

test('revocation list is read by OpenSSL', { skip: noOpenssl }, async (context) => {
  const { appliance, register } = await openRegister(context);
  const { certificate } = await register.issue('lamp', MOMENT);
  await register.revoke('lamp', MOMENT.now);
  await assert.rejects(register.revoke('lamp', MOMENT.now), /it is revoked already/);
  const text = execFileSync(
    'openssl',
    ['crl', '-in', join(appliance.folder, 'ca.crl'), '-CAfile', join(appliance.folder, 'ca.crt'), '-text', '-noout'],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  assert.match(text.toLowerCase(), new RegExp(`serial number: ${certificate.serial}`));
  assert.match(text, /X509v3 CRL Number: *\n *1\n/);
});

test('revocation list of another authority does not count', async (context) => {
  const { register } = await openRegister(context);
  const other = await testAuthority();
  const list = await register.revocationList(MOMENT.now);
  const { certificate } = await register.issue('lamp', MOMENT);
  assert.equal((await readRevocations(list, [other.cert])).statusOf(new X509Certificate(certificate.cert), MOMENT.now), 'no list');
  const own = await readRevocations(list, [other.cert, register.authority.cert]);
  assert.equal(own.statusOf(new X509Certificate(certificate.cert), MOMENT.now), 'good');
  const end = register.authority.certificate.validToDate.getTime();
  assert.equal(own.statusOf(new X509Certificate(certificate.cert), end + DAY), 'expired');
});

test('PKCS #12 file opens in OpenSSL without its legacy provider', { skip: noOpenssl }, async (context) => {
  const { appliance, register } = await openRegister(context);
  const { certificate, key } = await register.issue('Käthe', MOMENT);
  const file = join(appliance.folder, 'kathe.p12');
  writeFileSync(file, makePkcs12({ key, cert: certificate.cert, authority: register.authority.cert, name: 'Käthe' }, 'Paßwort 1'), {
    mode: 0o600,
  });
  const read = (...words: string[]) =>
    execFileSync('openssl', ['pkcs12', '-in', file, '-passin', 'pass:Paßwort 1', ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  assert(read('-nocerts', '-nodes').includes(key.export({ type: 'pkcs8', format: 'pem' }).toString()));
  assert(createPrivateKey(read('-nocerts', '-nodes')).equals(key));
  assert(read('-nokeys', '-clcerts').includes(certificate.cert.trim()));
  assert(read('-nokeys', '-cacerts').includes(register.authority.cert.trim()));
  assert.match(
    spawnSync('openssl', ['pkcs12', '-in', file, '-passin', 'pass:wrong', '-noout'], { encoding: 'utf8' }).stderr,
    /invalid password/,
  );
  assert.equal(statSync(file).mode & 0o777, 0o600);
});
