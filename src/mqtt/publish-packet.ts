// PUBLISH, 3.3: read in place. The result is one flat object; topic and payload stay offsets into the chunk until somebody needs them.

import { PacketReader } from './packet-reader.ts';
import { PACKET_TYPE, type Qos } from './packet-types.ts';
import { checkResponseTopic, type Properties, readProperties } from './properties.ts';
import { MalformedPacket, protocolError } from './reason-codes.ts';

/** PublishPacket points into `buffer`, which is only valid during the call that brought it. */
export interface PublishPacket {
  readonly buffer: Buffer;
  /** First byte of the fixed header. */
  readonly start: number;
  readonly topicStart: number;
  readonly topicEnd: number;
  /** Where the two bytes of the packet identifier stand, or -1 for QoS 0. */
  readonly packetIdAt: number;
  readonly packetId: number;
  readonly payloadStart: number;
  readonly end: number;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly dup: boolean;
  /** Null when there is none: before MQTT 5, or with a Property Length of 0. */
  readonly properties: Properties | null;
}

/** readPublish reads a PUBLISH. The topic's bytes are not judged here: the engine's topic cache does it once per topic. */
export function readPublish(
  buffer: Buffer,
  start: number,
  body: number,
  end: number,
  hasProperties: boolean,
  sender: 'client' | 'server' = 'client',
): PublishPacket {
  const flags = buffer[start]!; // the decoder has seen it
  const qos = (flags >> 1) & 0x03;
  if (qos === 3) throw new MalformedPacket('PUBLISH with QoS 3'); // [MQTT-3.3.1-4]
  if (qos === 0 && (flags & 0x08) !== 0) throw new MalformedPacket('DUP set on QoS 0'); // [MQTT-3.3.1-2]
  if (body + 2 > end) throw new MalformedPacket('PUBLISH ends before its topic');
  const topicStart = body + 2;
  const topicEnd = topicStart + ((buffer[body]! << 8) | buffer[body + 1]!);
  let position = topicEnd;
  let packetId = 0;
  let packetIdAt = -1;
  if (qos > 0) {
    packetIdAt = position;
    position += 2;
    if (position > end) throw new MalformedPacket('PUBLISH ends before its packet identifier');
    packetId = (buffer[packetIdAt]! << 8) | buffer[packetIdAt + 1]!;
    if (packetId === 0) throw protocolError('Packet Identifier 0'); // [MQTT-2.2.1-3]
  }
  if (position > end) throw new MalformedPacket('PUBLISH ends inside its topic');
  let properties: Properties | null = null;
  if (hasProperties) {
    if (position === end) throw new MalformedPacket('PUBLISH ends before its properties');
    if (buffer[position] === 0) {
      position++;
    } else {
      const reader = new PacketReader(buffer, position, end);
      properties = readProperties(reader, PACKET_TYPE.PUBLISH);
      position = reader.position;
      checkResponseTopic(properties);
      if (sender === 'client' && properties.subscriptionIdentifier !== undefined)
        throw protocolError('Subscription Identifier from a client'); // [MQTT-3.3.4-6]
    }
  }
  return {
    buffer,
    start,
    topicStart,
    topicEnd,
    packetIdAt,
    packetId,
    payloadStart: position,
    end,
    qos: qos as Qos,
    retain: (flags & 0x01) !== 0,
    dup: (flags & 0x08) !== 0,
    properties,
  };
}
