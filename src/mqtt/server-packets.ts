// The packets that only a server sends, as a client reads them. PUBLISH and its acknowledgements are the same in both directions.

import { PacketReader } from './packet-reader.ts';
import { PACKET_TYPE, type ProtocolVersion } from './packet-types.ts';
import { type DisconnectPacket, readPacketId } from './packets.ts';
import { type Properties, readProperties } from './properties.ts';
import { MalformedPacket, protocolError, REASON, reasonOfReturnCode } from './reason-codes.ts';

const NO_PROPERTIES: Properties = Object.freeze({});

export interface ConnackPacket {
  readonly sessionPresent: boolean;
  /** A return code of 3.1 or 3.1.1 is given as the v5 reason code that says the same. */
  readonly reasonCode: number;
  readonly properties: Properties;
}

/** readConnack reads the body of a CONNACK, 3.2. A server that does not know v5 may answer a v5 client with two bytes of an older version. */
export function readConnack(buffer: Buffer, body: number, end: number, version: ProtocolVersion): ConnackPacket {
  const reader = new PacketReader(buffer, body, end);
  const flags = reader.byte();
  if (flags > 1 && version !== 3) throw new MalformedPacket('Reserved flags of CONNACK are set'); // 3.2.2.1; 3.1 does not use them
  const code = reader.byte();
  const sessionPresent = flags === 1 && version !== 3;
  if (version !== 5 || (reader.remaining === 0 && code > 0 && code < 0x80)) {
    reader.expectEnd('CONNACK');
    return { sessionPresent, reasonCode: reasonOfReturnCode(code), properties: NO_PROPERTIES };
  }
  const properties = readProperties(reader, PACKET_TYPE.CONNACK);
  reader.expectEnd('CONNACK');
  if (sessionPresent && code !== REASON.SUCCESS) throw protocolError('CONNACK with a session and an error'); // [MQTT-3.2.2-6]
  return { sessionPresent, reasonCode: code, properties };
}

export interface SubackPacket {
  readonly packetId: number;
  /** One per filter, in their order: the granted QoS, or an error from 0x80 on. Empty for an UNSUBACK before v5: all is well. */
  readonly reasonCodes: readonly number[];
  readonly properties: Properties;
}

/** readSuback reads the body of a SUBACK or UNSUBACK, 3.9 and 3.11. */
export function readSuback(buffer: Buffer, body: number, end: number, version: ProtocolVersion, packet: number): SubackPacket {
  const reader = new PacketReader(buffer, body, end);
  const packetId = readPacketId(reader);
  const properties = version === 5 ? readProperties(reader, packet) : NO_PROPERTIES;
  const reasonCodes: number[] = [];
  while (reader.remaining > 0) reasonCodes.push(reader.byte());
  if (reasonCodes.length === 0 && (packet === PACKET_TYPE.SUBACK || version === 5)) throw protocolError('Acknowledgement of no filter');
  return { packetId, reasonCodes, properties };
}

/** readServerDisconnect reads the body of a server's DISCONNECT, 3.14: there is none before v5. */
export function readServerDisconnect(buffer: Buffer, body: number, end: number, version: ProtocolVersion): DisconnectPacket {
  if (version !== 5) throw protocolError('DISCONNECT from a server before MQTT 5');
  const reader = new PacketReader(buffer, body, end);
  const reasonCode = reader.remaining > 0 ? reader.byte() : REASON.SUCCESS;
  const properties = reader.remaining > 0 ? readProperties(reader, PACKET_TYPE.DISCONNECT) : NO_PROPERTIES;
  reader.expectEnd('DISCONNECT');
  return { reasonCode, properties };
}
