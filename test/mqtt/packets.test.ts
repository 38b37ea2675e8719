// The grammar against the packet table: whole, at every split point, and against noise.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedPacket } from '../../src/mqtt/reason-codes.ts';
import type { Version } from '../support/protocol/hex-template.ts';
import { decodeAll } from './decode.ts';
import { BAD_LENGTHS, bytesOf, CLIENT_PACKETS } from './packets.ts';

const GRAMMAR = CLIENT_PACKETS.filter((row) => row.by === undefined);
const VALID = GRAMMAR.filter((row) => row.means !== undefined);
const REFUSED = [...GRAMMAR, ...BAD_LENGTHS].filter((row) => row.refused !== undefined);
/** Longer packets are split at some places only. */
const SPLIT_EVERYWHERE = 600;

describe('grammar', () => {
  for (const row of VALID) {
    it(`reads ${row.name}, version ${row.version}`, () => {
      const [packet] = decodeAll([bytesOf(row)], row.version);
      assert.partialDeepStrictEqual(packet, row.means);
    });
  }

  for (const row of REFUSED) {
    it(`refuses ${row.name}, version ${row.version}`, () => {
      const error = thrownBy(() => decodeAll([bytesOf(row)], row.version));
      assert.ok(error instanceof MalformedPacket, `it was read, or ${String(error)} was thrown`);
      assert.ok(row.refused!.includes(error.reasonCode), `Reason Code 0x${error.reasonCode.toString(16)}: ${error.message}`);
    });
  }

  it('reads the same when a packet is split at any byte', () => {
    for (const row of VALID) {
      const bytes = bytesOf(row);
      const whole = decodeAll([bytes], row.version);
      const places = bytes.length <= SPLIT_EVERYWHERE ? bytes.length - 1 : 20;
      for (let at = 1; at <= places; at++)
        assert.deepEqual(decodeAll([bytes.subarray(0, at), bytes.subarray(at)], row.version), whole, `${row.name}, split at ${at}`);
    }
  });

  it('reads the same when packets come byte by byte, and all in one piece', () => {
    for (const version of [3, 4, 5] as const) {
      const rows = VALID.filter((row) => row.version === version && bytesOf(row).length <= SPLIT_EVERYWHERE);
      const all = Buffer.concat(rows.map(bytesOf));
      const one = rows.flatMap((row) => decodeAll([bytesOf(row)], version));
      assert.equal(one.length, rows.length);
      assert.deepEqual(decodeAll([all], version), one);
      assert.deepEqual(decodeAll(bytewise(all), version), one);
    }
  });

  it('refuses the same when a packet comes byte by byte', () => {
    for (const row of REFUSED) {
      const bytes = bytesOf(row);
      const error = thrownBy(() => decodeAll(bytewise(bytes), row.version));
      assert.ok(error instanceof MalformedPacket, row.name);
      assert.ok(row.refused!.includes(error.reasonCode), row.name);
    }
  });

  it('throws nothing but MalformedPacket when it reads noise', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 5 }), version(), (chunks, level) => {
        onlyMalformed(
          chunks.map((chunk) => Buffer.from(chunk)),
          level,
        );
      }),
      { numRuns: 20_000 },
    );
  });

  it('throws nothing but MalformedPacket when it reads packets with wrong bytes in them', () => {
    const row = fc.constantFrom(...CLIENT_PACKETS.filter((candidate) => bytesOf(candidate).length <= SPLIT_EVERYWHERE));
    const change = fc.record({ at: fc.nat(600), byte: fc.nat(255), cut: fc.boolean() });
    fc.assert(
      fc.property(row, fc.array(change, { minLength: 1, maxLength: 4 }), (packet, changes) => {
        let bytes = Buffer.from(bytesOf(packet));
        for (const { at, byte, cut } of changes) {
          const place = at % bytes.length;
          if (cut && place > 1) bytes = bytes.subarray(0, place);
          else bytes[place] = byte;
        }
        onlyMalformed([bytes], packet.version);
      }),
      { numRuns: 30_000 },
    );
  });

  it('reads the same however a stream of valid packets is cut into chunks', () => {
    const rows = VALID.filter((row) => row.version === 5 && bytesOf(row).length <= SPLIT_EVERYWHERE);
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...rows), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(200), { maxLength: 20 }),
        (packets, sizes) => {
          const stream = Buffer.concat(packets.map(bytesOf));
          assert.deepEqual(decodeAll(cut(stream, sizes), 5), decodeAll([stream], 5));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

function version(): fc.Arbitrary<Version> {
  return fc.constantFrom(3, 4, 5);
}

function onlyMalformed(chunks: Buffer[], level: Version): void {
  const error = thrownBy(() => decodeAll(chunks, level));
  assert.ok(error === null || error instanceof MalformedPacket, String(error));
}

function thrownBy(work: () => unknown): unknown {
  try {
    work();
    return null;
  } catch (error) {
    return error;
  }
}

function bytewise(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (byte) => Buffer.of(byte));
}

function cut(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(stream.subarray(at, at + size));
    at += size;
  }
  return [...chunks, stream.subarray(at)];
}
