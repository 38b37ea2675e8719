// WebSocket frames to bytes: against the receiver of ws with random messages and cuts, and what is refused.

import assert from 'node:assert/strict';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import * as ws from 'ws';
import { FrameReader } from '../../src/listeners/websocket-frames.ts';

const MAX = 100_000;

/** Not in the types of ws 8.18. */
const { Receiver } = ws as unknown as { readonly Receiver: new (options: object) => Writable };

interface Frame {
  readonly first: number;
  readonly mask: Uint8Array;
  readonly payload: Uint8Array;
}

const mask = fc.uint8Array({ minLength: 4, maxLength: 4 });
const control = fc.record({
  first: fc.constantFrom(0x89, 0x8a),
  mask,
  payload: fc.uint8Array({ maxLength: 125 }),
});
const payload = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  { weight: 1, arbitrary: fc.nat(70_000).map((length) => new Uint8Array(length).fill(length)) },
);
/** A message in one or more pieces, with control frames between them. */
const message = fc
  .array(fc.tuple(mask, payload, fc.array(control, { maxLength: 2 })), { minLength: 1, maxLength: 4 })
  .map((pieces) =>
    pieces.flatMap(([mask, payload, controls], at): readonly Frame[] => [
      { first: (at === 0 ? 2 : 0) | (at === pieces.length - 1 ? 0x80 : 0), mask, payload },
      ...controls,
    ]),
  )
  .filter((frames) => frames.reduce((sum, { payload }) => sum + payload.length, 0) <= MAX);
const close = fc.record({
  first: fc.constant(0x88),
  mask,
  payload: fc.constantFrom(Buffer.alloc(0), Buffer.from([0x03, 0xe8]), Buffer.from('\x03\xe8bye', 'latin1')),
});

test('frames become the bytes of their messages, wherever the chunks are cut, as the receiver of ws reads them', () => {
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 8 }),
      fc.option(close, { nil: undefined }),
      fc.array(fc.nat(80_000), { maxLength: 20 }),
      (messages, last, cuts) => {
        const bytes = Buffer.concat([...messages.flat(), ...(last === undefined ? [] : [last])].map(encode));
        assert.deepEqual(readOf(Buffer.from(bytes), cuts), expected(bytes));
      },
    ),
    { numRuns: 300 },
  );
});

test('of several pings in a chunk only the latest wants an answer', () => {
  const ping = (text: string) => encode({ first: 0x89, mask: Buffer.from('abcd'), payload: Buffer.from(text) });
  const { ping: latest, length } = new FrameReader(MAX).take(Buffer.concat([ping('one'), ping('two')]));
  assert.deepEqual([String(latest), length], ['two', 0]);
});

test('what is no frame of a client of MQTT ends it with the code for it, and the bytes before it count', () => {
  const mask = Buffer.from('abcd');
  const good = encode({ first: 0x82, mask, payload: Buffer.from('good') });
  const begun = encode({ first: 0x02, mask, payload: Buffer.from('good') });
  const bad: [number, Buffer, Buffer?][] = [
    [1002, Buffer.from([0x82, 0x01, 0x61])], // not masked
    ...[0xc2, 0xa2, 0x92, 0x83, 0x8b].map((first): [number, Buffer] => [1002, encode({ first, mask, payload: Buffer.alloc(0) })]),
    [1002, encode({ first: 0x80, mask, payload: Buffer.from('x') })], // goes on with nothing
    [1002, encode({ first: 0x82, mask, payload: Buffer.from('x') }), begun], // begins in the middle
    [1002, encode({ first: 0x09, mask, payload: Buffer.alloc(0) })], // a ping in pieces
    [1002, encode({ first: 0x89, mask, payload: Buffer.alloc(126) })],
    [1002, encode({ first: 0x88, mask, payload: Buffer.from('x') })],
    [1003, encode({ first: 0x81, mask, payload: Buffer.from('x') })],
    [1009, encode({ first: 0x82, mask, payload: Buffer.alloc(MAX + 1) })],
    [1009, encode({ first: 0x80, mask, payload: Buffer.alloc(MAX - 3) }), begun],
    [1009, Buffer.from([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4])],
  ];
  for (const [code, frame, before = good] of bad) {
    const chunk = Buffer.concat([before, frame]);
    const { length, problem } = new FrameReader(MAX).take(chunk);
    assert.equal(problem?.code, code, frame.subarray(0, 10).toString('hex'));
    assert.equal(chunk.toString('latin1', 0, length), 'good');
  }
});

/** RFC 6455 5.2, with the shortest length. */
function encode({ first, mask, payload }: Frame): Buffer {
  const { length } = payload;
  const header = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  header[0] = first;
  header[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (header.length === 4) header.writeUInt16BE(length, 2);
  if (header.length === 10) header.writeUInt32BE(length, 6);
  return Buffer.concat([header, mask, payload.map((byte, at) => byte ^ mask[at & 3]!)]);
}

interface Read {
  readonly bytes: string;
  readonly lastPing: string | null;
  readonly close: string | null;
}

function readOf(bytes: Buffer, cuts: readonly number[]): Read {
  const reader = new FrameReader(MAX);
  const read: Buffer[] = [];
  let lastPing: string | null = null;
  const borders = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort((one, other) => one - other);
  for (const [at, start] of borders.slice(0, -1).entries()) {
    const chunk = Buffer.from(bytes.subarray(start, borders[at + 1]));
    const { length, ping, close, problem } = reader.take(chunk);
    assert.equal(problem, null);
    read.push(chunk.subarray(0, length));
    if (ping !== null) lastPing = ping.toString('hex');
    if (close !== null) return { bytes: Buffer.concat(read).toString('hex'), lastPing, close: close.toString('hex') };
  }
  return { bytes: Buffer.concat(read).toString('hex'), lastPing, close: null };
}

function expected(bytes: Buffer): Read {
  const receiver = new Receiver({ isServer: true, maxPayload: MAX });
  const read: Buffer[] = [];
  let lastPing: string | null = null;
  let close: string | null = null;
  receiver.on('message', (data: Buffer) => read.push(data));
  receiver.on('ping', (data: Buffer) => {
    lastPing = data.toString('hex');
  });
  receiver.on('conclude', (code: number, reason: Buffer) => {
    close = code === 1005 ? '' : Buffer.concat([Buffer.of(code >> 8, code & 0xff), reason]).toString('hex');
  });
  receiver.write(bytes);
  return { bytes: Buffer.concat(read).toString('hex'), lastPing, close };
}
