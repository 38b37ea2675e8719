// The packet table: what each control packet may look like, what it means, and what must be refused. One list feeds every test of the
// grammar and of the broker's answers. Bytes are written as test/support/protocol/hex-template.ts says.

import { encodeString } from '../../src/mqtt/properties.ts';
import { hex, type Version } from '../support/protocol/hex-template.ts';
import { propertyRows } from './property-packets.ts';

/** PacketRow is a packet that a client sends. It has either `means` or `refused`. */
export interface PacketRow {
  readonly name: string;
  readonly version: Version;
  readonly template: string;
  /** Fields of the decoded packet, not all of them. */
  readonly means?: Readonly<Record<string, unknown>>;
  /** Reason Codes that the standard allows for it; before MQTT 5 the connection is only closed. */
  readonly refused?: readonly number[];
  /** Who finds out: the grammar alone, or the connection that knows what is allowed at this moment. Default: the grammar. */
  readonly by?: 'connection';
}

const MALFORMED = [0x81];
const PROTOCOL_ERROR = [0x82];
/** As in mosquitto: [MQTT-3.1.3-8] allows it. */
const BAD_CLIENT_ID = [0x85];
/** The standard forbids it without naming the code. */
const EITHER = [0x81, 0x82];

/** userProperties gives the bytes of User Properties as they stand in a packet. */
function userProperties(...pairs: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(pairs.flatMap(([name, value]) => [Buffer.of(0x26), encodeString(name), encodeString(value)]));
}

/** bytesOf gives the bytes of a row. */
export function bytesOf(row: { readonly template: string; readonly version: Version }): Buffer {
  return hex(row.template, row.version);
}

