// The packets that a server sends, as bytes. PUBLISH frames are built by the engine's Message (made once per form, copied to each outbox).

import { PACKET_TYPE, type ProtocolVersion } from './packet-types.ts';
import { encodeProperties, encodeTwoBytes, encodeVariableByteInteger, type Properties } from './properties.ts';
import { connectReturnCode, type ReasonCode } from './reason-codes.ts';

/** PINGRESP, 3.13. */
export const PINGRESP: Buffer = Buffer.from([PACKET_TYPE.PINGRESP << 4, 0]);

/** encodeConnack gives a CONNACK, 3.2, or null where 3.1.1 has no return code for the reason: then the connection is only closed. */
export function encodeConnack(
  version: ProtocolVersion,
  sessionPresent: boolean,
  reason: ReasonCode,
  properties: Properties,
): Buffer | null {
  const flags = sessionPresent ? 1 : 0;
  if (version === 5) return encodePacket(PACKET_TYPE.CONNACK << 4, [Buffer.from([flags, reason]), ...withLength(properties)]);
  const returnCode = connectReturnCode(reason);
  if (returnCode === null) return null;
  return Buffer.from([PACKET_TYPE.CONNACK << 4, 2, version === 4 ? flags : 0, returnCode]); // 3.1 has no session present flag
}

/** setSessionPresent sets that flag of a CONNACK of success, which was encoded before it was known [MQTT-3.2.2-2]; 3.1 has none. */
export function setSessionPresent(connack: Buffer, version: ProtocolVersion): void {
  if (version === 3) return;
  let at = 1; // behind the Remaining Length
  while (connack[at++]! >= 0x80);
  connack[at] = 1;
}

/** encodeSuback gives a SUBACK, 3.9. `reasons` are v5 reason codes; failures become 0x80 before v5. */
export function encodeSuback(version: ProtocolVersion, packetId: number, reasons: readonly number[]): Buffer {
  if (version === 5) return encodePacket(PACKET_TYPE.SUBACK << 4, [encodeTwoBytes(packetId), NO_PROPERTIES, Buffer.from(reasons)]);
  return encodePacket(PACKET_TYPE.SUBACK << 4, [encodeTwoBytes(packetId), Buffer.from(reasons.map((reason) => Math.min(reason, 0x80)))]);
}

/** encodeUnsuback gives an UNSUBACK, 3.11; before v5 it has no payload. */
export function encodeUnsuback(version: ProtocolVersion, packetId: number, reasons: readonly number[]): Buffer {
  if (version === 5) return encodePacket(PACKET_TYPE.UNSUBACK << 4, [encodeTwoBytes(packetId), NO_PROPERTIES, Buffer.from(reasons)]);
  return encodePacket(PACKET_TYPE.UNSUBACK << 4, [encodeTwoBytes(packetId)]);
}

/** encodeDisconnect gives a v5 DISCONNECT, 3.14: servers say nothing before v5. Without properties their length is left out (3.14.2.2.1), as in mosquitto. */
export function encodeDisconnect(reason: ReasonCode, properties: Properties): Buffer {
  if (Object.keys(properties).length === 0) return Buffer.from([PACKET_TYPE.DISCONNECT << 4, 1, reason]);
  return encodePacket(PACKET_TYPE.DISCONNECT << 4, [Buffer.from([reason]), ...withLength(properties)]);
}

const NO_PROPERTIES = Buffer.from([0]);

/** withLength gives the properties of a packet, 2.2.2, with their length before them. */
export function withLength(properties: Properties): Buffer[] {
  const bytes = encodeProperties(properties);
  return [encodeVariableByteInteger(bytes.length), bytes];
}

/** encodePacket puts the fixed header, 2.1, before the parts of a body. */
export function encodePacket(first: number, parts: readonly Buffer[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  return Buffer.concat([Buffer.from([first]), encodeVariableByteInteger(length), ...parts]);
}
