// Reads and checks the PEM files of a TLS listener, so that a wrong file is named before the port opens.

import { X509Certificate } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { type CertificatePair, certificatesInFile, certificatesInFolder, readCertificatePair, readPemFile } from '../base/pem-files.ts';
import { cipherList } from '../base/tls-ciphers.ts';
import type { ClientRules, Revocations } from './client-certificate.ts';
import type { TlsOptions } from './options.ts';
import { type PskKeys, readPskFile } from './psk-file.ts';

/** In TLS 1.2 and 1.3 a client may resume its session for so long without a new key exchange. Seconds. */
const SESSION_LIFETIME_S = 7200;

/** PublicPair is shown to clients that ask for one of its names. */
export interface PublicPair extends CertificatePair {
  readonly names: readonly string[];
}

/** TlsSource is where a listener's TLS comes from besides its files. */
export interface TlsSource {
  /** applianceCertificate gives the certificate of our own authority; asked only where `tls.certificate` is 'appliance'. */
  applianceCertificate(): CertificatePair;
  /** publicCertificate gives the certificate for clients that ask for one of its names; null = there is none. Asked where applianceCertificate is. */
  publicCertificate?(): PublicPair | null;
  /** applianceAuthority gives our own authority (PEM) and what it has revoked; asked only where its clients may come in. */
  applianceAuthority(): { readonly cert: string; readonly revocations: Revocations };
  /** readRevocations reads the lists in a PEM text that are signed by these authorities (PEM). Throws when it holds none. */
  readRevocations(text: string, authorities: readonly string[]): Promise<Revocations>;
}

/** TlsMaterial is what a listener shows and asks for. */
export interface TlsMaterial {
  readonly context: SecureContextOptions;
  /** What is shown instead to clients that ask for one of its names; null = nothing else. */
  readonly named: PublicPair | null;
  /** Null = no certificate is asked of clients. */
  readonly clients: ClientRules | null;
  /** Null = certificates, no pre-shared keys. */
  readonly psk: { readonly keys: PskKeys; readonly hint: string } | null;
}

/** readTls reads all files of a listener; throws OperatorError naming the file and what is wrong with it. */
export async function readTls(options: TlsOptions, source: TlsSource): Promise<TlsMaterial> {
  const { certificate } = options;
  const pair = certificate === 'appliance' ? source.applianceCertificate() : certificate && readCertificatePair(certificate);
  const { authorities, revocations } = await readClientAuthorities(options, source);
  return {
    context: {
      ...pair,
      minVersion: options.minVersion,
      sessionTimeout: SESSION_LIFETIME_S,
      ...(authorities.length > 0 ? { ca: [...authorities] } : {}),
      ciphers: cipherList(options),
    },
    named: certificate === 'appliance' ? (source.publicCertificate?.() ?? null) : null,
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
  const text = readPemFile('crlfile', options.crlfile);
  try {
    return { authorities, revocations: await source.readRevocations(text, authorities) };
  } catch (error) {
    throw new OperatorError(`Cannot use crlfile "${options.crlfile}": ${reasonOf(error)}`, { cause: error });
  }
}

function readAuthorities(options: TlsOptions): readonly string[] {
  const fromFile = options.cafile === null ? [] : certificatesInFile('cafile', options.cafile);
  const fromFolder = options.capath === null ? [] : certificatesInFolder('capath', options.capath);
  return [...fromFile, ...fromFolder];
}
