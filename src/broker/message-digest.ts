// What a received QoS 2 message is known by until it is released: a repetition has the same topic and payload.

import { crc32 } from 'node:zlib';

/** UNKNOWN_DIGEST is that of a message whose row was written before rows had digests. */
export const UNKNOWN_DIGEST = 0;

const TWO_32 = 0x1_0000_0000;
const LENGTHS = 0x10_0000;

/**
 * digestOf gives 52 bits: CRC-32 of topic and payload, and the payload's length modulo 2^20. Messages of one length that differ in
 * up to 32 neighbouring bits never have the same. Properties do not count.
 */
export function digestOf(topicName: Uint8Array, payload: Uint8Array): number {
  return (payload.length % LENGTHS) * TWO_32 + crc32(payload, crc32(topicName));
}
