// Apple's rules for the certificate and for the profile, looked at by programs of others: openssl, and Python's reader of property lists.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { authorityBytes, authorityProfile } from '../../src/phones/mobileconfig.ts';
import { makeAppliance } from '../certificates/appliance.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

const WORDS = { name: 'midge <home> & garden', description: 'Lets this iPhone trust the broker.' };

const READ_PLIST = `
import json, plistlib, sys
print(json.dumps(plistlib.loads(sys.stdin.buffer.read()), default=lambda data: data.hex()))
`;

function openssl(words: readonly string[], input: string | Buffer): string {
  return execFileSync('openssl', words, { input, encoding: 'utf8', stdio: 'pipe' });
}

test('profile is a property list with the authority in a payload for roots when it is read', async (context) => {
  const authority = (await makeAppliance(context).boot()).authority().cert;
  const text = authorityProfile(authority, WORDS);
  const profile = JSON.parse(execFileSync('python3', ['-c', READ_PLIST], { input: text, encoding: 'utf8' }));
  assert.equal(profile.PayloadType, 'Configuration');
  assert.equal(profile.PayloadVersion, 1);
  assert.equal(profile.PayloadDisplayName, WORDS.name);
  assert.equal(profile.PayloadRemovalDisallowed, false);
  const [payload, ...others] = profile.PayloadContent;
  assert.equal(others.length, 0);
  assert.equal(payload.PayloadType, 'com.apple.security.root');
  assert.equal(payload.PayloadVersion, 1);
  for (const each of [profile, payload]) {
    assert.match(each.PayloadUUID, /^[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/);
    assert.match(each.PayloadIdentifier, /^[\w.]+$/);
  }
  assert.notEqual(profile.PayloadUUID, payload.PayloadUUID);
  assert.notEqual(profile.PayloadIdentifier, payload.PayloadIdentifier);
  const certificate = Buffer.from(payload.PayloadContent, 'hex');
  assert.deepEqual(certificate, authorityBytes(authority));
  assert.equal(new X509Certificate(certificate).fingerprint256, new X509Certificate(authority).fingerprint256);
});

test('profile of the same authority replaces itself, and one of another does not', async (context) => {
  const [one, other] = [makeAppliance(context), makeAppliance(context)];
  const authority = (await one.boot()).authority().cert;
  assert.equal(authorityProfile(authority, WORDS), authorityProfile(authority, WORDS));
  const uuids = (text: string) => text.match(/[0-9A-F]{8}-[0-9A-F-]{27}/g);
  const profile = authorityProfile((await other.boot()).authority().cert, WORDS);
  assert.notDeepEqual(uuids(profile), uuids(authorityProfile(authority, WORDS)));
});

test("authority and server certificate hold Apple's rules when openssl looks at them", async (context) => {
  const certificates = await makeAppliance(context, { extraNames: ['home.example.org'] }).boot();
  const folder = temporaryFolder(context);
  const [authority, server] = [certificates.authority().cert, certificates.server().cert];
  const authorityText = openssl(['x509', '-noout', '-text'], authority);
  assert.match(authorityText, /CA:TRUE/);
  assert.match(authorityText, /Certificate Sign/);
  const text = openssl(['x509', '-noout', '-text'], server);
  assert.match(text, /Signature Algorithm: ecdsa-with-SHA256/);
  assert.match(text, /Public Key Algorithm: id-ecPublicKey\s+Public-Key: \(256 bit\)/);
  assert.match(text, /Extended Key Usage: *\n *TLS Web Server Authentication/);
  assert.match(text, /DNS:home\.example\.org/);
  assert.match(text, /DNS:pi\.local/);
  assert.match(text, /IP Address:192\.0\.2\.7/);
  const { validFromDate, validToDate } = new X509Certificate(server);
  const days = (validToDate.getTime() - validFromDate.getTime()) / 86_400_000;
  assert.ok(days > 30 && days <= 825, `${days} days`);
  const ca = join(folder, 'ca.crt');
  writeFileSync(ca, authority);
  const at = String(Math.trunc(validFromDate.getTime() / 1000) + 86_400 * 20);
  const verify = ['verify', '-purpose', 'sslserver', '-CAfile', ca, '-attime', at];
  for (const name of [
    ['-verify_hostname', 'home.example.org'],
    ['-verify_hostname', 'pi.local'],
    ['-verify_ip', '192.0.2.7'],
  ])
    assert.match(openssl([...verify, ...name], server), /: OK/);
  assert.throws(() => openssl([...verify, '-verify_hostname', 'other.example.org'], server));
});
