// Makes certificates and revocation lists. It loads the X.509 library only when something is to be made: that costs 60 ms and more.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, type webcrypto } from 'node:crypto';

import type { Extension } from '@peculiar/x509';
import { integer } from './der.ts';
import type { ServerNames } from './names.ts';
import type { Validity } from './validity.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const COMMON_NAME_LENGTH = 64; // ub-common-name, RFC 5280 appendix A
const CRL_NUMBER = '2.5.29.20';

/** Issuer is an authority that can sign: its certificate in PEM and its private key. */
export interface Issuer {
  readonly cert: string;
  readonly key: KeyObject;
}

/** makeKey makes a P-256 private key. */
export function makeKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: ALGORITHM.namedCurve }).privateKey;
}

/** readKey reads a private key that makeKey could have made from PEM. Throws when it is anything else. */
export function readKey(pem: string): KeyObject {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('it is not a P-256 key');
  return key;
}

/** keyToPem writes a private key as PKCS #8. */
export function keyToPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** issueAuthority makes a self-signed certificate authority that can sign end entities but no further authority. Gives PEM. */
export async function issueAuthority(options: { key: KeyObject; commonName: string; validity: Validity }): Promise<string> {
  const x509 = await loadLibrary();
  const keys = cryptoKeys(options.key);
  const { KeyUsageFlags } = x509;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    keys,
    name: commonName(options.commonName),
    serialNumber: randomSerial(),
    ...dates(options.validity),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return pem(certificate.toString('pem'));
}

/** issueServer makes a TLS server certificate that follows Apple's rules (names in subjectAltName, serverAuth, SHA-256). Gives PEM. */
export async function issueServer(options: Leaf & { readonly names: ServerNames }): Promise<string> {
  const x509 = await loadLibrary();
  return issueLeaf(options, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension([
      ...options.names.dns.map((value) => ({ type: 'dns' as const, value })),
      ...options.names.ip.map((value) => ({ type: 'ip' as const, value })),
    ]),
  ]);
}

/** issueClient makes a TLS client certificate: its common name is the user name. Gives PEM. */
export async function issueClient(options: Leaf): Promise<string> {
  const x509 = await loadLibrary();
  return issueLeaf(options, [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])]);
}

interface Leaf {
  readonly issuer: Issuer;
  readonly key: KeyObject;
  readonly commonName: string;
  readonly validity: Validity;
}

async function issueLeaf(options: Leaf, usage: readonly Extension[]): Promise<string> {
  const x509 = await loadLibrary();
  const authority = new x509.X509Certificate(options.issuer.cert);
  const { publicKey } = cryptoKeys(options.key);
  const certificate = await x509.X509CertificateGenerator.create({
    publicKey,
    signingKey: cryptoKeys(options.issuer.key).privateKey,
    issuer: authority.subjectName,
    subject: commonName(options.commonName),
    serialNumber: randomSerial(),
    ...dates(options.validity),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ...usage,
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await authorityKeyId(options.issuer),
    ],
  });
  return pem(certificate.toString('pem'));
}

/** RevokedCertificate is one entry of a revocation list: a serial number in hexadecimal, and when it was revoked. */
export interface RevokedCertificate {
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** issueRevocationList signs a list of revoked certificates (RFC 5280 5). Gives PEM. */
export async function issueRevocationList(options: {
  issuer: Issuer;
  revoked: readonly RevokedCertificate[];
  number: number;
  validity: Validity;
}): Promise<string> {
  const x509 = await loadLibrary();
  const list = await x509.X509CrlGenerator.create({
    issuer: new x509.X509Certificate(options.issuer.cert).subjectName,
    thisUpdate: new Date(options.validity.notBefore),
    nextUpdate: new Date(options.validity.notAfter),
    entries: options.revoked.map(({ serial, at }) => ({ serialNumber: serial, revocationDate: new Date(at) })),
    extensions: [await authorityKeyId(options.issuer), new x509.Extension(CRL_NUMBER, false, integer(options.number))],
    signingAlgorithm: ALGORITHM,
    signingKey: cryptoKeys(options.issuer.key).privateKey,
  });
  return pem(list.toString('pem').replaceAll(/(BEGIN|END) CRL/g, '$1 X509 CRL')); // the word that OpenSSL knows it by
}

/** The authority's own key identifier, or for one that says none the usual one. */
async function authorityKeyId(issuer: Issuer): Promise<Extension> {
  const x509 = await loadLibrary();
  const keyId = new x509.X509Certificate(issuer.cert).getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  if (keyId !== undefined) return new x509.AuthorityKeyIdentifierExtension(keyId);
  return x509.AuthorityKeyIdentifierExtension.create(cryptoKeys(issuer.key).publicKey);
}

/** loadLibrary gives the X.509 library. */
export async function loadLibrary(): Promise<typeof import('@peculiar/x509')> {
  return (await import('./x509-library.ts')).x509;
}

function cryptoKeys(key: KeyObject): webcrypto.CryptoKeyPair {
  return {
    privateKey: key.toCryptoKey(ALGORITHM, false, ['sign']),
    publicKey: createPublicKey(key).toCryptoKey(ALGORITHM, true, ['verify']),
  };
}

function commonName(text: string): { CN: string[] }[] {
  return [{ CN: [text.slice(0, COMMON_NAME_LENGTH)] }];
}

/** Positive, not zero, 16 bytes of the 20 that RFC 5280 4.1.2.2 allows. */
function randomSerial(): string {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial.toString('hex');
}

function dates(validity: Validity): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(validity.notBefore), notAfter: new Date(validity.notAfter) };
}

function pem(text: string): string {
  return `${text.trim()}\n`;
}
