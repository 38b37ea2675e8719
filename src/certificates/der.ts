// Writes ASN.1 in DER (ITU-T X.690), as far as PKCS #12 files need it.

/** Tags of X.690 8.1.2 that are used here. */
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const NULL = 0x05;
const OBJECT_IDENTIFIER = 0x06;
const BMP_STRING = 0x1e;
const SEQUENCE = 0x30;
const SET = 0x31;
const CONTEXT = 0x80;
const CONSTRUCTED = 0x20;

/** sequence joins values in their order. */
export function sequence(...values: readonly Buffer[]): Buffer {
  return element(SEQUENCE, Buffer.concat(values));
}

/** setOf joins values in the order of their bytes (X.690 11.6). */
export function setOf(...values: readonly Buffer[]): Buffer {
  return element(SET, Buffer.concat(values.toSorted(Buffer.compare)));
}

/** integer writes a whole number from 0 to 2^31 - 1. */
export function integer(value: number): Buffer {
  const bytes = [value & 0xff];
  for (let rest = value >>> 8; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  if (bytes[0]! >= 0x80) bytes.unshift(0); // it would be negative
  return element(INTEGER, Buffer.from(bytes));
}

export function octetString(bytes: Buffer): Buffer {
  return element(OCTET_STRING, bytes);
}

export function nullValue(): Buffer {
  return element(NULL, Buffer.alloc(0));
}

/** objectIdentifier takes the dotted form, for example `1.2.840.113549.1.7.1`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(OBJECT_IDENTIFIER, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** bmpString writes text in UTF-16, big end first. */
export function bmpString(text: string): Buffer {
  return element(BMP_STRING, utf16(text));
}

/** explicit wraps a value in a context tag. */
export function explicit(tag: number, value: Buffer): Buffer {
  return element(CONTEXT | CONSTRUCTED | tag, value);
}

/** implicit gives bytes a context tag instead of their own. */
export function implicit(tag: number, bytes: Buffer): Buffer {
  return element(CONTEXT | tag, bytes);
}

/** utf16 gives the bytes of a BMPString. */
export function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

function element(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content]);
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift(0x80 | (rest & 0x7f));
  return bytes;
}
