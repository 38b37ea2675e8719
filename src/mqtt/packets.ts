// Control packets other than PUBLISH as objects, and how their bodies are read. PUBLISH has a file of its own: it is the hot one.

import { PacketReader } from './packet-reader.ts';
import { PACKET_TYPE, type ProtocolVersion, type Qos } from './packet-types.ts';
import { checkResponseTopic, type Properties, readProperties, WILL } from './properties.ts';
import { MalformedPacket, protocolError, REASON } from './reason-codes.ts';
import { isSharedFilter, isTopicFilter, parseSharedFilter } from './topics.ts';

const NO_PROPERTIES: Properties = Object.freeze({});

export interface WillMessage {
  readonly topicName: string;
  readonly payload: Buffer;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: Properties;
}

export interface ConnectPacket {
  readonly version: ProtocolVersion;
  /** A bridge says so in the top bit of the protocol level (mosquitto's `try_private`). */
  readonly bridge: boolean;
  readonly cleanStart: boolean;
  /** Seconds; 0 = off. */
  readonly keepAlive: number;
  readonly clientId: string;
  readonly will: WillMessage | null;
  readonly username: string | null;
  readonly password: Buffer | null;
  readonly properties: Properties;
}

/** UnsupportedVersion is thrown for a CONNECT of a protocol level that nobody speaks; the answer is a CONNACK of `answerAs`. */
export class UnsupportedVersion extends MalformedPacket {
  readonly answerAs: ProtocolVersion;

  constructor(level: number, answerAs: ProtocolVersion) {
    super(`Protocol version ${level} is not supported`, REASON.UNSUPPORTED_PROTOCOL_VERSION);
    this.answerAs = answerAs;
  }
}

/** readConnectVersion reads only the version of a CONNECT: what is wrong behind it can then be answered in the client's own. */
export function readConnectVersion(buffer: Buffer, body: number, end: number): ProtocolVersion {
  return readVersion(new PacketReader(buffer, body, end)).version;
}

/** readConnect reads the body of a CONNECT, 3.1. */
export function readConnect(buffer: Buffer, body: number, end: number): ConnectPacket {
  const reader = new PacketReader(buffer, body, end);
  const { version, bridge } = readVersion(reader);
  const flags = reader.byte();
  if ((flags & 0x01) !== 0 && version !== 3) throw new MalformedPacket('Reserved flag of CONNECT is set'); // [MQTT-3.1.2-3]; 3.1 does not use it
  const hasWill = (flags & 0x04) !== 0;
  const willQos = (flags >> 3) & 0x03;
  if (willQos === 3) throw new MalformedPacket('Will QoS 3'); // [MQTT-3.1.2-12]
  if (!hasWill && (flags & 0x38) !== 0) throw new MalformedPacket('Will QoS or Will Retain without a Will'); // [MQTT-3.1.2-11] [MQTT-3.1.2-13]
  const hasUsername = (flags & 0x80) !== 0;
  const hasPassword = (flags & 0x40) !== 0;
  if (hasPassword && !hasUsername && version !== 5) throw new MalformedPacket('Password without a User Name'); // [MQTT-3.1.2-22] of 3.1.1
  const keepAlive = reader.twoBytes();
  const properties = version === 5 ? readProperties(reader, PACKET_TYPE.CONNECT) : NO_PROPERTIES;
  if (properties.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    throw protocolError('Authentication Data without an Authentication Method'); // 3.1.2.11.10
  }
  const clientId = reader.string(REASON.CLIENT_IDENTIFIER_NOT_VALID); // [MQTT-3.1.3-4]
  const will = hasWill ? readWill(reader, version, willQos as Qos, (flags & 0x20) !== 0) : null;
  const username = hasUsername ? reader.string() : null;
  const password = hasPassword ? reader.binary() : null;
  reader.expectEnd('CONNECT');
  return { version, bridge, cleanStart: (flags & 0x02) !== 0, keepAlive, clientId, will, username, password, properties };
}

function readVersion(reader: PacketReader): { version: ProtocolVersion; bridge: boolean } {
  const name = reader.string();
  if (name !== 'MQTT' && name !== 'MQIsdp')
    throw new MalformedPacket(`Protocol name "${name}" is not MQTT`, REASON.UNSUPPORTED_PROTOCOL_VERSION);
  const byte = reader.byte();
  const level = byte & 0x7f;
  const fits = name === 'MQIsdp' ? level === 3 : level === 4 || level === 5; // [MQTT-3.1.2-1]
  if (!fits) throw new UnsupportedVersion(byte, level > 5 ? 5 : 4); // [MQTT-3.1.2-2]
  return { version: level as ProtocolVersion, bridge: byte >= 0x80 };
}

function readWill(reader: PacketReader, version: ProtocolVersion, qos: Qos, retain: boolean): WillMessage {
  const properties = version === 5 ? readProperties(reader, WILL) : NO_PROPERTIES;
  checkResponseTopic(properties);
  const topicName = reader.string();
  const payload = reader.binary();
  return { topicName, payload, qos, retain, properties };
}

