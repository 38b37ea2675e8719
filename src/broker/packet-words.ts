// Packets in the words of mosquitto's debug log.

import { PACKET_TYPE } from '../mqtt/packet-types.ts';
import type { Topic } from './topic.ts';

/** publishInWords gives a PUBLISH as it stands in the brackets of "Received PUBLISH from ID (...)". */
export function publishInWords(dup: boolean, qos: number, retain: boolean, packetId: number, topic: Topic, payloadBytes: number): string {
  return `d${Number(dup)}, q${qos}, r${Number(retain)}, m${packetId}, '${topic.name}', ... (${payloadBytes} bytes)`;
}

/** ackName names PUBACK, PUBREC, PUBREL and PUBCOMP by their first byte. */
export function ackName(first: number): string {
  return ['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP'][(first >> 4) - PACKET_TYPE.PUBACK] ?? '';
}