const CONNECT: PacketRow[] = [
  {
    name: 'CONNECT of 3.1',
    version: 3,
    template: "10 [ 'MQIsdp' 03 02 003C 'a' ]",
    means: { version: 3, cleanStart: true, keepAlive: 60, clientId: 'a', will: null, username: null, password: null },
  },
  {
    name: 'CONNECT of 3.1.1',
    version: 4,
    template: "10 [ 'MQTT' 04 00 FFFF 'a' ]",
    means: { version: 4, cleanStart: false, keepAlive: 65535 },
  },
  { name: 'CONNECT of a bridge', version: 4, template: "10 [ 'MQTT' 84 02 003C 'a' ]", means: { version: 4, bridge: true } },
  {
    name: 'CONNECT of 5',
    version: 5,
    template: "10 [ 'MQTT' 05 02 0000 00 '' ]",
    means: { version: 5, bridge: false, keepAlive: 0, clientId: '' },
  },
  {
    name: 'CONNECT with everything, 3.1.1',
    version: 4,
    template: "10 [ 'MQTT' 04 F6 003C 'id' 'will/t' 0002 00FF 'jane' 0003 00FFC0 ]",
    means: {
      clientId: 'id',
      will: { topicName: 'will/t', payload: Buffer.of(0, 255), qos: 2, retain: true, properties: {} },
      username: 'jane',
      password: Buffer.of(0, 255, 192),
    },
  },
  {
    name: 'CONNECT with everything, 5',
    version: 5,
    template:
      "10 [ 'MQTT' 05 EE 003C { 11 0000000A, 15 'm', 16 'd', 17 00, 19 01, 21 0014, 22 000A, 26 'k' 'v', 26 'k' 'w', 27 00010000 } 'id' { 01 01, 02 0000003C, 03 'text', 08 'r', 09 0001 FF, 18 00000005, 26 'a' 'b' } 'w' 'gone' 'jane' 'pw' ]",
    means: {
      properties: {
        sessionExpiryInterval: 10,
        authenticationMethod: 'm',
        authenticationData: Buffer.from('d'),
        requestProblemInformation: 0,
        requestResponseInformation: 1,
        receiveMaximum: 20,
        topicAliasMaximum: 10,
        userProperty: userProperties(['k', 'v'], ['k', 'w']),
        maximumPacketSize: 65536,
      },
      will: {
        topicName: 'w',
        payload: Buffer.from('gone'),
        qos: 1,
        retain: true,
        properties: {
          payloadFormatIndicator: 1,
          messageExpiryInterval: 60,
          contentType: 'text',
          responseTopic: 'r',
          correlationData: Buffer.of(255),
          willDelayInterval: 5,
          userProperty: userProperties(['a', 'b']),
        },
      },
    },
  },
  {
    name: 'CONNECT with a Password alone, 5',
    version: 5,
    template: "10 [ 'MQTT' 05 42 003C {} 'a' 'pw' ]",
    means: { username: null, password: Buffer.from('pw') },
  },
  {
    name: 'CONNECT with a Client Identifier of 65,535 bytes',
    version: 4,
    template: "10 [ 'MQTT' 04 02 003C 'x'*65535 ]",
    means: { clientId: 'x'.repeat(65535) },
  },
  {
    name: 'CONNECT with a byte order mark in its Client Identifier',
    version: 4,
    template: "10 [ 'MQTT' 04 02 003C 0004 EFBBBF |a| ]",
    means: { clientId: '\ufeffa' },
  },
  { name: 'CONNECT with the reserved flag', version: 4, template: "10 [ 'MQTT' 04 03 003C 'a' ]", refused: MALFORMED },
  { name: 'CONNECT with the reserved flag', version: 5, template: "10 [ 'MQTT' 05 03 003C {} 'a' ]", refused: MALFORMED },
  { name: 'CONNECT with Will QoS 3', version: 4, template: "10 [ 'MQTT' 04 1E 003C 'a' 'w' 'x' ]", refused: MALFORMED },
  { name: 'CONNECT with Will QoS 3', version: 5, template: "10 [ 'MQTT' 05 1E 003C {} 'a' {} 'w' 'x' ]", refused: MALFORMED },
  { name: 'CONNECT with Will QoS without Will Flag', version: 4, template: "10 [ 'MQTT' 04 0A 003C 'a' ]", refused: EITHER },
  { name: 'CONNECT with Will Retain without Will Flag', version: 5, template: "10 [ 'MQTT' 05 22 003C {} 'a' ]", refused: EITHER },
  { name: 'CONNECT with a Password without User Name', version: 4, template: "10 [ 'MQTT' 04 42 003C 'a' 'pw' ]", refused: EITHER },
  { name: 'CONNECT of an unknown protocol', version: 4, template: "10 [ 'HTTP' 04 02 003C 'a' ]", refused: [0x84] },
  { name: 'CONNECT of level 6', version: 5, template: "10 [ 'MQTT' 06 02 003C {} 'a' ]", refused: [0x84] },
  { name: 'CONNECT of MQIsdp level 4', version: 3, template: "10 [ 'MQIsdp' 04 02 003C 'a' ]", refused: [0x84] },
  { name: 'CONNECT without content', version: 4, template: '10 00', refused: MALFORMED },
  { name: 'CONNECT that ends after its level', version: 4, template: "10 [ 'MQTT' 04 ]", refused: MALFORMED },
  { name: 'CONNECT that ends in its keep alive', version: 4, template: "10 [ 'MQTT' 04 02 00 ]", refused: MALFORMED },
  { name: 'CONNECT without Client Identifier', version: 4, template: "10 [ 'MQTT' 04 02 003C ]", refused: MALFORMED },
  { name: 'CONNECT that ends in its Client Identifier', version: 4, template: "10 [ 'MQTT' 04 02 003C 0005 |abc| ]", refused: MALFORMED },
  { name: 'CONNECT without its will', version: 4, template: "10 [ 'MQTT' 04 06 003C 'a' ]", refused: MALFORMED },
  { name: 'CONNECT without its User Name', version: 4, template: "10 [ 'MQTT' 04 82 003C 'a' ]", refused: MALFORMED },
  { name: 'CONNECT without its Password', version: 4, template: "10 [ 'MQTT' 04 C2 003C 'a' 'jane' ]", refused: MALFORMED },
  { name: 'CONNECT with a byte too many', version: 4, template: "10 [ 'MQTT' 04 02 003C 'a' 00 ]", refused: MALFORMED },
  { name: 'CONNECT without its property length', version: 5, template: "10 [ 'MQTT' 05 02 003C ]", refused: MALFORMED },
  {
    name: 'CONNECT with Authentication Data alone',
    version: 5,
    template: "10 [ 'MQTT' 05 02 003C { 16 'd' } 'a' ]",
    refused: PROTOCOL_ERROR,
  },
  {
    name: 'CONNECT with U+0000 in its Client Identifier',
    version: 4,
    template: "10 [ 'MQTT' 04 02 003C 0002 6100 ]",
    refused: BAD_CLIENT_ID,
  },
  {
    name: 'CONNECT with a lone surrogate in its User Name',
    version: 4,
    template: "10 [ 'MQTT' 04 82 003C 'a' 0003 EDA080 ]",
    refused: MALFORMED,
  },
  {
    name: 'CONNECT with an overlong letter in its will topic',
    version: 4,
    template: "10 [ 'MQTT' 04 06 003C 'a' 0002 C0AF 'x' ]",
    refused: MALFORMED,
  },
  {
    name: 'CONNECT with flags in its first byte',
    version: 4,
    template: "11 [ 'MQTT' 04 02 003C 'a' ]",
    refused: MALFORMED,
    by: 'connection',
  },
];

