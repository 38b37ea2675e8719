// When the server certificate is issued anew, and when it is left alone.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';

import type { Certificates } from '../../src/certificates/certificates.ts';
import { type Appliance, BUILD_DATE, DAY, makeAppliance } from './appliance.ts';

test('a restart keeps both certificates', async (t) => {
  const appliance = makeAppliance(t);
  const first = await appliance.boot();
  const lines = appliance.log.lines.length;
  const second = await appliance.boot();
  assert.deepEqual(second.server(), first.server());
  assert.deepEqual(second.authority(), first.authority());
  assert.equal(appliance.log.lines.length, lines, 'nothing to say');
});

test('a new address makes a new certificate of the same authority with the same key', async (t) => {
  const { appliance, certificates, changes } = await running(t);
  const before = certificates.server();
  const authority = certificates.authority();
  appliance.machine = { hostName: 'pi', addresses: ['192.0.2.99'] };
  await certificates.check();
  assert.equal(changes(), 1);
  assert.match(leafOf(certificates).subjectAltName ?? '', /IP Address:192\.0\.2\.99/);
  assert.doesNotMatch(leafOf(certificates).subjectAltName ?? '', /192\.0\.2\.7/);
  assert.equal(certificates.server().key, before.key);
  assert.deepEqual(certificates.authority(), authority);
  assert.match(appliance.log.lines.join('\n'), /Issued a server certificate \(it lacks 192\.0\.2\.99\)/);
  assert.equal(readFileSync(`${appliance.folder}/server.crt`, 'utf8'), certificates.server().cert);
});

test('an address that has gone changes nothing', async (t) => {
  const { appliance, certificates, changes } = await running(t);
  appliance.machine = { hostName: 'pi', addresses: [] };
  await certificates.check();
  assert.equal(changes(), 0);
});

test('a new host name makes a new certificate without the old name', async (t) => {
  const { appliance, certificates } = await running(t);
  appliance.machine = { hostName: 'kitchen', addresses: [] };
  await certificates.check();
  assert.equal(leafOf(certificates).subject, 'CN=kitchen');
  assert.match(leafOf(certificates).subjectAltName ?? '', /^DNS:kitchen, DNS:kitchen\.local, DNS:localhost, IP/);
});

test('a name that the network gave makes a new certificate with it, and none without it when it is gone', async (t) => {
  const { appliance, certificates, changes } = await running(t);
  appliance.machine = { hostName: 'pi', addresses: [], announced: 'pi.local' };
  await certificates.check();
  assert.equal(changes(), 0, 'its own name is no news');
  appliance.machine = { hostName: 'pi', addresses: [], announced: 'pi-2.local' };
  await certificates.check();
  assert.equal(changes(), 1);
  assert.match(leafOf(certificates).subjectAltName ?? '', /^DNS:pi, DNS:pi\.local, DNS:pi-2\.local, DNS:localhost, /);
  for (const announced of [null, 'pi.local', 'pi-2.local']) {
    appliance.machine = { hostName: 'pi', addresses: [], announced };
    await certificates.check();
  }
  assert.equal(changes(), 1, 'a withdrawal and a return are no reason');
  appliance.machine = { hostName: 'pi', addresses: [], announced: 'pi-3.local' };
  await certificates.check();
  assert.equal(changes(), 2);
  assert.doesNotMatch(leafOf(certificates).subjectAltName ?? '', /pi-2/);
});

test('a restart keeps a certificate with the name that the network gave', async (t) => {
  const appliance = makeAppliance(t);
  appliance.machine = { ...appliance.machine, announced: 'pi-2.local' };
  const first = await appliance.boot();
  appliance.machine = { ...appliance.machine, announced: null };
  assert.deepEqual((await appliance.boot()).server(), first.server());
  appliance.machine = { ...appliance.machine, hostName: 'kitchen' };
  assert.doesNotMatch(leafOf(await appliance.boot()).subjectAltName ?? '', /pi/, 'it goes with the host name');
});

