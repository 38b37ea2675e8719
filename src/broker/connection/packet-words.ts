// Packets in the words of mosquitto's debug log.

import type { Logger } from '../../base/logger.ts';
import { PACKET_TYPE } from '../../mqtt/packet-types.ts';
import type { AckPacket } from '../../mqtt/packets.ts';

interface NamedTopic {
  readonly name: string;
}

interface LoggedClient {
  readonly id: string;
  readonly broker: { readonly log: Logger };
}

/** publishInWords gives a PUBLISH, by its first byte, as it stands in the brackets of "Received PUBLISH from ID (...)". */
export function publishInWords(first: number, packetId: number, { name }: NamedTopic, payloadBytes: number): string {
  return `d${(first >> 3) & 1}, q${(first >> 1) & 3}, r${first & 1}, m${packetId}, '${name}', ... (${payloadBytes} bytes)`;
}

const ACKS = ['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP'];

/** sentAckInWords gives the line of a PUBACK, PUBREC, PUBREL or PUBCOMP, by its first byte, that goes out. */
export function sentAckInWords(first: number, clientId: string, packetId: number, reason: number): string {
  const place = (first >> 4) - PACKET_TYPE.PUBACK;
  return `Sending ${ACKS[place]} to ${clientId} (m${packetId}${place < 2 ? `, rc${reason}` : ''})`;
}

/** logReceivedAck writes the line of one that comes in. */
export function logReceivedAck({ broker, id }: LoggedClient, type: number, { packetId, reasonCode }: AckPacket): void {
  if (!broker.log.enabled.debug) return;
  const hasReason = type === PACKET_TYPE.PUBACK || type === PACKET_TYPE.PUBCOMP;
  const words = `Mid: ${packetId}${hasReason ? `, RC:${reasonCode}` : ''}`;
  broker.log.log('debug', `Received ${ACKS[type - PACKET_TYPE.PUBACK]} from ${id} (${words})`);
}
