// What is said about a server certificate that clients refuse.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { certificateProblems } from '../../src/config/certificate-diagnostics.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { testAuthority } from '../support/network/test-certificates.ts';
import { missing } from '../support/process/foreign-program.ts';

const START = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;

async function certificate(days: number): Promise<X509Certificate> {
  const { cert } = await (await testAuthority()).issue('CN=localhost', new Date(START + days * DAY), new Date(START));
  return new X509Certificate(cert);
}

test('certificateProblems has none when phones accept the certificate', async () => {
  assert.deepEqual(certificateProblems(await certificate(820), START + DAY), []);
});

test('certificateProblems tells the day when the time of the certificate is over, or not come', async () => {
  assert.deepEqual(certificateProblems(await certificate(90), START + 91 * DAY), ['it ended on 2026-04-01']);
  assert.deepEqual(certificateProblems(await certificate(90), START - 20_000 * DAY), [
    'it begins on 2026-01-01, and the clock says 1971-03-31',
  ]);
});

test('certificateProblems tells how long a certificate is valid when that is longer than iPhones take', async () => {
  assert.deepEqual(certificateProblems(await certificate(3650), START), ['it is valid for 3650 days and iPhones take at most 825']);
});

test('certificateProblems tells what is missing when a certificate was made by openssl without extensions', {
  skip: missing(['openssl'], 'openssl'),
}, (context) => {
  const [cert, key] = ['crt', 'key'].map((ending) => join(temporaryFolder(context), `server.${ending}`)) as [string, string];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '30',
      '-subj',
      '/CN=pi',
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  );
  assert.deepEqual(certificateProblems(new X509Certificate(readFileSync(cert)), Date.now() + 1000), [
    'it names no host (subjectAltName), and phones do not look at the common name',
    'it is not marked as one for servers (extendedKeyUsage serverAuth), which iPhones ask for',
  ]);
});
