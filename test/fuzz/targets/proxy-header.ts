// PROXY headers of both versions: read the same when they come byte by byte, and refused in words that are ours.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type ProxyHeader, parseProxyHeader } from '../../../src/listeners/proxy-protocol.ts';
import { damaged, hexOf } from '../mutations.ts';
import type { Target } from '../target.ts';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
/** How this program speaks of a header that it does not take; anything else is an exception of the runtime. */
const OURS = /^(it sent no|its) PROXY header/;

const address4 = fc.ipV4();
const address6 = fc.ipV6();
const port = fc.nat(70_000);

const line = fc
  .oneof(
    fc.tuple(address4, address4, port, port).map((words) => ['TCP4', ...words]),
    fc.tuple(address6, address6, port, port).map((words) => ['TCP6', ...words]),
    fc.array(fc.string({ maxLength: 12 }), { maxLength: 6 }).map((words) => ['UNKNOWN', ...words]),
  )
  .map((words) => Buffer.from(`PROXY ${words.join(' ')}\r\n`, 'latin1'));

const tlv: fc.Arbitrary<Buffer> = fc
  .tuple(fc.constantFrom(0x01, 0x02, 0x04, 0x05, 0x20, 0x21, 0x22, 0x23, 0x30), fc.uint8Array({ maxLength: 24 }))
  .map(([type, value]) => Buffer.concat([Buffer.of(type, 0, value.length), value]));

const ssl = fc.tuple(fc.nat(7), fc.nat(2), fc.array(tlv, { maxLength: 4 })).map(([did, failed, more]) => {
  const value = Buffer.concat([Buffer.of(did, 0, 0, 0, failed), ...more]);
  return Buffer.concat([Buffer.of(0x20, value.length >> 8, value.length & 0xff), value]);
});

const binary = fc
  .tuple(
    fc.constantFrom(0x20, 0x21, 0x21, 0x21),
    fc.constantFrom<[number, number]>([0x11, 12], [0x21, 36], [0x31, 216], [0x00, 0]),
    fc.array(fc.oneof(tlv, ssl), { maxLength: 4 }),
    fc.nat(255),
  )
  .map(([command, [family, width], tlvs, fill]) => {
    const body = Buffer.concat([Buffer.alloc(width, fill), ...tlvs]);
    return Buffer.concat([SIGNATURE, Buffer.of(command, family, body.length >> 8, body.length & 0xff), body]);
  });

export const PROXY_HEADER: Target<[1 | 2, Buffer]> = {
  name: 'proxy-header',
  what: 'PROXY protocol headers of version 1 and 2 with their TLVs',
  input: fc.oneof(fc.tuple(fc.constant<1 | 2>(1), hexOf(damaged(line))), fc.tuple(fc.constant<1 | 2>(2), hexOf(damaged(binary)))),
  open: () => ({
    feed([version, bytes]) {
      const whole = outcome(bytes, version);
      for (const end of [1, 8, 16, 20, bytes.length - 1]) {
        const part = end > 0 && end < bytes.length ? outcome(bytes.subarray(0, end), version) : null;
        if (part !== null) assert.deepEqual(part, whole, `${end} of ${bytes.length} bytes`);
      }
      return 1;
    },
    close: () => {},
  }),
};

/** What is made of bytes; null = it waits for more. */
function outcome(bytes: Buffer, version: 1 | 2): ProxyHeader | string | null {
  try {
    const header = parseProxyHeader(bytes, version);
    assert.ok(header === null || (header.length > 0 && header.length <= bytes.length));
    return header;
  } catch (error) {
    if (error instanceof Error && OURS.test(error.message)) return error.message;
    throw error;
  }
}
