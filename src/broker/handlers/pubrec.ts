// PUBREC, MQTT 5 3.5: the client has a QoS 2 message and waits for its release.

import { FIRST_BYTE, PACKET_TYPE } from '../../mqtt/packet-types.ts';
import type { AckPacket } from '../../mqtt/packets.ts';
import { protocolError, REASON } from '../../mqtt/reason-codes.ts';
import type { SignedIn } from '../connection/connection.ts';
import { logReceivedAck } from '../connection/packet-words.ts';

/** handlePubrec answers PUBREL; a PUBREC with an error ends the exchange. */
export function handlePubrec(connection: SignedIn, packet: AckPacket): void {
  const session = connection.session;
  const { packetId, reasonCode } = packet;
  logReceivedAck(connection, PACKET_TYPE.PUBREC, packet);
  if (session.outgoing.qosInFlight(packetId) === 1) throw protocolError('PUBREC for a QoS 1 message');
  if (reasonCode >= 0x80) {
    session.outgoing.acknowledge(packetId); // 4.3.3: the identifier is free again
    return;
  }
  const known = session.outgoing.release(packetId);
  connection.acks.sendKept(FIRST_BYTE.PUBREL, packetId, known ? REASON.SUCCESS : REASON.PACKET_IDENTIFIER_NOT_FOUND, session.journal); // [MQTT-4.3.3-4]; see journal.ts
}