const LENT: readonly { hostName: string; announced: string }[] = [
  { hostName: 'localhost', announced: 'localhost.local' },
  { hostName: 'localhost', announced: 'localhost-2.local' },
  { hostName: '', announced: 'midge.local' },
  { hostName: '192.0.2.7', announced: '192.local' },
  { hostName: 'pi.example.org', announced: 'pi-12.local' },
  { hostName: 'pi-2', announced: 'pi-2-2.local' },
  { hostName: 'küche', announced: 'küche-2.local' },
  { hostName: 'a'.repeat(64), announced: `${'a'.repeat(63)}.local` },
  { hostName: 'a'.repeat(63), announced: `${'a'.repeat(61)}-2.local` },
];

for (const { hostName, announced } of LENT) {
  test(`a restart keeps the certificate of "${hostName.slice(0, 20)}" when the network calls it ${announced.slice(-20)}`, async (t) => {
    const appliance = makeAppliance(t);
    appliance.machine = { hostName, addresses: [], announced };
    const first = await appliance.boot();
    appliance.machine = { hostName, addresses: [], announced: null };
    const second = await appliance.boot();
    assert.deepEqual(second.server(), first.server());
    appliance.machine = { hostName, addresses: [], announced };
    await second.check();
    assert.deepEqual(second.server(), first.server());
  });
}

test('a name of the operator goes when it is taken out, also one like those that the network gives', async (t) => {
  for (const name of ['kitchen.local', 'kitchen-2.local', 'p.local', 'pi-02.local', 'pi-1.local', 'pi-2.example', 'x.pi-2.local']) {
    const before = makeAppliance(t, { extraNames: [name] });
    await before.boot();
    const leaf = leafOf(await makeAppliance(t, { folder: before.folder }).boot());
    assert.equal(leaf.checkHost(name), undefined, name);
  }
});

test('a second check finds nothing to do', async (t) => {
  const odd = [
    '::ffff:192.0.2.1',
    '2001:0db8:0:0:1:0:0:1',
    '169.254.3.4',
    'fd00::',
    '64:ff9b::198.51.100.1',
    'not an address',
    'fe80::2%eth0',
  ];
  const { appliance, certificates, changes } = await running(t, { extraNames: ['*.a.example', 'under_score', 'B.Example.', '::'] });
  appliance.machine = { hostName: 'Pi.Example.ORG', addresses: odd };
  await certificates.check();
  assert.equal(changes(), 1);
  await certificates.check();
  assert.equal(changes(), 1);
});

test('a server certificate is renewed when a quarter of its life is left', async (t) => {
  const { appliance, certificates, changes } = await running(t);
  const { expires } = certificates.server();
  appliance.clock.wall = expires - 205 * DAY - 1000;
  await certificates.check();
  assert.equal(changes(), 0);
  appliance.clock.wall = expires - 205 * DAY;
  await certificates.check();
  assert.equal(changes(), 1);
  assertInForce(certificates, appliance.clock.wall, 400 * DAY);
});

test('a server certificate that expired while the power was off is issued anew at the start', async (t) => {
  const appliance = makeAppliance(t);
  await appliance.boot();
  appliance.clock.wall += 900 * DAY;
  assertInForce(await appliance.boot(), appliance.clock.wall, 400 * DAY);
});

test('a clock that comes back from the future brings a certificate for now', async (t) => {
  const { appliance, certificates, changes } = await running(t, { now: Date.UTC(2099, 0, 1) });
  assertInForce(certificates, appliance.clock.wall, 400 * DAY);
  const authority = certificates.authority();
  appliance.clock.wall = BUILD_DATE + 10 * DAY;
  await certificates.check();
  assert.equal(changes(), 1);
  assertInForce(certificates, appliance.clock.wall, 400 * DAY);
  assert.deepEqual(certificates.authority(), authority);
  assert.match(appliance.log.lines.join('\n'), /The clock jumped from 2099-01-01T00:00:00Z to 2026-06-11T00:00:00Z\./);
  assert.match(appliance.log.lines.join('\n'), /by the clock it is valid only from 20/);
});