export interface SubscriptionRequest {
  /** As it was sent, with `$share/...` and without the mount point. */
  readonly topicFilter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0 send retained messages, 1 only for a new subscription, 2 never. */
  readonly retainHandling: 0 | 1 | 2;
}

/** FILTERS_MAX are the filters of one SUBSCRIBE or UNSUBSCRIBE that are read: some 2 ms of work. Those behind them are counted. */
export const FILTERS_MAX = 5000;

export interface SubscribePacket {
  readonly packetId: number;
  readonly requests: readonly SubscriptionRequest[];
  /** Filters behind the first FILTERS_MAX, of which nothing but their length was looked at. */
  readonly unread: number;
  readonly properties: Properties;
}

/** readSubscribe reads the body of a SUBSCRIBE, 3.8. A filter that is none makes the whole packet malformed: 0x8F is for those that are well formed. */
export function readSubscribe(buffer: Buffer, body: number, end: number, version: ProtocolVersion): SubscribePacket {
  const reader = new PacketReader(buffer, body, end);
  const packetId = readNewPacketId(reader);
  const properties = version === 5 ? readProperties(reader, PACKET_TYPE.SUBSCRIBE) : NO_PROPERTIES;
  const requests: SubscriptionRequest[] = [];
  while (reader.remaining > 0 && requests.length < FILTERS_MAX) requests.push(readSubscriptionRequest(reader, version));
  if (requests.length === 0) throw protocolError('SUBSCRIBE without a Topic Filter'); // [MQTT-3.8.3-2]
  return { packetId, requests, unread: skipFilters(reader, 1), properties };
}

function readSubscriptionRequest(reader: PacketReader, version: ProtocolVersion): SubscriptionRequest {
  const topicFilter = readTopicFilter(reader); // [MQTT-3.8.3-1]
  const options = reader.byte();
  const qos = options & 0x03;
  if (qos === 3) throw new MalformedPacket('Subscription QoS 3', version === 5 ? REASON.PROTOCOL_ERROR : REASON.MALFORMED_PACKET);
  if (version !== 5) {
    if (options > 2) throw new MalformedPacket('Reserved bits of the requested QoS are set'); // [MQTT-3-8.3-4] of 3.1.1
    return { topicFilter, qos: qos as Qos, noLocal: false, retainAsPublished: false, retainHandling: 0 };
  }
  if ((options & 0xc0) !== 0) throw new MalformedPacket('Reserved bits of the Subscription Options are set'); // [MQTT-3.8.3-5]
  const retainHandling = (options >> 4) & 0x03;
  if (retainHandling === 3) throw protocolError('Retain Handling 3');
  const noLocal = (options & 0x04) !== 0;
  if (noLocal && isSharedFilter(topicFilter)) throw protocolError('No Local on a shared subscription'); // [MQTT-3.8.3-4]
  return {
    topicFilter,
    qos: qos as Qos,
    noLocal,
    retainAsPublished: (options & 0x08) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  };
}

export interface UnsubscribePacket {
  readonly packetId: number;
  readonly topicFilters: readonly string[];
  /** As in SubscribePacket. */
  readonly unread: number;
}

/** readUnsubscribe reads the body of an UNSUBSCRIBE, 3.10. */
export function readUnsubscribe(buffer: Buffer, body: number, end: number, version: ProtocolVersion): UnsubscribePacket {
  const reader = new PacketReader(buffer, body, end);
  const packetId = readNewPacketId(reader);
  if (version === 5) readProperties(reader, PACKET_TYPE.UNSUBSCRIBE);
  const topicFilters: string[] = [];
  while (reader.remaining > 0 && topicFilters.length < FILTERS_MAX) topicFilters.push(readTopicFilter(reader)); // [MQTT-3.10.3-1]
  if (topicFilters.length === 0) throw protocolError('UNSUBSCRIBE without a Topic Filter'); // [MQTT-3.10.3-2]
  return { packetId, topicFilters, unread: skipFilters(reader, 0) };
}

/** Counts the filters that are left, each with so many bytes behind it. */
function skipFilters(reader: PacketReader, more: number): number {
  let count = 0;
  for (; reader.remaining > 0; count++) reader.skip(reader.twoBytes() + more);
  return count;
}

/** A Topic Filter, 4.7, with or without `$share/GROUP/` before it, 4.8.2. */
function readTopicFilter(reader: PacketReader): string {
  const text = reader.string();
  if (!isTopicFilter(text)) throw new MalformedPacket(`Topic Filter "${text}"`); // [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1]
  if (isSharedFilter(text) && parseSharedFilter(text) === null) throw protocolError(`Topic Filter "${text}"`); // [MQTT-4.8.2-1] [MQTT-4.8.2-2]
  return text;
}

export interface AckPacket {
  readonly packetId: number;
  readonly reasonCode: number;
}

