// Packets in the words of mosquitto's debug log.

import { PACKET_TYPE } from '../../mqtt/packet-types.ts';
import type { AckPacket } from '../../mqtt/packets.ts';
import type { Topic } from '../topic.ts';
import type { Connection } from './connection.ts';

/** publishInWords gives a PUBLISH as it stands in the brackets of "Received PUBLISH from ID (...)". */
export function publishInWords(dup: boolean, qos: number, retain: boolean, packetId: number, topic: Topic, payloadBytes: number): string {
  return `d${Number(dup)}, q${qos}, r${Number(retain)}, m${packetId}, '${topic.name}', ... (${payloadBytes} bytes)`;
}

const ACKS = ['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP'];

/** sentAckInWords gives the line of a PUBACK, PUBREC, PUBREL or PUBCOMP, by its first byte, that goes out. */
export function sentAckInWords(first: number, clientId: string, packetId: number, reason: number): string {
  const place = (first >> 4) - PACKET_TYPE.PUBACK;
  return `Sending ${ACKS[place]} to ${clientId} (m${packetId}${place < 2 ? `, rc${reason}` : ''})`;
}

/** logReceivedAck writes the line of one that comes in. */
export function logReceivedAck({ broker, id }: Connection, type: number, { packetId, reasonCode }: AckPacket): void {
  if (!broker.log.enabled.debug) return;
  const hasReason = type === PACKET_TYPE.PUBACK || type === PACKET_TYPE.PUBCOMP;
  const words = `Mid: ${packetId}${hasReason ? `, RC:${reasonCode}` : ''}`;
  broker.log.log('debug', `Received ${ACKS[type - PACKET_TYPE.PUBACK]} from ${id} (${words})`);
}
