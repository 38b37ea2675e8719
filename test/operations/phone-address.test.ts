// Where phones find the box, by its listeners, its certificate and the names that it has.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { OpenListener, OperationNeeds } from '../../src/operations/needs.ts';
import { namesOfListener, pageAddresses, phoneAddress, phoneHosts } from '../../src/operations/phone-address.ts';
import { makeAppliance } from '../certificates/appliance.ts';

const LISTENER: OpenListener = {
  ...{ name: '8883', protocol: 'mqtt', tls: true, certificate: 'ours', wantsCertificate: false, takesOurCertificates: false },
  ...{ port: 8883, addresses: ['0.0.0.0', '::'], connections: 0 },
};
const PAGES: OpenListener = { ...LISTENER, name: '443', protocol: 'http', port: 443 };
const PLAIN: OpenListener = { ...PAGES, name: '80', tls: false, certificate: null, port: 80 };
const NOW = 1_700_000_000_000;
const ASKED = { host: null, protocol: 'mqtt' } as const;

async function needsOf(context: TestContext, listeners: readonly OpenListener[]): Promise<OperationNeeds> {
  const certificates = await makeAppliance(context, { extraNames: ['home.example.org', '*.example.org'] }).boot();
  const certificateState = { names: ['public.example.org'], expires: NOW + 1, directory: '', fault: null, nextTry: null };
  return {
    ...{ listeners, certificates, certificateNames: ['*.example.org', 'home.example.org'], announcedHost: 'pi.local' },
    internet: { certificateState },
    certificateOfFiles: () => null,
    broker: { clock: { now: () => NOW } },
  } as unknown as OperationNeeds; // no more of it is looked at
}

test('phone connects to a name that all phones trust, else to the first that the owner has written down, or to one that is asked for and in a certificate', async (context) => {
  const needs = await needsOf(context, [LISTENER, PAGES, PLAIN]);
  assert.deepEqual(phoneAddress(needs, ASKED), { host: 'public.example.org', port: 8883, protocol: 'mqtt' });
  assert.deepEqual(phoneAddress(needs, { ...ASKED, protocol: 'http' }), { host: 'public.example.org', port: PAGES.port, protocol: 'http' });
  assert.throws(() => phoneAddress(needs, { ...ASKED, protocol: 'websockets' }), /protocol websockets/);
  assert.deepEqual(phoneHosts(needs).slice(0, 3), [
    { host: 'public.example.org', isPublic: true },
    { host: 'home.example.org', isPublic: false },
    { host: 'pi.local', isPublic: false },
  ]);
  const late = { ...needs, broker: { clock: { now: () => NOW + 1 } } } as unknown as OperationNeeds; // it has ended
  assert.equal(phoneAddress(late, ASKED).host, 'home.example.org');
  assert.throws(() => phoneAddress(late, { ...ASKED, host: 'public.example.org' }), /does not name it/);
  assert.equal(phoneAddress({ ...late, certificateNames: [] }, ASKED).host, 'pi.local');
  for (const host of ['pi.local', '192.0.2.7', 'public.example.org']) assert.equal(phoneAddress(needs, { ...ASKED, host }).host, host);
  assert.throws(() => phoneAddress(needs, { ...ASKED, host: 'other.example.org' }), /certificate_names other\.example\.org/);
});

test('listener has the names of its certificate for devices of the network, and none where only this machine reaches it', async (context) => {
  const needs = await needsOf(context, [LISTENER]);
  assert.deepEqual(namesOfListener(needs, LISTENER).slice(0, 3), ['public.example.org', 'home.example.org', 'pi.local']);
  assert.deepEqual(namesOfListener(needs, { ...LISTENER, addresses: ['127.0.0.1', '::1'] }), []);
  const plain = namesOfListener(needs, { ...LISTENER, tls: false, certificate: null, addresses: ['192.0.2.250'] });
  assert.ok(plain.includes('pi.local') && plain.every((name) => !/^[\d.]+$/.test(name) || name === '192.0.2.250'), plain.join(' '));
});

