// Signatures of DNS messages with a shared key: TSIG, RFC 8945.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { OperatorError, reasonOf } from '../base/errors.ts';
import { readNamedText } from '../base/named-file.ts';
import { encodeName, nameEnd } from './dns-wire.ts';

/** Names of RFC 8945 6 that are still to be used, and what node:crypto calls them. */
const DIGESTS: ReadonlyMap<string, string> = new Map([
  ['hmac-sha1', 'sha1'],
  ['hmac-sha224', 'sha224'],
  ['hmac-sha256', 'sha256'],
  ['hmac-sha384', 'sha384'],
  ['hmac-sha512', 'sha512'],
]);
const TYPE_TSIG = 250;
const CLASS_ANY = 255;
/** Seconds that the clocks of both may differ (RFC 8945 10). */
const FUDGE = 300;
const HEADER_BYTES = 12;
const MAX_KEY_FILE_BYTES = 4096;
/** Comments of named.conf(5); strings too, for a secret may hold "//". */
const COMMENT_OR_STRING = /"[^"]*"|\/\/.*|#.*|\/\*[\s\S]*?\*\//g;
const ERRORS: ReadonlyMap<number, string> = new Map([
  [16, 'the signature is wrong: the key is another one there'],
  [17, 'this key is not known there'],
  [18, 'the clocks differ by more than five minutes'],
]);

/** TsigKey is a key that this box and a name server share. */
export interface TsigKey {
  readonly name: string;
  /** `hmac-sha256` or another name of RFC 8945 6. */
  readonly algorithm: string;
  readonly secret: Buffer;
}

/** Signed is a message with its signature, and what the answer is verified with. */
export interface Signed {
  readonly message: Buffer;
  readonly mac: Buffer;
}

/** readTsigKey reads a file as tsig-keygen(8) writes it; throws OperatorError without showing anything of the key. */
export function readTsigKey(path: string): TsigKey {
  const text = readKeyText(path).replaceAll(COMMENT_OR_STRING, (found) => (found.startsWith('"') ? found : ''));
  const [, name, body] = /key\s+"?([^\s"{]+)"?\s*\{([\s\S]*?)\}/.exec(text) ?? [];
  const algorithm = /algorithm\s+"?([\w-]+)"?\s*;/.exec(body ?? '')?.[1]?.toLowerCase();
  const secret = /secret\s+"?([A-Za-z0-9+/=]+)"?\s*;/.exec(body ?? '')?.[1];
  if (name === undefined || algorithm === undefined || secret === undefined)
    throw new OperatorError(`Cannot use dns_update_key "${path}": it is no key as tsig-keygen writes it - make one: tsig-keygen NAME`);
  if (!DIGESTS.has(algorithm))
    throw new OperatorError(
      `Cannot use dns_update_key "${path}": ${algorithm} is not supported - write one of ${[...DIGESTS.keys()].join(', ')}`,
    );
  return { name: name.replace(/\.$/, '').toLowerCase(), algorithm, secret: Buffer.from(secret, 'base64') };
}

function readKeyText(path: string): string {
  try {
    return readNamedText(path, MAX_KEY_FILE_BYTES);
  } catch (error) {
    throw new OperatorError(`Cannot read dns_update_key "${path}": ${reasonOf(error)}`, { cause: error });
  }
}

/** sign adds the signature of a request. `now` in milliseconds since 1970. */
export function sign(request: Buffer, key: TsigKey, now: number): Signed {
  const variables = { key, time: Math.floor(now / 1000), error: 0, other: Buffer.alloc(0) };
  const mac = digest(key, [request, variablesOf(variables)]);
  const message = Buffer.concat([request, recordOf(variables, mac, request.readUInt16BE(0))]);
  message.writeUInt16BE(request.readUInt16BE(10) + 1, 10); // ARCOUNT
  return { message, mac };
}

/** verify throws unless an answer is signed with the key of the request and says no fault of the signature. `recordAt` is where its TSIG record begins. */
export function verify(answer: Buffer, recordAt: number, request: Signed, key: TsigKey): void {
  const { algorithm, time, mac, error, other, originalId } = readRecord(answer, recordAt);
  const fault = ERRORS.get(error);
  if (error !== 0) throw new Error(fault ?? `the name server answers with the error ${error} of TSIG`);
  if (algorithm !== key.algorithm) throw new Error('the answer is signed in another way than the request');
  const unsigned = Buffer.from(answer.subarray(0, recordAt));
  unsigned.writeUInt16BE(originalId, 0);
  unsigned.writeUInt16BE(answer.readUInt16BE(10) - 1, 10);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(request.mac.length);
  const expected = digest(key, [length, request.mac, unsigned, variablesOf({ key, time, error, other })]);
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) throw new Error('the signature of the answer is wrong');
}

interface Variables {
  readonly key: TsigKey;
  /** Seconds since 1970. */
  readonly time: number;
  readonly error: number;
  readonly other: Buffer;
}

/** RFC 8945 4.3.3. */
function variablesOf({ key, time, error, other }: Variables): Buffer {
  const fixed = Buffer.alloc(6);
  fixed.writeUInt16BE(CLASS_ANY);
  const tail = Buffer.alloc(12);
  tail.writeUIntBE(time, 0, 6);
  tail.writeUInt16BE(FUDGE, 6);
  tail.writeUInt16BE(error, 8);
  tail.writeUInt16BE(other.length, 10);
  return Buffer.concat([encodeName(key.name), fixed, encodeName(key.algorithm), tail, other]);
}

/** RFC 8945 4.2. */
function recordOf({ key, time, error }: Variables, mac: Buffer, originalId: number): Buffer {
  const algorithm = encodeName(key.algorithm);
  const head = Buffer.alloc(10);
  head.writeUInt16BE(TYPE_TSIG);
  head.writeUInt16BE(CLASS_ANY, 2);
  head.writeUInt16BE(algorithm.length + 16 + mac.length, 8);
  const times = Buffer.alloc(10);
  times.writeUIntBE(time, 0, 6);
  times.writeUInt16BE(FUDGE, 6);
  times.writeUInt16BE(mac.length, 8);
  const tail = Buffer.alloc(6);
  tail.writeUInt16BE(originalId);
  tail.writeUInt16BE(error, 2);
  return Buffer.concat([encodeName(key.name), head, algorithm, times, mac, tail]);
}

function readRecord(message: Buffer, at: number) {
  if (at < HEADER_BYTES) throw new Error('the answer is not signed');
  const head = nameEnd(message, at);
  if (message.readUInt16BE(head) !== TYPE_TSIG) throw new Error('the answer is not signed');
  const start = head + 10;
  const behind = nameEnd(message, start);
  const macLength = message.readUInt16BE(behind + 8);
  const tail = behind + 10 + macLength;
  const otherLength = message.readUInt16BE(tail + 4);
  return {
    algorithm: message
      .subarray(start + 1, behind - 1)
      .toString('latin1')
      .toLowerCase(),
    time: message.readUIntBE(behind, 6),
    mac: message.subarray(behind + 10, tail),
    originalId: message.readUInt16BE(tail),
    error: message.readUInt16BE(tail + 2),
    other: message.subarray(tail + 6, tail + 6 + otherLength),
  };
}

function digest({ algorithm, secret }: TsigKey, parts: readonly Buffer[]): Buffer {
  const hmac = createHmac(DIGESTS.get(algorithm)!, secret); // readTsigKey takes no others
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}
