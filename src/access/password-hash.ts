// Password hashes in the three forms of mosquitto's password files. The slow ones run in libuv's threads, never on the event loop.
//
//   $6$<salt>$<hash>                              SHA-512(password + salt), one round
//   $7$<iterations>$<salt>$<hash>                 PBKDF2-HMAC-SHA512
//   $argon2id$v=19$m=47104,t=1,p=1$<salt>$<hash>  RFC 9106, PHC string

import { argon2, createHash, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const argon2Async = promisify(argon2);
const pbkdf2Async = promisify(pbkdf2);

/** What mosquitto_passwd 2.1 writes. One check takes 46 MB for some 60 ms. */
const ARGON2_DEFAULTS = { memory: 47104, passes: 1, parallelism: 1 } as const;
const ARGON2_VERSION = 19;
const ARGON2_SALT_BYTES = 64;

/** mosquitto_passwd 2.1's default; 2.0 wrote 101. */
const PBKDF2_ITERATIONS = 1000;

/** mosquitto 2.0 reads no other length in `$6$` and `$7$` lines. */
const SALT_BYTES = 12;
const HASH_BYTES = 64;

/** More than this in a hash line is a mistake, and would stop a small machine. KiB and rounds. */
const MAX_ARGON2_MEMORY = 1_048_576;
const MAX_ITERATIONS = 100_000_000;
const MAX_PASSES = 1000;

interface Argon2Cost {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** PasswordHash is one parsed hash. */
export type PasswordHash =
  | { readonly kind: 'sha512'; readonly salt: Buffer; readonly hash: Buffer }
  | { readonly kind: 'pbkdf2'; readonly iterations: number; readonly salt: Buffer; readonly hash: Buffer }
  | { readonly kind: 'argon2id'; readonly cost: Argon2Cost; readonly salt: Buffer; readonly hash: Buffer };

/** parsePasswordHash reads the text behind `user:`; null when it is none of the three forms. */
export function parsePasswordHash(text: string): PasswordHash | null {
  const fields = text.split('$');
  if (fields[0] !== '') return null;
  if (fields[1] === '6' && fields.length === 4) return parseSha512(fields);
  if (fields[1] === '7' && fields.length === 5) return parsePbkdf2(fields);
  if (fields[1] === 'argon2id' && fields.length === 6) return parseArgon2(fields);
  return null;
}

/** verifyPassword tells whether a password is the one that was hashed; the comparison takes the same time for any answer. */
export async function verifyPassword(stored: PasswordHash, password: Buffer): Promise<boolean> {
  return timingSafeEqual(await derive(stored, password), stored.hash);
}

/** HASH_KINDS are the forms that hashPassword makes, by the words of `mosquitto_passwd -H`; the first is the strongest. */
export const HASH_KINDS = ['argon2id', 'sha512-pbkdf2', 'sha512'] as const;

export type HashKind = (typeof HASH_KINDS)[number];

/** MAX_ROUNDS are the most rounds (argon2id: passes) that a hash may have. */
export const MAX_ROUNDS: Readonly<Record<HashKind, number>> = { argon2id: MAX_PASSES, 'sha512-pbkdf2': MAX_ITERATIONS, sha512: 1 };

/** hashPassword makes a hash as mosquitto_passwd 2.1 writes it behind `user:`, with its rounds unless others are asked for. */
export async function hashPassword(password: string, kind: HashKind = 'argon2id', rounds?: number): Promise<string> {
  return passwordHashText(await makePasswordHash(password, kind, rounds));
}

/** makePasswordHash makes a hash with a salt of its own. */
export async function makePasswordHash(password: string, kind: HashKind, rounds?: number): Promise<PasswordHash> {
  const made = emptyHash(kind, rounds);
  return { ...made, hash: await derive(made, Buffer.from(password)) };
}

/** passwordHashText is what parsePasswordHash reads. */
export function passwordHashText(stored: PasswordHash): string {
  switch (stored.kind) {
    case 'sha512':
      return `$6$${stored.salt.toString('base64')}$${stored.hash.toString('base64')}`;
    case 'pbkdf2':
      return `$7$${stored.iterations}$${stored.salt.toString('base64')}$${stored.hash.toString('base64')}`;
    case 'argon2id': {
      const { memory, passes, parallelism } = stored.cost;
      return `$argon2id$v=${ARGON2_VERSION}$m=${memory},t=${passes},p=${parallelism}$${unpadded(stored.salt)}$${unpadded(stored.hash)}`;
    }
  }
}

/** emptyHash has a fresh salt, and zeros where the hash will be. */
function emptyHash(kind: HashKind, rounds: number | undefined): PasswordHash {
  const hash = Buffer.alloc(HASH_BYTES);
  switch (kind) {
    case 'sha512':
      return { kind: 'sha512', salt: randomBytes(SALT_BYTES), hash };
    case 'sha512-pbkdf2':
      return { kind: 'pbkdf2', iterations: rounds ?? PBKDF2_ITERATIONS, salt: randomBytes(SALT_BYTES), hash };
    case 'argon2id':
      return { kind, cost: { ...ARGON2_DEFAULTS, passes: rounds ?? ARGON2_DEFAULTS.passes }, salt: randomBytes(ARGON2_SALT_BYTES), hash };
  }
}

/** decoyOf is a hash of the same cost that no password fits: the work done for unknown users. */
export function decoyOf(hash: PasswordHash): PasswordHash {
  return { ...hash, salt: randomBytes(hash.salt.length), hash: randomBytes(hash.hash.length) };
}

async function derive(stored: PasswordHash, password: Buffer): Promise<Buffer> {
  switch (stored.kind) {
    case 'sha512':
      return createHash('sha512').update(password).update(stored.salt).digest();
    case 'pbkdf2':
      return pbkdf2Async(password, stored.salt, stored.iterations, stored.hash.length, 'sha512');
    case 'argon2id':
      return argon2Async('argon2id', { message: password, nonce: stored.salt, tagLength: stored.hash.length, ...stored.cost });
  }
}

function parseSha512(fields: readonly string[]): PasswordHash | null {
  const salt = padded(fields[2]!);
  const hash = padded(fields[3]!);
  return salt === null || hash?.length !== HASH_BYTES ? null : { kind: 'sha512', salt, hash };
}

function parsePbkdf2(fields: readonly string[]): PasswordHash | null {
  const iterations = count(fields[2]!, MAX_ITERATIONS);
  const salt = padded(fields[3]!);
  const hash = padded(fields[4]!);
  return iterations === null || salt === null || hash?.length !== HASH_BYTES ? null : { kind: 'pbkdf2', iterations, salt, hash };
}

function parseArgon2(fields: readonly string[]): PasswordHash | null {
  if (fields[2] !== `v=${ARGON2_VERSION}`) return null;
  const match = /^m=(\d+),t=(\d+),p=(\d+)$/.exec(fields[3]!);
  if (match === null) return null;
  const [memory, passes, parallelism] = [count(match[1]!, MAX_ARGON2_MEMORY), count(match[2]!, MAX_PASSES), count(match[3]!, 64)];
  const salt = decode(fields[4]!, false);
  const hash = decode(fields[5]!, false);
  if (memory === null || passes === null || parallelism === null || memory < 8 * parallelism) return null;
  if (salt === null || salt.length < 8 || hash === null || hash.length < 16) return null; // RFC 9106 3.1 asks for salts of 8 bytes at least
  return { kind: 'argon2id', cost: { memory, passes, parallelism }, salt, hash };
}

function count(text: string, most: number): number | null {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= most ? value : null;
}

function padded(text: string): Buffer | null {
  return decode(text, true);
}

/** Buffer.from forgives anything; a damaged line must not become a password that nobody has. */
function decode(text: string, withPadding: boolean): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  const again = withPadding ? bytes.toString('base64') : unpadded(bytes);
  return bytes.length > 0 && again === text ? bytes : null;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
