// The packets that only a client sends, as bytes: the other direction of packets.ts, and of the same types.

import { encodePacket, withLength } from './encode.ts';
import { PACKET_TYPE, type ProtocolVersion } from './packet-types.ts';
import type { ConnectPacket, SubscriptionRequest, WillMessage } from './packets.ts';
import { encodeString, encodeTwoBytes, type Properties } from './properties.ts';

/** PINGREQ, 3.12. */
export const PINGREQ: Buffer = Buffer.from([PACKET_TYPE.PINGREQ << 4, 0]);

/** Flags that SUBSCRIBE and UNSUBSCRIBE must have, 3.8.1. */
const REQUIRED = 0x02;

/** encodeConnect gives a CONNECT, 3.1. */
export function encodeConnect(connect: ConnectPacket): Buffer {
  const { version, bridge, will, username, password } = connect;
  const flags =
    (connect.cleanStart ? 0x02 : 0) |
    (will === null ? 0 : 0x04 | (will.qos << 3) | (will.retain ? 0x20 : 0)) |
    (password === null ? 0 : 0x40) |
    (username === null ? 0 : 0x80);
  return encodePacket(PACKET_TYPE.CONNECT << 4, [
    encodeString(version === 3 ? 'MQIsdp' : 'MQTT'),
    Buffer.from([version | (bridge ? 0x80 : 0), flags]),
    encodeTwoBytes(connect.keepAlive),
    ...propertiesFor(version, connect.properties),
    encodeString(connect.clientId),
    ...(will === null ? [] : encodeWill(version, will)),
    ...(username === null ? [] : [encodeString(username)]),
    ...(password === null ? [] : [encodeTwoBytes(password.length), password]),
  ]);
}

function encodeWill(version: ProtocolVersion, { topicName, payload, properties }: WillMessage): Buffer[] {
  return [...propertiesFor(version, properties), encodeString(topicName), encodeTwoBytes(payload.length), payload];
}

/** encodeSubscribe gives a SUBSCRIBE, 3.8. Before v5 a request is its filter and its QoS. */
export function encodeSubscribe(
  version: ProtocolVersion,
  packetId: number,
  requests: readonly SubscriptionRequest[],
  properties: Properties = {},
): Buffer {
  const filters = requests.flatMap((request) => [encodeString(request.topicFilter), Buffer.from([optionsOf(version, request)])]);
  const parts = [encodeTwoBytes(packetId), ...propertiesFor(version, properties), ...filters];
  return encodePacket((PACKET_TYPE.SUBSCRIBE << 4) | REQUIRED, parts);
}

function optionsOf(version: ProtocolVersion, { qos, noLocal, retainAsPublished, retainHandling }: SubscriptionRequest): number {
  if (version !== 5) return qos;
  return qos | (noLocal ? 0x04 : 0) | (retainAsPublished ? 0x08 : 0) | (retainHandling << 4);
}

/** encodeUnsubscribe gives an UNSUBSCRIBE, 3.10. */
export function encodeUnsubscribe(version: ProtocolVersion, packetId: number, topicFilters: readonly string[]): Buffer {
  const parts = [encodeTwoBytes(packetId), ...propertiesFor(version, {}), ...topicFilters.map(encodeString)];
  return encodePacket((PACKET_TYPE.UNSUBSCRIBE << 4) | REQUIRED, parts);
}

function propertiesFor(version: ProtocolVersion, properties: Properties): Buffer[] {
  return version === 5 ? withLength(properties) : [];
}
