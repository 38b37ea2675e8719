// Reads and checks the PEM files of a TLS listener, so that a wrong file is named before the port opens.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import { OperatorError, reasonOf } from '../base/errors.ts';
import type { ClientRules, Revocations } from './client-certificate.ts';
import type { TlsOptions } from './options.ts';
import { type PskKeys, readPskFile } from './psk-file.ts';

/** CertificatePair is a certificate chain and its key, PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** In TLS 1.2 and 1.3 a client may resume its session for so long without a new key exchange. Seconds. */
const SESSION_LIFETIME_S = 7200;

const TLS13_CIPHERS = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';

/** Those of mosquitto with authenticated encryption: none with CBC. Microcontrollers may have CCM only. */
const TLS12_CIPHERS = 'ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AESCCM:kRSA+AESGCM:kRSA+AESCCM:!PSK';

/** Those of pre-shared keys with authenticated encryption, forward secrecy first: OpenSSL and mbedTLS have one of them at least. RFC 5487, 6655, 7905 */
const PSK_CIPHERS = 'kECDHEPSK+CHACHA20:kDHEPSK+AESGCM:kDHEPSK+CHACHA20:kDHEPSK+AESCCM:kPSK+AESGCM:kPSK+CHACHA20:kPSK+AESCCM';

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** TlsSource is where a listener's TLS comes from besides its files. */
export interface TlsSource {
  /** applianceCertificate gives the certificate of our own authority; asked only where `tls.certificate` is 'appliance'. */
  applianceCertificate(): CertificatePair;
  /** applianceAuthority gives our own authority (PEM) and what it has revoked; asked only where its clients may come in. */
  applianceAuthority(): { readonly cert: string; readonly revocations: Revocations };
  /** readRevocations reads the lists in a PEM text that are signed by these authorities (PEM). Throws when it holds none. */
  readRevocations(text: string, authorities: readonly string[]): Promise<Revocations>;
}

/** TlsMaterial is what a listener shows and asks for. */
export interface TlsMaterial {
  readonly context: SecureContextOptions;
  /** Null = no certificate is asked of clients. */
  readonly clients: ClientRules | null;
  /** Null = certificates, no pre-shared keys. */
  readonly psk: { readonly keys: PskKeys; readonly hint: string } | null;
}

/** readTls reads all files of a listener; throws OperatorError naming the file and what is wrong with it. */
export async function readTls(options: TlsOptions, source: TlsSource): Promise<TlsMaterial> {
  const { certificate } = options;
  const pair =
    certificate === 'appliance' ? source.applianceCertificate() : certificate && readPair(certificate.certfile, certificate.keyfile);
  const { authorities, revocations } = await readClientAuthorities(options, source);
  return {
    context: {
      ...pair,
      minVersion: options.minVersion,
      sessionTimeout: SESSION_LIFETIME_S,
      ...(authorities.length > 0 ? { ca: [...authorities] } : {}),
      ciphers: completeCiphers(options),
    },
    clients: options.requireCertificate
      ? {
          authorities: authorities.map((pem) => new X509Certificate(pem)),
          revocations,
          checksDates: options.checksClientDates,
        }
      : null,
    psk: options.psk && { keys: readPskFile(options.psk.file), hint: options.psk.hint },
  };
}

async function readClientAuthorities(options: TlsOptions, source: TlsSource) {
  if (options.requireCertificate && options.cafile === null && options.capath === null) {
    const { cert, revocations } = source.applianceAuthority();
    return { authorities: [cert], revocations };
  }
  const authorities = readAuthorities(options);
  if (options.crlfile === null) return { authorities, revocations: null };
  const text = readFile('crlfile', options.crlfile);
  try {
    return { authorities, revocations: await source.readRevocations(text, authorities) };
  } catch (error) {
    throw new OperatorError(`Cannot use crlfile "${options.crlfile}": ${reasonOf(error)}`, { cause: error });
  }
}

function readPair(certfile: string, keyfile: string): CertificatePair {
  const cert = readFile('certfile', certfile);
  const key = readFile('keyfile', keyfile);
  const certificate = parseCertificate('certfile', certfile, cert);
  const privateKey = parseKey(keyfile, key);
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new OperatorError(`Cannot use keyfile "${keyfile}": it does not belong to the certificate in "${certfile}"`);
  }
  return { cert, key };
}

function readFile(word: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new OperatorError(`Cannot read ${word} "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

function parseCertificate(word: string, path: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new OperatorError(`Cannot use ${word} "${path}": it holds no PEM certificate`, { cause: error });
  }
}

function parseKey(path: string, pem: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const encrypted = /ENCRYPTED/.test(pem);
    const reason = encrypted
      ? 'it is encrypted and nobody can type its passphrase here - decrypt it with "openssl pkey -in FILE -out NEWFILE"'
      : 'it holds no PEM private key';
    throw new OperatorError(`Cannot use keyfile "${path}": ${reason}`, { cause: error });
  }
}

function readAuthorities(options: TlsOptions): readonly string[] {
  const fromFile = options.cafile === null ? [] : certificatesIn('cafile', options.cafile);
  const fromFolder = options.capath === null ? [] : certificatesInFolder(options.capath);
  return [...fromFile, ...fromFolder];
}

function certificatesIn(word: string, path: string): readonly string[] {
  const blocks = readFile(word, path).match(PEM_BLOCK) ?? [];
  if (blocks.length === 0) throw new OperatorError(`Cannot use ${word} "${path}": it holds no PEM certificate`);
  for (const block of blocks) checkAuthority(word, path, parseCertificate(word, path, block));
  return blocks;
}

/** Clients are checked against its key later, where nobody could mend it. */
function checkAuthority(word: string, path: string, authority: X509Certificate): void {
  try {
    authority.publicKey.asymmetricKeyType;
  } catch (error) {
    const name = (authority.subject ?? 'without a name').replaceAll('\n', ', ');
    throw new OperatorError(`Cannot use ${word} "${path}": the key of the certificate "${name}" can't be read (${reasonOf(error)})`, {
      cause: error,
    });
  }
}

/** certificatesInFolder gives the certificates of a `capath`, PEM; throws OperatorError when there are none, or one is damaged. */
export function certificatesInFolder(folder: string): readonly string[] {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    throw new OperatorError(`Cannot read capath "${folder}": ${reasonOf(error)}`, { cause: error });
  }
  const wanted = names.filter((name) => /\.(pem|crt|cer|\d+)$/.test(name));
  const found = new Set(wanted.flatMap((name) => certificatesIn('capath', join(folder, name)))); // openssl rehash makes a link beside each file
  if (found.size === 0) throw new OperatorError(`Cannot use capath "${folder}": it holds no file ending in .pem or .crt`);
  return [...found];
}

/** Node takes one list for both versions: what the options do not name is the default of its version. */
function completeCiphers(options: TlsOptions): string {
  const tls12 = options.ciphers ?? (options.psk === null ? TLS12_CIPHERS : PSK_CIPHERS);
  return `${options.ciphersTls13 ?? TLS13_CIPHERS}:${tls12}`;
}
