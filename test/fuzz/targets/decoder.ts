// The packets of a byte stream: found the same, with the same fault, wherever the stream is split.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Decoder } from '../../../src/mqtt/decoder.ts';
import { MalformedPacket } from '../../../src/mqtt/reason-codes.ts';
import { randomPacket } from '../../support/protocol/random-packets.ts';
import { damaged, hexOf } from '../mutations.ts';
import type { Target } from '../target.ts';

const MAX_PACKET_SIZE = 1000;

const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const packets = fc.array(randomPacket, { maxLength: 6 }).map((all) => Buffer.concat(all.map((one) => one(5))));

export const DECODER: Target<[Buffer, number[]]> = {
  name: 'decoder',
  what: 'streams of packets and noise, split anywhere',
  input: fc.tuple(hexOf(damaged(fc.oneof(noise, packets))), fc.array(fc.nat(2000), { maxLength: 6 })),
  open: () => ({
    feed([input, cuts]) {
      assert.deepEqual(decode(split(input, cuts)), decode([input]));
      return 1;
    },
    close: () => {},
  }),
};

/** split cuts bytes at places that are taken modulo their length. */
export function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((one, other) => one - other);
  return [...places, bytes.length].map((place, at) => bytes.subarray(places[at - 1] ?? 0, place));
}

/** What a decoder makes of chunks: the packets, and how it ended. */
function decode(chunks: readonly Buffer[]): string[] {
  const seen: string[] = [];
  const decoder = new Decoder(
    { onPacket: (buffer, start, _body, end) => seen.push(buffer.toString('hex', start, end)) > 0 },
    MAX_PACKET_SIZE,
  );
  try {
    for (const chunk of chunks) decoder.push(chunk);
  } catch (error) {
    if (!(error instanceof MalformedPacket)) throw error;
    seen.push(`${error.reasonCode}: ${error.message}`);
  }
  return seen;
}