test('phone connects to nothing that is no name and no address, whatever the certificate', async (context) => {
  const needs = await needsOf(context, [{ ...LISTENER, certificate: 'of files' }]);
  for (const host of ['home.example', 'my_box.local', 'box-2', '192.0.2.7', '2001:db8::7', 'home.example.'])
    assert.equal(phoneAddress(needs, { ...ASKED, host }).host, host);
  for (const host of [
    '',
    ' ',
    'a b',
    'home.example\naddress other.example',
    'home.example:8883',
    'mqtt://home.example',
    '-x',
    'x'.repeat(254),
  ])
    assert.throws(() => phoneAddress(needs, { ...ASKED, host }), /neither the name of a machine nor an address/, JSON.stringify(host));
});

/** A certificate of the owner's own, as files have them. */
async function bought(context: TestContext, extraNames: readonly string[]): Promise<string> {
  const certificates = await makeAppliance(context, { extraNames: [...extraNames] }).boot();
  return certificates.server().cert;
}

test('phone is sent to no name that a certificate of files lacks, and the owner is told what to do', async (context) => {
  const pem = await bought(context, ['mqtt.example.org', '*.home.example', '192.0.2.7']);
  const ofFiles = { certificateOfFiles: () => ({ pem, file: '/etc/midge/bought.pem' }) };
  const needs = {
    ...(await needsOf(context, [{ ...LISTENER, certificate: 'of files' }])),
    ...ofFiles,
    certificateNames: [],
    announcedHost: null,
  };
  for (const host of ['mqtt.example.org', 'MQTT.example.org.', 'pi.home.example', '192.0.2.7'])
    assert.equal(phoneAddress(needs, { ...ASKED, host }).host, host);
  for (const host of ['other.example.org', 'home.example', 'a.b.home.example', '192.0.2.8', 'public.example.org'])
    assert.throws(
      () => phoneAddress(needs, { ...ASKED, host }),
      /the certificate in "\/etc\/midge\/bought\.pem" does not name it, so that they would refuse it - put one there that does, or take one of .*mqtt\.example\.org/,
      host,
    );
  assert.ok(phoneHosts(needs).some(({ host }) => host === 'mqtt.example.org'));
  assert.ok(phoneHosts(needs).every(({ host }) => !host.includes('*')));
  const pages = [{ ...PAGES, certificate: 'of files' } as const, PLAIN];
  assert.deepEqual(pageAddresses({ ...needs, listeners: pages }, 'mqtt.example.org'), {
    plain: null,
    secure: 'https://mqtt.example.org',
    isTrusted: true,
  });
  const { secure } = pageAddresses({ ...needs, listeners: pages }, 'other.example.org');
  assert.notEqual(secure, 'https://other.example.org', 'the pages are under a name that their certificate has');
});

test('link begins by plain HTTP only where the phone must come to trust our authority first', async (context) => {
  const needs = await needsOf(context, [LISTENER, PAGES, PLAIN]);
  assert.deepEqual(pageAddresses(needs, '192.0.2.7'), {
    plain: 'http://192.0.2.7',
    secure: 'https://192.0.2.7',
    isTrusted: false,
  });
  assert.deepEqual(pageAddresses(needs, 'public.example.org'), {
    plain: null,
    secure: 'https://public.example.org',
    isTrusted: true,
  });
  const bought: OpenListener = { ...PAGES, certificate: 'of files', port: 8443 };
  assert.deepEqual(pageAddresses({ ...needs, listeners: [bought, PLAIN] }, '2001:db8::7'), {
    plain: null,
    secure: 'https://[2001:db8::7]:8443',
    isTrusted: true,
  });
});

for (const [what, listeners, reason] of [
  ['only this machine reaches a listener', [{ ...LISTENER, addresses: ['127.0.0.1', '::1'] }], /no listener with TLS is open/],
  ['no listener has TLS', [{ ...LISTENER, tls: false, certificate: null }], /no listener with TLS is open/],
  ['the listener asks for a certificate of another authority', [{ ...LISTENER, wantsCertificate: true }], /require_certificate true/],
] as const) {
  test(`phone gets no address when ${what}`, async (context) => {
    const needs = await needsOf(context, listeners);
    assert.throws(() => phoneAddress(needs, ASKED), reason);
  });
}