const PUBLISH: PacketRow[] = [
  {
    name: 'PUBLISH at QoS 0',
    version: 4,
    template: "30 [ 'a/b' |hello| ]",
    means: { topicName: 'a/b', payload: 'hello', qos: 0, retain: false, dup: false },
  },
  {
    name: 'PUBLISH at QoS 0',
    version: 5,
    template: "30 [ 'a/b' {} |hello| ]",
    means: { topicName: 'a/b', payload: 'hello', properties: null },
  },
  { name: 'PUBLISH without payload', version: 4, template: "31 [ 't' ]", means: { payload: '', retain: true } },
  { name: 'PUBLISH without payload', version: 5, template: "31 [ 't' {} ]", means: { payload: '', retain: true } },
  { name: 'PUBLISH at QoS 1', version: 4, template: "32 [ 't' FFFF |x| ]", means: { qos: 1, packetId: 65535, payload: 'x' } },
  {
    name: 'PUBLISH at QoS 2 with DUP and RETAIN',
    version: 5,
    template: "3D [ 't' 0001 {} |x| ]",
    means: { qos: 2, packetId: 1, dup: true, retain: true },
  },
  { name: 'PUBLISH of 127 bytes', version: 4, template: "30 [ 't' |x|*124 ]", means: { payload: 'x'.repeat(124) } },
  { name: 'PUBLISH of 128 bytes', version: 4, template: "30 [ 't' |x|*125 ]", means: { payload: 'x'.repeat(125) } },
  { name: 'PUBLISH of 16,383 bytes', version: 4, template: "30 [ 't' |x|*16380 ]", means: { payload: 'x'.repeat(16380) } },
  { name: 'PUBLISH of 16,384 bytes', version: 4, template: "30 [ 't' |x|*16381 ]", means: { payload: 'x'.repeat(16381) } },
  {
    name: 'PUBLISH with every property',
    version: 5,
    template: "32 [ 't' 0001 { 01 01, 02 0000003C, 03 'text', 08 'r/t', 09 0002 00FF, 23 000A, 26 'k' 'v', 26 'k' 'v' } |x| ]",
    means: {
      payload: 'x',
      properties: {
        payloadFormatIndicator: 1,
        messageExpiryInterval: 60,
        contentType: 'text',
        responseTopic: 'r/t',
        correlationData: Buffer.of(0, 255),
        topicAlias: 10,
        userProperty: userProperties(['k', 'v'], ['k', 'v']),
      },
    },
  },
  {
    name: 'PUBLISH with User Properties between others',
    version: 5,
    template: "30 [ 't' { 26 'k' 'v', 01 01, 26 'l' 'w', 26 'm' 'x' } |x| ]",
    means: { payload: 'x', properties: { payloadFormatIndicator: 1, userProperty: userProperties(['k', 'v'], ['l', 'w'], ['m', 'x']) } },
  },
  { name: 'PUBLISH with a thousand User Properties', version: 5, template: `30 [ 't' { ${"26 '' '' ".repeat(1000)} } ]`, means: {} },
  { name: 'PUBLISH with more', version: 5, template: `30 [ 't' { ${"26 '' '' ".repeat(1001)} } ]`, refused: [0x97] },
  { name: 'PUBLISH with a bad User Property', version: 5, template: "30 [ 't' { 26 'k' 0001 FF } ]", refused: MALFORMED },
  {
    name: 'PUBLISH with properties of more than 127 bytes',
    version: 5,
    template: "30 [ 't' { 03 'c'*200 } |x| ]",
    means: { payload: 'x', properties: { contentType: 'c'.repeat(200) } },
  },
  {
    name: 'PUBLISH with a Topic Alias alone',
    version: 5,
    template: "30 [ '' { 23 0001 } |x| ]",
    means: { topicName: '', properties: { topicAlias: 1 } },
  },
  { name: 'PUBLISH at QoS 3', version: 4, template: "36 [ 't' 0001 |x| ]", refused: MALFORMED },
  { name: 'PUBLISH at QoS 3', version: 5, template: "36 [ 't' 0001 {} |x| ]", refused: MALFORMED },
  { name: 'PUBLISH at QoS 0 with DUP', version: 4, template: "38 [ 't' |x| ]", refused: EITHER },
  { name: 'PUBLISH at QoS 0 with DUP', version: 5, template: "38 [ 't' {} |x| ]", refused: EITHER },
  { name: 'PUBLISH without content', version: 4, template: '30 00', refused: MALFORMED },
  { name: 'PUBLISH with half a topic length', version: 5, template: '30 01 00', refused: MALFORMED },
  { name: 'PUBLISH that ends in its topic', version: 4, template: '30 [ 0005 |abc| ]', refused: MALFORMED },
  { name: 'PUBLISH that ends in its topic at QoS 1', version: 5, template: '32 [ 0005 |abc| ]', refused: MALFORMED },
  { name: 'PUBLISH without Packet Identifier', version: 4, template: "32 [ 't' ]", refused: MALFORMED },
  { name: 'PUBLISH with half a Packet Identifier', version: 5, template: "32 [ 't' 00 ]", refused: MALFORMED },
  { name: 'PUBLISH with Packet Identifier 0', version: 4, template: "32 [ 't' 0000 |x| ]", refused: EITHER },
  { name: 'PUBLISH with Packet Identifier 0', version: 5, template: "34 [ 't' 0000 {} |x| ]", refused: EITHER },
  { name: 'PUBLISH without property length', version: 5, template: "30 [ 't' ]", refused: MALFORMED },
  { name: 'PUBLISH with a property length beyond its end', version: 5, template: "30 [ 't' 7F |x| ]", refused: MALFORMED },
  { name: 'PUBLISH with a property length of five bytes', version: 5, template: "30 [ 't' FFFFFFFF7F |x| ]", refused: MALFORMED },
  { name: 'PUBLISH with a property length longer than needed', version: 5, template: "30 [ 't' 8000 |x| ]", refused: MALFORMED },
  { name: 'PUBLISH with an empty topic', version: 4, template: "30 [ '' |x| ]", refused: EITHER, by: 'connection' },
  { name: 'PUBLISH with an empty topic and no alias', version: 5, template: "30 [ '' {} |x| ]", refused: PROTOCOL_ERROR, by: 'connection' },
  { name: 'PUBLISH with + in its topic', version: 5, template: "30 [ 'a/+' {} |x| ]", refused: [0x90, 0x81, 0x82], by: 'connection' },
  { name: 'PUBLISH with # in its topic', version: 5, template: "30 [ '#' {} |x| ]", refused: [0x90, 0x81, 0x82], by: 'connection' },
  { name: 'PUBLISH with U+0000 in its topic', version: 5, template: '30 [ 0002 7400 {} |x| ]', refused: MALFORMED, by: 'connection' },
  {
    name: 'PUBLISH with a lone surrogate in its topic',
    version: 5,
    template: '30 [ 0003 EDBFBF {} |x| ]',
    refused: MALFORMED,
    by: 'connection',
  },
  { name: 'PUBLISH with half a letter in its topic', version: 4, template: '30 [ 0002 74C3 |x| ]', refused: MALFORMED, by: 'connection' },
  {
    name: 'PUBLISH with an overlong letter in its topic',
    version: 5,
    template: '30 [ 0002 C1BF {} |x| ]',
    refused: MALFORMED,
    by: 'connection',
  },
  {
    name: 'PUBLISH with a letter beyond U+10FFFF in its topic',
    version: 5,
    template: '30 [ 0004 F4908080 {} |x| ]',
    refused: MALFORMED,
    by: 'connection',
  },
  { name: 'PUBLISH with Topic Alias 0', version: 5, template: "30 [ 't' { 23 0000 } |x| ]", refused: [0x94], by: 'connection' },
  {
    name: 'PUBLISH with a Topic Alias above the maximum',
    version: 5,
    template: "30 [ 't' { 23 000B } |x| ]",
    refused: [0x94],
    by: 'connection',
  },
  {
    name: 'PUBLISH with a Topic Alias that was never set',
    version: 5,
    template: "30 [ '' { 23 0001 } |x| ]",
    refused: [0x82, 0x94],
    by: 'connection',
  },
  {
    name: 'PUBLISH with a wildcard in its Response Topic',
    version: 5,
    template: "30 [ 't' { 08 'r/+' } |x| ]",
    refused: [0x82, 0x90],
    by: 'connection',
  },
];

