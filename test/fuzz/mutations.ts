// Damage to bytes and text: a sound input of a grammar, changed in a few places.

import fc from 'fast-check';
import { type Mutation, mutate, mutation } from '../support/protocol/random-packets.ts';

/** damaged gives inputs of `sound`, most of them changed in one to four places, a few left as they are. */
export function damaged(sound: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc.tuple(sound, fc.array(wide, { maxLength: 4 })).map(([bytes, changes]) => changes.reduce(mutate, bytes));
}

/** damagedText is `damaged` for text; what is no UTF-8 any more becomes U+FFFD, as where a file is read as text. */
export function damagedText(sound: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return damaged(sound.map((text) => Buffer.from(text))).map((bytes) => bytes.toString());
}

/** hexOf shows bytes as hex where a failure is reported. */
export function hexOf(bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return bytes.map((value) => Object.assign(value, { [fc.toStringMethod]: () => value.toString('hex') }));
}

/** As `mutation`, anywhere in some kilobytes. */
const wide: fc.Arbitrary<Mutation> = fc.tuple(mutation, fc.nat(8191)).map(([one, at]) => ({ ...one, at }));
