// MQTT 5 properties: one table (2.2.2.2), and bytes <-> Properties read from it.

import { ownBytes } from './own-bytes.ts';
import { PacketReader } from './packet-reader.ts';
import { PACKET_TYPE } from './packet-types.ts';
import { MalformedPacket, protocolError, REASON } from './reason-codes.ts';
import { isTopicName } from './topics.ts';

/** Properties of one packet. Absent means not sent. */
export interface Properties {
  payloadFormatIndicator?: number;
  /** Seconds. */
  messageExpiryInterval?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Buffer;
  /** More than one when overlapping subscriptions matched. */
  subscriptionIdentifier?: number[];
  /** Seconds; 0xFFFFFFFF = never. */
  sessionExpiryInterval?: number;
  assignedClientIdentifier?: string;
  serverKeepAlive?: number;
  authenticationMethod?: string;
  authenticationData?: Buffer;
  requestProblemInformation?: number;
  /** Seconds. */
  willDelayInterval?: number;
  requestResponseInformation?: number;
  responseInformation?: string;
  serverReference?: string;
  reasonString?: string;
  receiveMaximum?: number;
  topicAliasMaximum?: number;
  topicAlias?: number;
  maximumQos?: number;
  retainAvailable?: number;
  /** As they came, in their order [MQTT-3.3.2-18]: identifier, name and value of each, checked but not read. */
  userProperty?: Buffer;
  maximumPacketSize?: number;
  wildcardSubscriptionAvailable?: number;
  subscriptionIdentifierAvailable?: number;
  sharedSubscriptionAvailable?: number;
}

type PropertyType = 'byte' | 'two bytes' | 'four bytes' | 'variable' | 'string' | 'binary' | 'pair';

interface PropertyRow {
  readonly id: number;
  readonly name: keyof Properties;
  readonly type: PropertyType;
  /** Packets it may stand in; WILL for the will properties inside CONNECT. */
  readonly packets: readonly number[];
  /** Smallest and largest value allowed; outside is a Protocol Error. */
  readonly range?: readonly [number, number];
}

/** WILL stands for the will properties of CONNECT where a packet type is asked for. */
export const WILL = 0;

const { CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, DISCONNECT, AUTH } =
  PACKET_TYPE;
const ACKS = [PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK] as const;
const FLAG = [0, 1] as const;
const NOT_ZERO_16 = [1, 0xffff] as const;

/** PROPERTY_TABLE is table 2-4 of MQTT 5. */
export const PROPERTY_TABLE: readonly PropertyRow[] = [
  { id: 0x01, name: 'payloadFormatIndicator', type: 'byte', packets: [PUBLISH, WILL], range: FLAG },
  { id: 0x02, name: 'messageExpiryInterval', type: 'four bytes', packets: [PUBLISH, WILL] },
  { id: 0x03, name: 'contentType', type: 'string', packets: [PUBLISH, WILL] },
  { id: 0x08, name: 'responseTopic', type: 'string', packets: [PUBLISH, WILL] },
  { id: 0x09, name: 'correlationData', type: 'binary', packets: [PUBLISH, WILL] },
  { id: 0x0b, name: 'subscriptionIdentifier', type: 'variable', packets: [PUBLISH, SUBSCRIBE], range: [1, 268_435_455] },
  { id: 0x11, name: 'sessionExpiryInterval', type: 'four bytes', packets: [CONNECT, CONNACK, DISCONNECT] },
  { id: 0x12, name: 'assignedClientIdentifier', type: 'string', packets: [CONNACK] },
  { id: 0x13, name: 'serverKeepAlive', type: 'two bytes', packets: [CONNACK] },
  { id: 0x15, name: 'authenticationMethod', type: 'string', packets: [CONNECT, CONNACK, AUTH] },
  { id: 0x16, name: 'authenticationData', type: 'binary', packets: [CONNECT, CONNACK, AUTH] },
  { id: 0x17, name: 'requestProblemInformation', type: 'byte', packets: [CONNECT], range: FLAG },
  { id: 0x18, name: 'willDelayInterval', type: 'four bytes', packets: [WILL] },
  { id: 0x19, name: 'requestResponseInformation', type: 'byte', packets: [CONNECT], range: FLAG },
  { id: 0x1a, name: 'responseInformation', type: 'string', packets: [CONNACK] },
  { id: 0x1c, name: 'serverReference', type: 'string', packets: [CONNACK, DISCONNECT] },
  { id: 0x1f, name: 'reasonString', type: 'string', packets: [CONNACK, ...ACKS, DISCONNECT, AUTH] },
  { id: 0x21, name: 'receiveMaximum', type: 'two bytes', packets: [CONNECT, CONNACK], range: NOT_ZERO_16 },
  { id: 0x22, name: 'topicAliasMaximum', type: 'two bytes', packets: [CONNECT, CONNACK] },
  { id: 0x23, name: 'topicAlias', type: 'two bytes', packets: [PUBLISH] },
  { id: 0x24, name: 'maximumQos', type: 'byte', packets: [CONNACK], range: FLAG },
  { id: 0x25, name: 'retainAvailable', type: 'byte', packets: [CONNACK], range: FLAG },
  {
    id: 0x26,
    name: 'userProperty',
    type: 'pair',
    packets: [CONNECT, CONNACK, PUBLISH, WILL, ...ACKS, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT, AUTH],
  },
  { id: 0x27, name: 'maximumPacketSize', type: 'four bytes', packets: [CONNECT, CONNACK], range: [1, 0xffffffff] },
  { id: 0x28, name: 'wildcardSubscriptionAvailable', type: 'byte', packets: [CONNACK], range: FLAG },
  { id: 0x29, name: 'subscriptionIdentifierAvailable', type: 'byte', packets: [CONNACK], range: FLAG },
  { id: 0x2a, name: 'sharedSubscriptionAvailable', type: 'byte', packets: [CONNACK], range: FLAG },
];