/** PUBACK, PUBREC, PUBREL and PUBCOMP are built alike. */
function ackRows(name: string, first: string, otherFlags: string): PacketRow[] {
  const release = first === '62' || first === '70';
  return [
    { name, version: 4, template: `${first} [ 1234 ]`, means: { packetId: 0x1234 } },
    { name: `${name} in its short form`, version: 5, template: `${first} [ 1234 ]`, means: { packetId: 0x1234, reasonCode: 0 } },
    {
      name: `${name} with a Reason Code`,
      version: 5,
      template: `${first} [ 0001 ${release ? '92' : '97'} ]`,
      means: { reasonCode: release ? 0x92 : 0x97 },
    },
    { name: `${name} with an empty property list`, version: 5, template: `${first} [ 0001 00 00 ]`, means: { packetId: 1, reasonCode: 0 } },
    {
      name: `${name} with properties`,
      version: 5,
      template: `${first} [ 0001 00 { 1F 'fine', 26 'k' 'v' } ]`,
      means: { packetId: 1, reasonCode: 0 },
    },
    { name: `${name} without content`, version: 4, template: `${first} 00`, refused: MALFORMED },
    { name: `${name} with half a Packet Identifier`, version: 5, template: `${first} 01 00`, refused: MALFORMED },
    { name: `${name} with Packet Identifier 0`, version: 5, template: `${first} [ 0000 ]`, refused: EITHER },
    { name: `${name} with three bytes`, version: 4, template: `${first} [ 0001 00 ]`, refused: MALFORMED },
    { name: `${name} with a Reason Code it cannot have`, version: 5, template: `${first} [ 0001 04 ]`, refused: EITHER },
    { name: `${name} with a byte too many`, version: 5, template: `${first} [ 0001 00 00 00 ]`, refused: MALFORMED },
    { name: `${name} with a property length beyond its end`, version: 5, template: `${first} [ 0001 00 05 ]`, refused: MALFORMED },
    { name: `${name} with other flags`, version: 4, template: `${otherFlags} [ 0001 ]`, refused: MALFORMED, by: 'connection' },
    { name: `${name} with other flags`, version: 5, template: `${otherFlags} [ 0001 ]`, refused: MALFORMED, by: 'connection' },
  ];
}