test('a first start in 1970 makes certificates that devices with the right time accept', async (t) => {
  const { appliance, certificates, changes } = await running(t, { now: 12_345_678 });
  assertInForce(certificates, BUILD_DATE, 800 * DAY);
  const authority = new X509Certificate(certificates.authority().cert);
  assert.ok(authority.validFromDate.getTime() < BUILD_DATE && authority.validToDate.getTime() > BUILD_DATE + 3650 * DAY);
  appliance.clock.wall = BUILD_DATE + 700 * DAY;
  await certificates.check();
  assert.equal(changes(), 1, 'little life was left by the right time');
  assertInForce(certificates, appliance.clock.wall, 400 * DAY);
});

test('a clock somewhat behind the build date is covered as well as the build date', async (t) => {
  const now = BUILD_DATE - 100 * DAY;
  const { certificates } = await running(t, { now });
  assert.equal(leafOf(certificates).validFromDate.getTime(), now - DAY);
  assertInForce(certificates, BUILD_DATE, 400 * DAY);
});

test('a good certificate is kept when the clock falls back to before the build date', async (t) => {
  const { appliance, certificates, changes } = await running(t);
  appliance.clock.wall = 0;
  await certificates.check();
  assert.equal(changes(), 0);
  const before = certificates.server();
  assert.deepEqual((await appliance.boot()).server(), before);
  assert.match(appliance.log.lines.join('\n'), /to 1970-01-01T00:00:00Z, which is before this program was built/);
});

test('a clock that passes evenly is no jump', async (t) => {
  const { appliance, certificates } = await running(t);
  appliance.clock.wall += DAY;
  appliance.clock.steady += DAY;
  await certificates.check();
  assert.doesNotMatch(appliance.log.lines.join('\n'), /jumped/);
});

test('certificates are looked at every minute while running, and not after the stop', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { appliance, certificates, changes } = await running(t);
  const changed = new Promise<void>((resolve) => void certificates.onChange(resolve));
  appliance.machine = { hostName: 'kitchen', addresses: [] };
  t.mock.timers.tick(60_000);
  await changed;
  assert.equal(leafOf(certificates).subject, 'CN=kitchen');
  await certificates.stop();
  appliance.machine = { hostName: 'cellar', addresses: [] };
  t.mock.timers.tick(600_000);
  await new Promise(setImmediate);
  assert.equal(changes(), 1);
});

test('a listener that is taken off hears no more', async (t) => {
  const { appliance, certificates } = await running(t);
  let calls = 0;
  certificates.onChange(() => calls++)();
  appliance.machine = { hostName: 'kitchen', addresses: [] };
  await certificates.check();
  assert.equal(calls, 0);
});

const DAMAGES: readonly { what: string; damage: (folder: string) => void; keepsKey: boolean; line: RegExp }[] = [
  { what: 'server.crt is missing', damage: (folder) => rmSync(`${folder}/server.crt`), keepsKey: true, line: /server\.crt is missing/ },
  { what: 'server.key is missing', damage: (folder) => rmSync(`${folder}/server.key`), keepsKey: false, line: /server\.key is missing/ },
  {
    what: 'server.crt is torn',
    damage: (folder) => writeFileSync(`${folder}/server.crt`, '-----BEGIN'),
    keepsKey: true,
    line: /cannot be read/,
  },
  { what: 'server.key is empty', damage: (folder) => writeFileSync(`${folder}/server.key`, ''), keepsKey: false, line: /cannot be read/ },
  {
    what: 'server.key is the wrong key',
    damage: (folder) => writeFileSync(`${folder}/server.key`, readFileSync(`${folder}/ca.key`)),
    keepsKey: false,
    line: /server\.key does not belong to server\.crt/,
  },
];