/** 2.2.2.2; it may stand in all packets that have properties. */
const USER_PROPERTY = 0x26;
const NONE = Buffer.alloc(0);
/** User Properties of one packet: more than any program sends, and few enough that checking them costs no more than other packets of their size. */
export const USER_PROPERTIES_MAX = 1000;

const ROW_BY_ID: readonly (PropertyRow | undefined)[] = rowsById();
const ROW_BY_NAME: ReadonlyMap<string, PropertyRow> = new Map(PROPERTY_TABLE.map((row) => [row.name, row]));

function rowsById(): (PropertyRow | undefined)[] {
  const rows: (PropertyRow | undefined)[] = new Array(0x2b).fill(undefined);
  for (const row of PROPERTY_TABLE) rows[row.id] = row;
  return rows;
}

/**
 * readProperties reads a property length and the properties behind it, and leaves the reader after them.
 * Unknown or misplaced properties and wrong lengths are malformed; duplicates and values out of range are Protocol Errors (2.2.2.2, 3.x.2).
 */
export function readProperties(reader: PacketReader, packet: number): Properties {
  const properties: Properties = {};
  const length = reader.variableByteInteger();
  if (length === 0) return properties;
  if (length > reader.remaining) throw new MalformedPacket('Property Length exceeds the packet');
  const packetEnd = reader.end;
  reader.end = reader.position + length;
  readAll(reader, packet, properties);
  reader.end = packetEnd;
  return properties;
}

function readAll(reader: PacketReader, packet: number, properties: Properties): void {
  let users: UserProperties | null = null;
  while (reader.remaining > 0) {
    if (reader.buffer[reader.position] === USER_PROPERTY) {
      users ??= new UserProperties();
      properties.userProperty ??= NONE; // its place among the others
      users.read(reader);
    } else {
      readProperty(reader, packet, properties);
    }
  }
  if (users !== null) properties.userProperty = users.bytes();
}

/** The User Properties of one packet: mostly they stand one behind the other, and are copied at once. */
class UserProperties {
  readonly #parts: Buffer[] = [];
  #buffer: Buffer | null = null;
  #start = 0;
  #end = 0;
  #count = 0;

  read(reader: PacketReader): void {
    const start = reader.position;
    if (++this.#count > USER_PROPERTIES_MAX)
      throw new MalformedPacket(`More than ${USER_PROPERTIES_MAX} User Properties`, REASON.QUOTA_EXCEEDED);
    reader.position++;
    reader.skipString();
    reader.skipString();
    if (this.#end !== start) {
      this.#settle();
      this.#start = start;
    }
    this.#buffer = reader.buffer;
    this.#end = reader.position;
  }

  bytes(): Buffer {
    this.#settle();
    return this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts); // one at least
  }

  #settle(): void {
    if (this.#buffer !== null) this.#parts.push(ownBytes(this.#buffer, this.#start, this.#end));
    this.#buffer = null;
  }
}

