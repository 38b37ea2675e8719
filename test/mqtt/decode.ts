// Decodes whole packets in tests, as the engine's dispatch does, and shows PUBLISH with its topic and payload as text.

import assert from 'node:assert/strict';
import { Decoder } from '../../src/mqtt/decoder.ts';
import { PACKET_TYPE } from '../../src/mqtt/packet-types.ts';
import { readAck, readAuth, readConnect, readDisconnect, readSubscribe, readUnsubscribe } from '../../src/mqtt/packets.ts';
import { readPublish } from '../../src/mqtt/publish-packet.ts';
import type { Version } from '../support/protocol/hex-template.ts';

/** Bytes of a packet that a decoder of these tests takes at most. */
export const MAX_PACKET_SIZE = 2_000_000;

/** decodeAll decodes chunks into packets. Throws what the grammar throws. */
export function decodeAll(chunks: readonly Buffer[], version: Version): Record<string, unknown>[] {
  const packets: Record<string, unknown>[] = [];
  const sink = {
    onPacket(buffer: Buffer, start: number, body: number, end: number): boolean {
      packets.push(readBody(buffer, start, body, end, version));
      return true;
    },
  };
  const decoder = new Decoder(sink, MAX_PACKET_SIZE);
  for (const chunk of chunks) decoder.push(chunk);
  return packets;
}

function readBody(buffer: Buffer, start: number, body: number, end: number, version: Version): Record<string, unknown> {
  const type = buffer[start]! >> 4;
  switch (type) {
    case PACKET_TYPE.CONNECT:
      return { ...readConnect(buffer, body, end) };
    case PACKET_TYPE.PUBLISH:
      return showPublish(buffer, start, body, end, version);
    case PACKET_TYPE.PUBACK:
    case PACKET_TYPE.PUBREC:
    case PACKET_TYPE.PUBREL:
    case PACKET_TYPE.PUBCOMP:
      return { ...readAck(buffer, body, end, version, type) };
    case PACKET_TYPE.SUBSCRIBE:
      return allRead(readSubscribe(buffer, body, end, version));
    case PACKET_TYPE.UNSUBSCRIBE:
      return allRead(readUnsubscribe(buffer, body, end, version));
    case PACKET_TYPE.DISCONNECT:
      return { ...readDisconnect(buffer, body, end, version) };
    case PACKET_TYPE.AUTH:
      return { ...readAuth(buffer, body, end) };
    default:
      return { type, length: end - body };
  }
}

function showPublish(buffer: Buffer, start: number, body: number, end: number, version: Version): Record<string, unknown> {
  const packet = readPublish(buffer, start, body, end, version === 5);
  const { qos, retain, dup, packetId, properties } = packet;
  const topicName = buffer.toString('utf8', packet.topicStart, packet.topicEnd);
  return { topicName, payload: buffer.toString('utf8', packet.payloadStart, packet.end), qos, retain, dup, packetId, properties };
}

/** Without the count of filters that were not read, which is none here. */
function allRead<T extends { readonly unread: number }>({ unread, ...packet }: T): Omit<T, 'unread'> {
  assert.equal(unread, 0);
  return packet;
}
