// A key with its certificate and authority in one file with a password (.p12, .pfx, OwnTracks' .otrp): PKCS #12, RFC 7292.
//
//   PFX  version, MacData (SHA-1), and in a "data":
//     encryptedData   certificate, authority
//     data            key, encrypted by itself
//
// Everything is encrypted with 3DES by a key that SHA-1 derives: the one way that every iPhone, Android, Windows and OpenSSL imports. iOS before
// 18 and Android before 12 call the password of a newer file (PBES2, AES, SHA-256) wrong; RC2, which the oldest programs write, OpenSSL 3 does
// not read. What protects the file is its password, which is made here and cannot be guessed.

import { createCipheriv, createHash, createHmac, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';

import { bmpString, explicit, implicit, integer, nullValue, objectIdentifier, octetString, sequence, setOf, utf16 } from './der.ts';

const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const SHROUDED_KEY_BAG = '1.2.840.113549.1.12.10.1.2';
const CERTIFICATE_BAG = '1.2.840.113549.1.12.10.1.3';
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';
const FRIENDLY_NAME = '1.2.840.113549.1.9.20';
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21';
const PBE_SHA1_3DES = '1.2.840.113549.1.12.1.3';
const SHA1 = '1.3.14.3.2.26';

/** What a derived key is for, RFC 7292 B.3. */
const FOR_KEY = 1;
const FOR_IV = 2;
const FOR_MAC = 3;

const ITERATIONS = 10_000;
const SALT_BYTES = 16;
const SHA1_BYTES = 20;
const SHA1_BLOCK = 64;

export interface Pkcs12Contents {
  readonly key: KeyObject;
  /** PEM: the certificate of that key. */
  readonly cert: string;
  /** PEM: its authority. */
  readonly authority: string;
  /** What phones call it in their lists. */
  readonly name: string;
}

/** makePkcs12 gives the bytes of the file. The password must not be empty: iOS takes no file without one. */
export function makePkcs12({ key, cert, authority, name }: Pkcs12Contents, password: string): Buffer {
  const [certificate, issuer] = [new X509Certificate(cert).raw, new X509Certificate(authority).raw];
  const names = setOf(
    attribute(FRIENDLY_NAME, bmpString(name)),
    attribute(LOCAL_KEY_ID, octetString(createHash('sha1').update(certificate).digest())),
  );
  const certificates = sequence(certificateBag(certificate, names), certificateBag(issuer, null));
  const keyBag = sequence(objectIdentifier(SHROUDED_KEY_BAG), explicit(0, shroudedKey(key, password)), names);
  const safe = sequence(encryptedData(certificates, password), data(sequence(keyBag)));
  return sequence(integer(3), data(safe), macData(safe, password));
}

function certificateBag(certificate: Buffer, attributes: Buffer | null): Buffer {
  const bag = sequence(objectIdentifier(X509_CERTIFICATE), explicit(0, octetString(certificate)));
  return sequence(objectIdentifier(CERTIFICATE_BAG), explicit(0, bag), ...(attributes === null ? [] : [attributes]));
}

function attribute(type: string, value: Buffer): Buffer {
  return sequence(objectIdentifier(type), setOf(value));
}

function shroudedKey(key: KeyObject, password: string): Buffer {
  const { algorithm, bytes } = encrypt(key.export({ type: 'pkcs8', format: 'der' }), password);
  return sequence(algorithm, octetString(bytes));
}

function encryptedData(content: Buffer, password: string): Buffer {
  const { algorithm, bytes } = encrypt(content, password);
  const encrypted = sequence(objectIdentifier(DATA), algorithm, implicit(0, bytes));
  return sequence(objectIdentifier(ENCRYPTED_DATA), explicit(0, sequence(integer(0), encrypted)));
}

function data(content: Buffer): Buffer {
  return sequence(objectIdentifier(DATA), explicit(0, octetString(content)));
}

function macData(safe: Buffer, password: string): Buffer {
  const salt = randomBytes(SALT_BYTES);
  const mac = createHmac('sha1', deriveBytes(password, salt, FOR_MAC, SHA1_BYTES))
    .update(safe)
    .digest();
  const digest = sequence(sequence(objectIdentifier(SHA1), nullValue()), octetString(mac));
  return sequence(digest, octetString(salt), integer(ITERATIONS));
}

function encrypt(plain: Buffer, password: string): { readonly algorithm: Buffer; readonly bytes: Buffer } {
  const salt = randomBytes(SALT_BYTES);
  const cipher = createCipheriv('des-ede3-cbc', deriveBytes(password, salt, FOR_KEY, 24), deriveBytes(password, salt, FOR_IV, 8));
  return {
    algorithm: sequence(objectIdentifier(PBE_SHA1_3DES), sequence(octetString(salt), integer(ITERATIONS))),
    bytes: Buffer.concat([cipher.update(plain), cipher.final()]),
  };
}

/** deriveBytes is RFC 7292 B.2 with SHA-1; the password counts with its final zero. */
function deriveBytes(password: string, salt: Buffer, purpose: number, length: number): Buffer {
  const diversifier = Buffer.alloc(SHA1_BLOCK, purpose);
  let input: Buffer = Buffer.concat([fillBlocks(salt), fillBlocks(utf16(`${password}\0`))]);
  const parts: Buffer[] = [];
  for (let made = 0; made < length; made += SHA1_BYTES) {
    let hash: Buffer = sha1(Buffer.concat([diversifier, input]));
    for (let round = 1; round < ITERATIONS; round++) hash = sha1(hash);
    parts.push(hash);
    input = addToBlocks(input, repeatTo(hash, SHA1_BLOCK));
  }
  return Buffer.concat(parts).subarray(0, length);
}

function fillBlocks(bytes: Buffer): Buffer {
  return repeatTo(bytes, Math.ceil(bytes.length / SHA1_BLOCK) * SHA1_BLOCK);
}

function repeatTo(bytes: Buffer, length: number): Buffer {
  return Buffer.alloc(length, bytes);
}

/** Each block as a number, plus the hash, plus one, without what goes beyond the block: B.2 step 6 C. */
function addToBlocks(blocks: Buffer, hash: Buffer): Buffer {
  const sums = Buffer.from(blocks);
  for (let start = 0; start < sums.length; start += SHA1_BLOCK) {
    let carry = 1;
    for (let at = SHA1_BLOCK - 1; at >= 0; at--) {
      carry += sums[start + at]! + hash[at]!; // both have a whole block
      sums[start + at] = carry & 0xff;
      carry >>= 8;
    }
  }
  return sums;
}

function sha1(bytes: Buffer): Buffer {
  return createHash('sha1').update(bytes).digest();
}