const SUBSCRIBE: PacketRow[] = [
  {
    name: 'SUBSCRIBE with three filters',
    version: 4,
    template: "82 [ 0001 'a' 00 'b/+' 01 'c/#' 02 ]",
    means: {
      packetId: 1,
      requests: [
        { topicFilter: 'a', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 },
        { topicFilter: 'b/+', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 },
        { topicFilter: 'c/#', qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 },
      ],
    },
  },
  {
    name: 'SUBSCRIBE with every option',
    version: 5,
    template: "82 [ 0001 {} 'a' 04 'b' 08 'c' 10 'd' 2E ]",
    means: {
      requests: [
        { topicFilter: 'a', qos: 0, noLocal: true, retainAsPublished: false, retainHandling: 0 },
        { topicFilter: 'b', qos: 0, noLocal: false, retainAsPublished: true, retainHandling: 0 },
        { topicFilter: 'c', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 1 },
        { topicFilter: 'd', qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 },
      ],
    },
  },
  {
    name: 'SUBSCRIBE with the largest Subscription Identifier',
    version: 5,
    template: "82 [ 0001 { 0B FFFFFF7F } 't' 00 ]",
    means: { properties: { subscriptionIdentifier: [268435455] } },
  },
  { name: 'SUBSCRIBE without filters', version: 4, template: '82 [ 0001 ]', refused: EITHER },
  { name: 'SUBSCRIBE without filters', version: 5, template: '82 [ 0001 {} ]', refused: PROTOCOL_ERROR },
  { name: 'SUBSCRIBE without content', version: 5, template: '82 00', refused: MALFORMED },
  { name: 'SUBSCRIBE with Packet Identifier 0', version: 5, template: "82 [ 0000 {} 't' 00 ]", refused: EITHER },
  { name: 'SUBSCRIBE without the options of its filter', version: 4, template: "82 [ 0001 't' ]", refused: MALFORMED },
  { name: 'SUBSCRIBE that ends in its filter', version: 5, template: '82 [ 0001 {} 0005 |abc| ]', refused: MALFORMED },
  { name: 'SUBSCRIBE with QoS 3', version: 4, template: "82 [ 0001 't' 03 ]", refused: MALFORMED },
  { name: 'SUBSCRIBE with QoS 3', version: 5, template: "82 [ 0001 {} 't' 03 ]", refused: PROTOCOL_ERROR },
  { name: 'SUBSCRIBE with reserved bits', version: 4, template: "82 [ 0001 't' 08 ]", refused: MALFORMED },
  { name: 'SUBSCRIBE with reserved bits', version: 5, template: "82 [ 0001 {} 't' 80 ]", refused: MALFORMED },
  { name: 'SUBSCRIBE with Retain Handling 3', version: 5, template: "82 [ 0001 {} 't' 30 ]", refused: PROTOCOL_ERROR },
  { name: 'SUBSCRIBE with Subscription Identifier 0', version: 5, template: "82 [ 0001 { 0B 00 } 't' 00 ]", refused: PROTOCOL_ERROR },
  {
    name: 'SUBSCRIBE with a Subscription Identifier of five bytes',
    version: 5,
    template: "82 [ 0001 { 0B FFFFFFFF01 } 't' 00 ]",
    refused: MALFORMED,
  },
  { name: 'SUBSCRIBE with U+0000 in its filter', version: 5, template: '82 [ 0001 {} 0002 7400 00 ]', refused: MALFORMED },
  { name: 'SUBSCRIBE with half a letter in its filter', version: 4, template: '82 [ 0001 0001 C3 00 ]', refused: MALFORMED },
  { name: 'SUBSCRIBE with other flags', version: 4, template: "80 [ 0001 't' 00 ]", refused: MALFORMED, by: 'connection' },
  { name: 'SUBSCRIBE with other flags', version: 5, template: "83 [ 0001 {} 't' 00 ]", refused: MALFORMED, by: 'connection' },
  {
    name: 'SUBSCRIBE with No Local on a shared filter',
    version: 5,
    template: "82 [ 0001 {} '$share/g/t' 04 ]",
    refused: PROTOCOL_ERROR,
    by: 'connection',
  },
];