for (const { what, damage, keepsKey, line } of DAMAGES) {
  test(`the server certificate is issued anew by the same authority when ${what}`, async (t) => {
    const appliance = makeAppliance(t);
    const first = await appliance.boot();
    damage(appliance.folder);
    const second = await appliance.boot();
    assert.notEqual(second.server().cert, first.server().cert);
    assert.equal(second.server().key === first.server().key, keepsKey);
    assert.deepEqual(second.authority(), first.authority());
    assert.equal(leafOf(second).verify(new X509Certificate(first.authority().cert).publicKey), true);
    assert.match(appliance.log.lines.join('\n'), line);
    const lines = appliance.log.lines.length;
    assert.deepEqual((await appliance.boot()).server(), second.server());
    assert.equal(appliance.log.lines.length, lines, 'the folder is whole again');
  });
}

test('the server certificate is issued anew when the authority was put back from a backup', async (t) => {
  const old = makeAppliance(t);
  const oldAuthority = (await old.boot()).authority();
  const appliance = makeAppliance(t);
  await appliance.boot();
  for (const file of ['ca.crt', 'ca.key']) writeFileSync(`${appliance.folder}/${file}`, readFileSync(`${old.folder}/${file}`));
  const certificates = await appliance.boot();
  assert.deepEqual(certificates.authority(), oldAuthority);
  assert.equal(leafOf(certificates).verify(new X509Certificate(oldAuthority.cert).publicKey), true);
  assert.match(appliance.log.lines.join('\n'), /server\.crt is of another authority/);
});

test('a server certificate that cannot be saved is used all the same', async (t) => {
  const appliance = makeAppliance(t);
  mkdirSync(`${appliance.folder}/server.crt/in-the-way`, { recursive: true });
  const certificates = await appliance.boot().catch((error: Error) => error);
  assert.match(String(certificates), /the authority of server\.crt is gone/, 'what is there counts');
  rmSync(`${appliance.folder}/server.crt`, { recursive: true });
  await appliance.boot();
  rmSync(`${appliance.folder}/server.crt`);
  mkdirSync(`${appliance.folder}/server.crt/in-the-way`, { recursive: true });
  assertInForce(await appliance.boot(), appliance.clock.wall, 400 * DAY);
  assert.match(appliance.log.lines.join('\n'), /Cannot save server certificate ".*server\.crt"/);
  assert.equal(existsSync(`${appliance.folder}/server.crt/in-the-way`), true);
});

async function running(t: TestContext, options: { now?: number; extraNames?: string[] } = {}) {
  const appliance: Appliance = makeAppliance(t, options);
  const certificates = await appliance.boot();
  let count = 0;
  certificates.onChange(() => count++);
  return { appliance, certificates, changes: () => count };
}

function leafOf(certificates: Certificates): X509Certificate {
  return new X509Certificate(certificates.server().cert);
}

function assertInForce(certificates: Certificates, now: number, atLeast: number): void {
  const leaf = leafOf(certificates);
  assert.ok(leaf.validFromDate.getTime() <= now, `valid from ${leaf.validFrom}`);
  assert.ok(leaf.validToDate.getTime() >= now + atLeast, `valid to ${leaf.validTo}`);
  assert.ok(leaf.validToDate.getTime() - leaf.validFromDate.getTime() <= 825 * DAY, 'the limit of Apple');
}

test('names that another machine forces on this one make five certificates in half an hour, and the last name gets one later', async (t) => {
  const { appliance, certificates, changes } = await running(t);
  for (let number = 2; number <= 40; number++) {
    appliance.machine = { hostName: 'pi', addresses: [], announced: `pi-${number}.local` };
    await certificates.check();
  }
  assert.equal(changes(), 5);
  assert.equal(appliance.log.lines.filter((line) => line.includes('change too often')).length, 1, 'said once');
  assert.doesNotMatch(leafOf(certificates).subjectAltName ?? '', /pi-40\.local/);
  appliance.clock.steady += 1_800_000;
  appliance.clock.wall += 1_800_000;
  await certificates.check();
  assert.equal(changes(), 6);
  assert.match(leafOf(certificates).subjectAltName ?? '', /pi-40\.local/);
});
