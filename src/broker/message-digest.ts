// What a received QoS 2 message is known by until it is released: a repetition has the same topic and payload.

import { hashOf, type Topic } from './topic.ts';

/** UNKNOWN_DIGEST is that of a message whose row was written before rows had digests. */
export const UNKNOWN_DIGEST = 0;

const TWO_32 = 0x1_0000_0000;
const LENGTHS = 0x10_0000;

/**
 * digestOf gives 52 bits for a topic and the payload buffer[start, end): a hash of both, and the payload's length modulo 2^20. Messages of one
 * length that differ in one byte never have the same, others by a chance of 1 in 2^32. Properties do not count.
 */
export function digestOf(topic: Topic, buffer: Buffer, start: number, end: number): number {
  return ((end - start) % LENGTHS) * TWO_32 + hashOf(buffer, start, end, topic.hash);
}