const UNSUBSCRIBE: PacketRow[] = [
  {
    name: 'UNSUBSCRIBE with two filters',
    version: 4,
    template: "A2 [ 0001 'a' 'b/#' ]",
    means: { packetId: 1, topicFilters: ['a', 'b/#'] },
  },
  {
    name: 'UNSUBSCRIBE with a User Property',
    version: 5,
    template: "A2 [ 0001 { 26 'k' 'v' } 'a' ]",
    means: { packetId: 1, topicFilters: ['a'] },
  },
  { name: 'UNSUBSCRIBE without filters', version: 4, template: 'A2 [ 0001 ]', refused: EITHER },
  { name: 'UNSUBSCRIBE without filters', version: 5, template: 'A2 [ 0001 {} ]', refused: PROTOCOL_ERROR },
  { name: 'UNSUBSCRIBE without content', version: 5, template: 'A2 00', refused: MALFORMED },
  { name: 'UNSUBSCRIBE with Packet Identifier 0', version: 5, template: "A2 [ 0000 {} 't' ]", refused: EITHER },
  { name: 'UNSUBSCRIBE that ends in its filter', version: 4, template: 'A2 [ 0001 0005 |abc| ]', refused: MALFORMED },
  { name: 'UNSUBSCRIBE with a stray continuation byte', version: 5, template: 'A2 [ 0001 {} 0002 7480 ]', refused: MALFORMED },
  { name: 'UNSUBSCRIBE with other flags', version: 4, template: "A0 [ 0001 't' ]", refused: MALFORMED, by: 'connection' },
  { name: 'UNSUBSCRIBE with other flags', version: 5, template: "A0 [ 0001 {} 't' ]", refused: MALFORMED, by: 'connection' },
];