function readProperty(reader: PacketReader, packet: number, properties: Properties): void {
  const id = reader.variableByteInteger();
  const row = ROW_BY_ID[id];
  if (row === undefined) throw new MalformedPacket(`Unknown property 0x${id.toString(16)}`);
  if (!row.packets.includes(packet)) throw new MalformedPacket(`Property ${row.name} is not allowed in this packet`); // 2.2.2.2
  const value = readValue(reader, row);
  if (row.name === 'subscriptionIdentifier') {
    if (properties.subscriptionIdentifier !== undefined && packet === SUBSCRIBE)
      throw protocolError('Property subscriptionIdentifier twice');
    properties.subscriptionIdentifier ??= [];
    properties.subscriptionIdentifier.push(value as number); // its row says 'variable'
    return;
  }
  if (properties[row.name] !== undefined) throw protocolError(`Property ${row.name} twice`);
  (properties as Record<string, unknown>)[row.name] = value; // the row ties name and type together
}

function readValue(reader: PacketReader, row: PropertyRow): number | string | Buffer {
  const value = readType(reader, row.type);
  if (row.range !== undefined && ((value as number) < row.range[0] || (value as number) > row.range[1])) {
    throw protocolError(`Property ${row.name} has the value ${value}`);
  }
  return value;
}

function readType(reader: PacketReader, type: Exclude<PropertyType, 'pair'> | 'pair'): number | string | Buffer {
  switch (type) {
    case 'byte':
      return reader.byte();
    case 'two bytes':
      return reader.twoBytes();
    case 'four bytes':
      return reader.fourBytes();
    case 'variable':
      return reader.variableByteInteger();
    case 'binary':
      return reader.binary();
    default:
      return reader.string();
  }
}

/** checkResponseTopic throws when a Response Topic is no topic name [MQTT-3.3.2-14]. */
export function checkResponseTopic(properties: Properties): void {
  const { responseTopic } = properties;
  if (responseTopic !== undefined && !isTopicName(responseTopic)) throw protocolError('Response Topic holds a wildcard or is empty');
}

/** decodeProperties reads what encodeProperties has written: bytes without the length before them. */
export function decodeProperties(bytes: Buffer, packet: number): Properties {
  const properties: Properties = {};
  const reader = new PacketReader(bytes, 0, bytes.length);
  readAll(reader, packet, properties);
  return properties;
}

/** encodeProperties gives the properties' bytes in the order of the object's fields, without the length before them. */
export function encodeProperties(properties: Properties): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(properties)) {
    const row = ROW_BY_NAME.get(name);
    if (row === undefined || value === undefined) continue;
    if (row.type === 'pair') {
      parts.push(value as Buffer); // encoded already
    } else if (Array.isArray(value)) {
      for (const one of value) parts.push(Buffer.from([row.id]), encodeVariableByteInteger(one as number));
    } else {
      parts.push(Buffer.from([row.id]), encodeValue(row.type, value));
    }
  }
  return Buffer.concat(parts);
}

function encodeValue(type: PropertyType, value: number | string | Buffer): Buffer {
  if (typeof value === 'string') return encodeString(value);
  if (typeof value !== 'number') return Buffer.concat([encodeTwoBytes(value.length), value]);
  if (type === 'byte') return Buffer.from([value]);
  if (type === 'two bytes') return encodeTwoBytes(value);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** encodeTwoBytes gives a Two Byte Integer, 1.5.2. */
export function encodeTwoBytes(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

/** encodeString gives a UTF-8 Encoded String, 1.5.4. */
export function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([encodeTwoBytes(bytes.length), bytes]);
}

/** encodeVariableByteInteger gives 1.5.5's form of a value up to 268,435,455. */
export function encodeVariableByteInteger(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return Buffer.from(bytes);
}

/** writeVariableByteInteger writes the same to `bytes` at `at`, and gives the offset behind it. */
export function writeVariableByteInteger(bytes: Buffer, at: number, value: number): number {
  let to = at;
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes[to++] = (rest & 0x7f) | 0x80;
  bytes[to++] = rest;
  return to;
}

/** variableByteIntegerLength is how many bytes encodeVariableByteInteger needs. */
export function variableByteIntegerLength(value: number): 1 | 2 | 3 | 4 {
  if (value < 128) return 1;
  if (value < 16_384) return 2;
  return value < 2_097_152 ? 3 : 4;
}
