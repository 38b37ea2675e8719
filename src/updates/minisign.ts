// Signatures in the format of minisign, pre-hashed: https://jedisct1.github.io/minisign/#signature-format

import { createHash, createPublicKey, verify } from 'node:crypto';
import { OperatorError } from '../base/errors.ts';

/** PublicKey verifies the signatures that name its `id`. */
export interface PublicKey {
  /** 8 bytes in hexadecimal, the last byte first, as minisign prints it. */
  readonly id: string;
  /** 32 bytes of Ed25519. */
  readonly bytes: Buffer;
}

/** "Ed" of a key, and of a signature of the file itself, which minisign made before version 0.10; "ED" = of its BLAKE2b-512. */
const KEY_ALGORITHM = 'Ed';
const HASHED = 'ED';

const ID_END = 10;
const KEY_BYTES = 42;
const SIGNATURE_BYTES = 74;
const TRUSTED = 'trusted comment: ';

/** readPublicKeys reads the keys of a text: a file that minisign wrote, or several of them, one below the other. Lines that are comments do not count; throws OperatorError for one that is neither. */
export function readPublicKeys(text: string, name: string): readonly PublicKey[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('untrusted comment:') && !line.startsWith('#'));
  return lines.map((line) => {
    const bytes = Buffer.from(line, 'base64');
    if (bytes.length !== KEY_BYTES || bytes.toString('latin1', 0, 2) !== KEY_ALGORITHM)
      throw new OperatorError(`Cannot use the key in "${name}": it is not a public key of minisign`);
    return { id: idOf(bytes), bytes: bytes.subarray(ID_END) };
  });
}

/** verifySignature gives the trusted comment of a signature (the text of a .minisig file) if one of the keys made it for these bytes; throws OperatorError when none did. */
export function verifySignature(bytes: Uint8Array, signature: string, keys: readonly PublicKey[]): string {
  const [, first = '', comment = '', second = ''] = signature.split(/\r?\n/);
  const signed = Buffer.from(first, 'base64');
  const outer = Buffer.from(second, 'base64');
  if (signed.length !== SIGNATURE_BYTES || outer.length !== SIGNATURE_BYTES - ID_END || !comment.startsWith(TRUSTED))
    throw new OperatorError('the signature is not one of minisign');
  if (signed.toString('latin1', 0, 2) !== HASHED)
    throw new OperatorError('the signature is of an old kind: sign with minisign 0.10 or newer');
  const key = keys.find(({ id }) => id === idOf(signed));
  if (key === undefined)
    throw new OperatorError(`the signature is by key ${idOf(signed)}, and only ${keys.map(({ id }) => id).join(', ')} may sign`);
  const trusted = comment.slice(TRUSTED.length);
  const hash = createHash('blake2b512').update(bytes).digest();
  const whole = Buffer.concat([signed.subarray(ID_END), Buffer.from(trusted)]);
  if (!isSigned(hash, signed.subarray(ID_END), key) || !isSigned(whole, outer, key))
    throw new OperatorError('the signature does not belong to it: it was changed after it was signed');
  return trusted;
}

function isSigned(bytes: Buffer, signature: Buffer, key: PublicKey): boolean {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.bytes.toString('base64url') };
  return verify(null, bytes, createPublicKey({ key: jwk, format: 'jwk' }), signature);
}

function idOf(bytes: Buffer): string {
  return Buffer.from(bytes.subarray(2, ID_END)).reverse().toString('hex').toUpperCase();
}
