// What one end writes the other end reads: every packet of a client and of a server, in each version that has it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeConnack, encodeDisconnect, encodeSuback, encodeUnsuback } from '../../src/mqtt/encode.ts';
import { encodeConnect, encodeSubscribe, encodeUnsubscribe } from '../../src/mqtt/encode-client.ts';
import { PACKET_TYPE } from '../../src/mqtt/packet-types.ts';
import { type ConnectPacket, readConnect, readSubscribe, readUnsubscribe } from '../../src/mqtt/packets.ts';
import { MalformedPacket, REASON } from '../../src/mqtt/reason-codes.ts';
import { readConnack, readServerDisconnect, readSuback } from '../../src/mqtt/server-packets.ts';
import { hex } from '../support/protocol/hex-template.ts';
import { bytesOf, CLIENT_PACKETS, type PacketRow } from './packets.ts';

const VERSIONS = [3, 4, 5] as const;
const VALID = CLIENT_PACKETS.filter((row) => row.means !== undefined);

describe('the client packets of the table', () => {
  for (const [type, read, encode] of [
    [0x10, readConnect, (_row: PacketRow, packet: ConnectPacket) => encodeConnect(packet)],
    [
      0x82,
      (bytes: Buffer, body: number, end: number, row: PacketRow) => readSubscribe(bytes, body, end, row.version),
      (row: PacketRow, packet: ReturnType<typeof readSubscribe>) =>
        encodeSubscribe(row.version, packet.packetId, packet.requests, packet.properties),
    ],
    [
      0xa2,
      (bytes: Buffer, body: number, end: number, row: PacketRow) => readUnsubscribe(bytes, body, end, row.version),
      (row: PacketRow, packet: ReturnType<typeof readUnsubscribe>) => encodeUnsubscribe(row.version, packet.packetId, packet.topicFilters),
    ],
  ] as const) {
    it(`are written as they are read: first byte 0x${type.toString(16)}`, () => {
      const rows = VALID.filter((row) => bytesOf(row)[0] === type);
      assert.ok(rows.length > 3);
      for (const row of rows) {
        const parse = (bytes: Buffer) => read(bytes, bodyOf(bytes), bytes.length, row);
        const packet = parse(bytesOf(row));
        assert.deepEqual(parse(encode(row, packet as never)), packet, row.name);
      }
    });
  }
});

describe('a client', () => {
  it('reads the CONNACK that a server writes', () => {
    const properties = { receiveMaximum: 10, maximumQos: 1, retainAvailable: 0, serverKeepAlive: 9, serverReference: 'there:1883' };
    const bytes = encodeConnack(5, true, REASON.SUCCESS, properties)!;
    assert.deepEqual(readConnack(bytes, 2, bytes.length, 5), { sessionPresent: true, reasonCode: 0, properties });
    const reasons = [0x84, 0x85, 0x86, 0x87, 0x88] as const;
    for (const version of [3, 4] as const) {
      for (const reason of reasons) {
        const old = encodeConnack(version, false, reason, {})!;
        assert.deepEqual(readConnack(old, 2, old.length, version), { sessionPresent: false, reasonCode: reason, properties: {} });
      }
    }
  });

  it('understands a server of 3.1.1 that refuses its v5 CONNECT', () => {
    const bytes = hex('20 02 00 01', 4);
    assert.equal(readConnack(bytes, 2, bytes.length, 5).reasonCode, REASON.UNSUPPORTED_PROTOCOL_VERSION);
  });

  it('reads the SUBACK and UNSUBACK that a server writes', () => {
    for (const version of VERSIONS) {
      const suback = encodeSuback(version, 7, [0, 2, 0x87]);
      const { packetId, reasonCodes } = readSuback(suback, 2, suback.length, version, PACKET_TYPE.SUBACK);
      assert.deepEqual([packetId, reasonCodes], [7, [0, 2, version === 5 ? 0x87 : 0x80]]);
      const unsuback = encodeUnsuback(version, 8, [0, 0x11]);
      const unsubscribed = readSuback(unsuback, 2, unsuback.length, version, PACKET_TYPE.UNSUBACK);
      assert.deepEqual([unsubscribed.packetId, unsubscribed.reasonCodes], [8, version === 5 ? [0, 0x11] : []]);
    }
  });

  it('reads the DISCONNECT that a server writes', () => {
    const bytes = encodeDisconnect(REASON.USE_ANOTHER_SERVER, { serverReference: 'b' });
    const packet = readServerDisconnect(bytes, 2, bytes.length, 5);
    assert.deepEqual(packet, { reasonCode: REASON.USE_ANOTHER_SERVER, properties: { serverReference: 'b' } });
  });

  for (const [what, template, version, type] of [
    ['a CONNACK with reserved flags', '20 02 02 00', 4, PACKET_TYPE.CONNACK],
    ['a CONNACK with a session and an error', '20 03 01 87 00', 5, PACKET_TYPE.CONNACK],
    ['a CONNACK without a code', '20 01 00', 5, PACKET_TYPE.CONNACK],
    ['a CONNACK with bytes behind it', '20 03 00 00 00', 4, PACKET_TYPE.CONNACK],
    ['a SUBACK of nothing', '90 02 0001', 4, PACKET_TYPE.SUBACK],
    ['a SUBACK with identifier 0', '90 03 0000 00', 4, PACKET_TYPE.SUBACK],
    ['a DISCONNECT of 3.1.1', 'E0 00', 4, PACKET_TYPE.DISCONNECT],
  ] as const) {
    it(`refuses ${what}`, () => {
      const bytes = hex(template, version);
      const read = () => {
        if (type === PACKET_TYPE.CONNACK) return readConnack(bytes, 2, bytes.length, version);
        if (type === PACKET_TYPE.SUBACK) return readSuback(bytes, 2, bytes.length, version, type);
        return readServerDisconnect(bytes, 2, bytes.length, version);
      };
      assert.throws(read, MalformedPacket);
    });
  }
});

function bodyOf(bytes: Buffer): number {
  let at = 1;
  while (bytes[at]! >= 0x80) at++;
  return at + 1;
}