/** readAck reads the body of a PUBACK, PUBREC, PUBREL or PUBCOMP, 3.4 to 3.7. */
export function readAck(buffer: Buffer, body: number, end: number, version: ProtocolVersion, packet: number): AckPacket {
  const packetId = readPacketIdAt(buffer, body, end);
  if (end - body === 2) return { packetId, reasonCode: REASON.SUCCESS };
  const reader = new PacketReader(buffer, body + 2, end);
  if (version !== 5) throw new MalformedPacket('Acknowledgement has bytes too many');
  const reasonCode = reader.byte();
  if (!isAckReason(packet, reasonCode)) throw protocolError(`Reason Code 0x${reasonCode.toString(16)} in an acknowledgement`);
  if (reader.remaining > 0) readProperties(reader, packet);
  reader.expectEnd('Acknowledgement');
  return { packetId, reasonCode };
}

const PUBLISH_ACK_REASONS: readonly number[] = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]; // 3.4.2.1, 3.5.2.1
const RELEASE_REASONS: readonly number[] = [0x00, 0x92]; // 3.6.2.1, 3.7.2.1

function isAckReason(packet: number, reasonCode: number): boolean {
  const allowed = packet === PACKET_TYPE.PUBACK || packet === PACKET_TYPE.PUBREC ? PUBLISH_ACK_REASONS : RELEASE_REASONS;
  return allowed.includes(reasonCode);
}

export interface DisconnectPacket {
  readonly reasonCode: number;
  readonly properties: Properties;
}

const DISCONNECT_REASONS: readonly number[] = [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99]; // 3.14.2.1, those a client may send

/** readDisconnect reads the body of a client's DISCONNECT, 3.14. */
export function readDisconnect(buffer: Buffer, body: number, end: number, version: ProtocolVersion): DisconnectPacket {
  const reader = new PacketReader(buffer, body, end);
  if (version !== 5) {
    reader.expectEnd('DISCONNECT');
    return { reasonCode: REASON.SUCCESS, properties: NO_PROPERTIES };
  }
  const reasonCode = reader.remaining > 0 ? reader.byte() : REASON.SUCCESS;
  if (!DISCONNECT_REASONS.includes(reasonCode)) throw protocolError(`Reason Code 0x${reasonCode.toString(16)} in a client's DISCONNECT`);
  const properties = reader.remaining > 0 ? readProperties(reader, PACKET_TYPE.DISCONNECT) : NO_PROPERTIES;
  reader.expectEnd('DISCONNECT');
  if (properties.serverReference !== undefined) throw protocolError('Server Reference from a client');
  return { reasonCode, properties };
}

export interface AuthPacket {
  readonly reasonCode: number;
  readonly properties: Properties;
}

/** readAuth reads the body of an AUTH, 3.15. */
export function readAuth(buffer: Buffer, body: number, end: number): AuthPacket {
  const reader = new PacketReader(buffer, body, end);
  const reasonCode = reader.remaining > 0 ? reader.byte() : REASON.SUCCESS;
  if (reasonCode !== REASON.CONTINUE_AUTHENTICATION && reasonCode !== REASON.RE_AUTHENTICATE && reasonCode !== REASON.SUCCESS) {
    throw protocolError(`Reason Code 0x${reasonCode.toString(16)} in AUTH`);
  }
  const properties = reader.remaining > 0 ? readProperties(reader, PACKET_TYPE.AUTH) : NO_PROPERTIES;
  reader.expectEnd('AUTH');
  return { reasonCode, properties };
}

/** readPacketId reads the identifier of an acknowledgement. */
export function readPacketId(reader: PacketReader): number {
  const packetId = reader.twoBytes();
  if (packetId === 0) throw protocolError('Packet Identifier 0'); // [MQTT-2.2.1-3]
  return packetId;
}

function readPacketIdAt(buffer: Buffer, body: number, end: number): number {
  if (body + 2 > end) throw new MalformedPacket('Packet ends too early');
  const packetId = (buffer[body]! << 8) | buffer[body + 1]!;
  if (packetId === 0) throw protocolError('Packet Identifier 0'); // [MQTT-2.2.1-3]
  return packetId;
}

/** SUBSCRIBE and UNSUBSCRIBE without an identifier are malformed, as in mosquitto: the standard has no code for it. */
function readNewPacketId(reader: PacketReader): number {
  const packetId = reader.twoBytes();
  if (packetId === 0) throw new MalformedPacket('Packet Identifier 0'); // [MQTT-2.2.1-3]
  return packetId;
}

/** REQUIRED_FLAGS are the lower four bits of the first byte, per packet type. Null: PUBLISH has flags of its own, those of CONNECT depend on its version, CONNACK from a client is wrong anyway. */
const REQUIRED_FLAGS: readonly (number | null)[] = [0, null, null, null, 0, 0, 2, 0, 2, 0, 2, 0, 0, 0, 0, 0];
const DUP = 0x08;

/** checkFlags throws when a packet other than PUBLISH has wrong flags [MQTT-2.1.3-1]. In 3.1 the packets of QoS 1 may be marked as repeated (3.1 2.1). */
export function checkFlags(first: number, version: ProtocolVersion): void {
  const flags = first & 0x0f;
  const required = REQUIRED_FLAGS[first >> 4];
  if (required === null || flags === required || (version === 3 && required === 2 && flags === (2 | DUP))) return;
  throw new MalformedPacket('Reserved flags');
}
