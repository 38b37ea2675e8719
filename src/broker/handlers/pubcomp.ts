// PUBCOMP, MQTT 5 3.7: a QoS 2 message has arrived exactly once.

import { PACKET_TYPE } from '../../mqtt/packet-types.ts';
import type { AckPacket } from '../../mqtt/packets.ts';
import { protocolError } from '../../mqtt/reason-codes.ts';
import type { SignedIn } from '../connection/connection.ts';
import { logReceivedAck } from '../connection/packet-words.ts';

/** handlePubcomp ends the exchange; an unknown identifier is ignored, one that waits for something else is an error. */
export function handlePubcomp(connection: SignedIn, packet: AckPacket): void {
  const session = connection.session;
  const { packetId } = packet;
  logReceivedAck(connection, PACKET_TYPE.PUBCOMP, packet);
  if (!session.outgoing.awaitsPubcomp(packetId)) throw protocolError('PUBCOMP before PUBREC, or for a QoS 1 message');
  session.outgoing.acknowledge(packetId);
}
