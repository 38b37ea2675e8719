// Reads and checks PEM files of TLS, so that a wrong one is named before anybody connects: those of listeners, and those of bridges.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError, reasonOf } from './errors.ts';
import { readNamedFile } from './named-file.ts';

/** CertificatePair is a certificate chain and its key, PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** PairFiles name the two files; `prefix` stands before the words `certfile` and `keyfile` in what is said about them. */
export interface PairFiles {
  readonly certfile: string;
  readonly keyfile: string;
  readonly prefix?: string;
}

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** readCertificatePair gives both files; throws OperatorError when one is damaged, or they do not belong together. */
export function readCertificatePair({ certfile, keyfile, prefix = '' }: PairFiles): CertificatePair {
  const [certWord, keyWord] = [`${prefix}certfile`, `${prefix}keyfile`];
  const cert = readPemFile(certWord, certfile);
  const key = readPemFile(keyWord, keyfile);
  const certificate = parseCertificate(certWord, certfile, cert);
  const privateKey = parseKey(keyWord, keyfile, key);
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new OperatorError(`Cannot use ${keyWord} "${keyfile}": it does not belong to the certificate in "${certfile}"`);
  }
  return { cert, key };
}

/** readPemFile gives the text of the file that a word names; throws OperatorError. */
export function readPemFile(word: string, path: string): string {
  try {
    return readNamedFile(path).toString('utf8');
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

function parseKey(word: string, path: string, pem: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const encrypted = /ENCRYPTED/.test(pem);
    const reason = encrypted
      ? 'it is encrypted and nobody can type its passphrase here - decrypt it with "openssl pkey -in FILE -out NEWFILE"'
      : 'it holds no PEM private key';
    throw new OperatorError(`Cannot use ${word} "${path}": ${reason}`, { cause: error });
  }
}

/** certificatesInFile gives the certificates of a `cafile`, PEM; throws OperatorError when there are none, or one is damaged. */
export function certificatesInFile(word: string, path: string): readonly string[] {
  const blocks = readPemFile(word, path).match(PEM_BLOCK) ?? [];
  if (blocks.length === 0) throw new OperatorError(`Cannot use ${word} "${path}": it holds no PEM certificate`);
  for (const block of blocks) checkAuthority(word, path, parseCertificate(word, path, block));
  return blocks;
}

/** rootInFile gives the authority at the end of a chain, PEM; null = it is not in the file. Throws OperatorError. */
export function rootInFile(word: string, path: string): string | null {
  const root = certificatesInFile(word, path).find((pem) => {
    const { subject, issuer } = new X509Certificate(pem);
    return subject === issuer;
  });
  return root ?? null;
}

/** Others are checked against its key later, where nobody could mend it. */
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
export function certificatesInFolder(word: string, folder: string): readonly string[] {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    throw new OperatorError(`Cannot read ${word} "${folder}": ${reasonOf(error)}`, { cause: error });
  }
  const wanted = names.filter((name) => /\.(pem|crt|cer|\d+)$/.test(name));
  const found = new Set(wanted.flatMap((name) => certificatesInFile(word, join(folder, name)))); // openssl rehash makes a link beside each file
  if (found.size === 0) throw new OperatorError(`Cannot use ${word} "${folder}": it holds no file ending in .pem or .crt`);
  return [...found];
}