const OTHERS: PacketRow[] = [
  { name: 'PINGREQ', version: 4, template: 'C0 00', means: {} },
  { name: 'PINGREQ with flags', version: 5, template: 'C4 00', refused: MALFORMED, by: 'connection' },
  { name: 'PINGREQ with content', version: 5, template: 'C0 01 00', refused: MALFORMED, by: 'connection' },
  { name: 'DISCONNECT', version: 4, template: 'E0 00', means: { reasonCode: 0 } },
  { name: 'DISCONNECT in its short form', version: 5, template: 'E0 00', means: { reasonCode: 0, properties: {} } },
  { name: 'DISCONNECT with will', version: 5, template: 'E0 [ 04 ]', means: { reasonCode: 4 } },
  {
    name: 'DISCONNECT with properties',
    version: 5,
    template: "E0 [ 00 { 11 FFFFFFFF, 1F 'bye', 26 'k' 'v' } ]",
    means: {
      reasonCode: 0,
      properties: { sessionExpiryInterval: 0xffffffff, reasonString: 'bye', userProperty: userProperties(['k', 'v']) },
    },
  },
  { name: 'DISCONNECT with content', version: 4, template: 'E0 01 00', refused: MALFORMED },
  { name: "DISCONNECT with a server's Reason Code", version: 5, template: 'E0 [ 8E ]', refused: EITHER },
  { name: 'DISCONNECT with a Server Reference', version: 5, template: "E0 [ 00 { 1C 'x' } ]", refused: EITHER },
  { name: 'DISCONNECT with a byte too many', version: 5, template: 'E0 [ 00 00 00 ]', refused: MALFORMED },
  { name: 'DISCONNECT with flags', version: 5, template: 'E8 00', refused: MALFORMED, by: 'connection' },
  {
    name: 'AUTH',
    version: 5,
    template: "F0 [ 18 { 15 'm', 16 'd' } ]",
    means: { reasonCode: 0x18, properties: { authenticationMethod: 'm', authenticationData: Buffer.from('d') } },
  },
  { name: 'AUTH with a Reason Code it cannot have', version: 5, template: "F0 [ 01 { 15 'm' } ]", refused: EITHER },
  { name: 'AUTH with a byte too many', version: 5, template: 'F0 [ 18 00 00 ]', refused: MALFORMED },
  { name: 'AUTH with flags', version: 5, template: "F2 [ 18 { 15 'm' } ]", refused: MALFORMED, by: 'connection' },
  { name: 'AUTH', version: 4, template: 'F0 00', refused: EITHER, by: 'connection' },
  { name: 'packet of type 0', version: 5, template: '00 00', refused: EITHER, by: 'connection' },
  { name: 'packet of type 0', version: 4, template: '00 00', refused: EITHER, by: 'connection' },
  { name: "a server's CONNACK", version: 5, template: '20 [ 00 00 {} ]', refused: PROTOCOL_ERROR, by: 'connection' },
  { name: "a server's SUBACK", version: 5, template: '90 [ 0001 {} 00 ]', refused: PROTOCOL_ERROR, by: 'connection' },
  { name: "a server's UNSUBACK", version: 5, template: 'B0 [ 0001 {} 00 ]', refused: PROTOCOL_ERROR, by: 'connection' },
  { name: "a server's PINGRESP", version: 5, template: 'D0 00', refused: PROTOCOL_ERROR, by: 'connection' },
];

/** CLIENT_PACKETS are all rows of packets from a client. */
export const CLIENT_PACKETS: readonly PacketRow[] = [
  ...CONNECT,
  ...PUBLISH,
  ...ackRows('PUBACK', '40', '42'),
  ...ackRows('PUBREC', '50', '51'),
  ...ackRows('PUBREL', '62', '60'),
  ...ackRows('PUBCOMP', '70', '78'),
  ...SUBSCRIBE,
  ...UNSUBSCRIBE,
  ...OTHERS,
  ...propertyRows(),
];

/** BAD_LENGTHS are beginnings of packets whose Remaining Length alone is wrong. */
export const BAD_LENGTHS: readonly PacketRow[] = [
  { name: 'Remaining Length of five bytes', version: 5, template: '30 8080808001', refused: MALFORMED },
  { name: 'Remaining Length that never ends', version: 5, template: '30 FFFFFFFF', refused: MALFORMED },
  { name: 'Remaining Length longer than needed', version: 5, template: '30 8000', refused: MALFORMED },
  { name: 'Remaining Length of four bytes longer than needed', version: 5, template: '30 FFFFFF00', refused: MALFORMED },
  { name: 'Remaining Length of 256 MB', version: 5, template: '30 FFFFFF7F', refused: [0x95] },
];
