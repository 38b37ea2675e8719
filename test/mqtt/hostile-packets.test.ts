// Packets that are legal in size and made to keep the reader busy: the work to read them must grow with their length, not with its square.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeVariableByteInteger } from '../../src/mqtt/properties.ts';
import { decodeAll } from './decode.ts';

/** Microseconds of this process on a processor: a hundred times what is needed, a tenth of what a quadratic reader took. */
const WORK_LIMIT = 3_000_000;

test('reader is not kept busy when a PUBLISH has 100,000 Subscription Identifiers', () => {
  const properties = Buffer.alloc(200_000, Buffer.from([0x0b, 0x01]));
  const packet = framed(0x30, [Buffer.from([0, 1, 0x74]), encodeVariableByteInteger(properties.length), properties]);
  const before = process.cpuUsage();
  assert.throws(() => decodeAll([packet], 5), /Subscription Identifier from a client/);
  assert.ok(process.cpuUsage(before).user < WORK_LIMIT);
});

function framed(first: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([first]), encodeVariableByteInteger(body.length), body]);
}
