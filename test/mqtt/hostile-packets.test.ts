// Packets that are legal in size and made to keep the reader busy: the work to read them must grow with their length, not with its square.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSubscribe, readUnsubscribe } from '../../src/mqtt/packets.ts';
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

test('reader stops at 5,000 filters and only counts those behind them', () => {
  const rest = Buffer.alloc(500_000, Buffer.from([0, 2, 0xff, 0xfe, 0])); // no UTF-8: whoever reads it refuses the packet
  const filters = Buffer.alloc(20_000, Buffer.from([0, 1, 0x61, 0]));
  const subscribe = Buffer.concat([Buffer.from([0, 1, 0]), filters, rest]);
  const { requests, unread } = readSubscribe(subscribe, 0, subscribe.length, 5);
  assert.deepEqual([requests.length, unread], [5000, 100_000]);
  const unsubscribe = Buffer.concat([Buffer.from([0, 1, 0]), Buffer.alloc(15_000, Buffer.from([0, 1, 0x61])), Buffer.from([0, 1, 0xff])]);
  const left = readUnsubscribe(unsubscribe, 0, unsubscribe.length, 5);
  assert.deepEqual([left.topicFilters.length, left.unread], [5000, 1]);
  assert.throws(() => readSubscribe(subscribe, 0, subscribe.length - 1, 5), /ends too early/);
});

function framed(first: number, parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([first]), encodeVariableByteInteger(body.length), body]);
}
