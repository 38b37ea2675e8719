// HTTP requests and WebSocket frames, with a broker behind it: nothing is thrown, and a stream that ends is forgotten.

import assert from 'node:assert/strict';
import { type Duplex, duplexPair } from 'node:stream';
import fc from 'fast-check';
import { createWebSocketLayer } from '../../../src/listeners/websocket-layer.ts';
import { startTestBroker, testOrigin } from '../../support/broker/test-broker.ts';
import { nextTurn, until } from '../../support/broker/turns.ts';
import { recordingLog } from '../../support/ports/recording-log.ts';
import { connectPacket, randomPacket } from '../../support/protocol/random-packets.ts';
import { damaged, hexOf } from '../mutations.ts';
import type { Target } from '../target.ts';
import { split } from './decoder.ts';

const MAX_MESSAGE = 2000;

const UPGRADE = [
  'GET /mqtt HTTP/1.1',
  'Host: box',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: mqtt',
];

const header = fc.oneof(
  fc.constantFrom(
    ...UPGRADE.slice(1),
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    'Origin: http://elsewhere',
    'X-Forwarded-For: 192.0.2.7, ::1',
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Expect: 100-continue',
  ),
  fc.tuple(fc.string({ maxLength: 20 }), fc.string({ maxLength: 40 })).map(([name, value]) => `${name}: ${value}`),
);
const anyRequest = fc
  .tuple(
    fc.constantFrom('GET / HTTP/1.1', 'GET /mqtt HTTP/1.1', 'POST / HTTP/1.0', 'OPTIONS * HTTP/1.1'),
    fc.array(header, { maxLength: 9 }),
  )
  .map(([first, headers]) => request([first, ...headers]));
const upgrade = fc.constant(request(UPGRADE));

const packet = fc.oneof(
  fc.tuple(fc.oneof(connectPacket, randomPacket), fc.constantFrom<3 | 4 | 5>(3, 4, 5)).map(([one, version]) => one(version)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);
const frame = fc
  .record({
    fin: fc.constantFrom(0x80, 0x80, 0x80, 0),
    reserved: fc.constantFrom(0, 0, 0, 0, 0x40, 0x20, 0x10),
    opcode: fc.constantFrom(2, 2, 2, 2, 0, 0, 1, 8, 9, 10, 3, 15),
    mask: fc.constantFrom(0x80, 0x80, 0x80, 0x80, 0),
    width: fc.constantFrom(0, 0, 0, 126, 127),
    claims: fc.constantFrom(0, 0, 0, 1, 1 << 20),
    packet,
  })
  .map(({ fin, reserved, opcode, mask, width, claims, packet: payload }) => {
    const length = payload.length + claims;
    const form = width === 0 && length > 125 ? 126 : width;
    const claimed = Buffer.alloc(form === 126 ? 2 : form === 127 ? 8 : 0);
    if (form === 126) claimed.writeUInt16BE(length & 0xffff);
    if (form === 127) claimed.writeUInt32BE(length, 4);
    const key = mask === 0 ? Buffer.alloc(0) : Buffer.of(0, 0, 0, 0); // a mask of zeros leaves the payload as it is
    return Buffer.concat([Buffer.of(fin | reserved | opcode, mask | (form === 0 ? length : form)), claimed, key, payload]);
  });

const traffic = fc
  .tuple(fc.oneof({ weight: 9, arbitrary: upgrade }, { weight: 1, arbitrary: anyRequest }), fc.array(frame, { maxLength: 12 }))
  .map(([first, frames]) => Buffer.concat([first, ...frames]));

/** The bytes of an upgrade are left alone when the damage is meant for the frames. */
const framesDamaged = fc.array(frame, { minLength: 1, maxLength: 12 }).map((frames) => Buffer.concat(frames));
const input = fc.oneof(
  damaged(traffic),
  damaged(framesDamaged).map((frames) => Buffer.concat([request(UPGRADE), frames])),
);

export const WEBSOCKET: Target<[Buffer, number[]]> = {
  name: 'websocket',
  what: 'HTTP requests, upgrades and WebSocket frames with packets in them',
  input: fc.tuple(hexOf(input), fc.array(fc.nat(2000), { maxLength: 3 })),
  async open() {
    const uncaught: unknown[] = [];
    const note = (error: unknown) => uncaught.push(error);
    process.on('uncaughtException', note);
    const log = recordingLog(['error']);
    const house = await startTestBroker({ log, options: { maxPacketSize: MAX_MESSAGE, maxSubscriptions: 10 } });
    const layer = createWebSocketLayer({ origins: () => [], maxMessageBytes: MAX_MESSAGE });
    return {
      async feed([bytes, cuts]) {
        const [near, far] = duplexPair({ allowHalfOpen: false });
        near.on('error', () => {}).resume();
        far.on('error', () => {});
        layer.admit(far, null, { open: (stream: Duplex) => house.broker.open(stream, testOrigin()), refuse: () => {} });
        for (const chunk of split(bytes, cuts)) {
          if (near.writable) near.write(chunk);
          await nextTurn();
        }
        near.end();
        await nextTurn();
        far.destroy(); // as a socket whose peer is gone
        await until(() => house.broker.connections.size === 0);
        for (const session of [...house.broker.sessions]) house.broker.sessions.end(session);
        assert.deepEqual([...log.lines, ...uncaught.splice(0)], []);
        return 1;
      },
      async close() {
        process.off('uncaughtException', note);
        await house.stop();
      },
    };
  },
};

function request(lines: readonly string[]): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
