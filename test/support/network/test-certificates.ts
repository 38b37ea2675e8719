// An authority, a server certificate and client certificates for TLS tests, made once per test process.

import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const NOT_BEFORE = new Date('2020-01-01');
const NOT_AFTER = new Date('2049-01-01');

export interface TestPair {
  readonly cert: string;
  readonly key: string;
}

export interface TestAuthority {
  readonly cert: string;
  /** issue makes a certificate for a subject, valid for localhost, 127.0.0.1 and ::1, from 2020 to 2049 unless said otherwise. */
  issue(subject: string, notAfter?: Date, notBefore?: Date): Promise<TestPair>;
  /** authority makes an authority below this one. */
  authority(name: string): Promise<TestAuthority>;
  /** revoke signs a list of revoked certificates (PEM), to be renewed by 2049 unless said otherwise. */
  revoke(pairs: readonly TestPair[], nextUpdate?: Date): Promise<string>;
}

/** testAuthority makes a certificate authority. */
export async function testAuthority(name = 'CN=Test CA'): Promise<TestAuthority> {
  const keys = await makeKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    keys,
    name,
    serialNumber: '01',
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return authorityOf(root, keys);
}

function authorityOf(root: x509.X509Certificate, keys: CryptoKeyPair): TestAuthority {
  return {
    cert: `${root.toString('pem')}\n`,
    issue: (subject, notAfter = NOT_AFTER, notBefore = NOT_BEFORE) => issue(root, keys, { subject, notBefore, notAfter }),
    authority: (name) => subordinate(root, keys, name),
    revoke: (pairs, nextUpdate = NOT_AFTER) => revoke(root, keys, pairs, nextUpdate),
  };
}

async function subordinate(root: x509.X509Certificate, rootKeys: CryptoKeyPair, name: string): Promise<TestAuthority> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    publicKey: keys.publicKey,
    signingKey: rootKeys.privateKey,
    issuer: root.subjectName,
    subject: name,
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return authorityOf(certificate, keys);
}

async function revoke(root: x509.X509Certificate, keys: CryptoKeyPair, pairs: readonly TestPair[], nextUpdate: Date): Promise<string> {
  const list = await x509.X509CrlGenerator.create({
    issuer: root.subjectName,
    thisUpdate: NOT_BEFORE,
    nextUpdate,
    entries: pairs.map(({ cert }) => ({ serialNumber: new x509.X509Certificate(cert).serialNumber })),
    signingAlgorithm: ALGORITHM,
    signingKey: keys.privateKey,
  });
  return `${list.toString('pem').replaceAll(/(BEGIN|END) CRL/g, '$1 X509 CRL')}\n`;
}

interface Wish {
  readonly subject: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

async function issue(root: x509.X509Certificate, authorityKeys: CryptoKeyPair, { subject, notBefore, notAfter }: Wish): Promise<TestPair> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    issuer: root.subjectName,
    subject,
    notBefore,
    notAfter,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
    ],
  });
  return {
    cert: certificate.toString('pem'),
    key: x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'),
  };
}

type CryptoKeyPair = webcrypto.CryptoKeyPair;

function makeKeys(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<CryptoKeyPair>; // the overload for key pairs asks for a mutable list
}
