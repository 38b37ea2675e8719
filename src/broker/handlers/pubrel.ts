// PUBREL, MQTT 5 3.6: the client releases the identifier of a QoS 2 message that we have.

import { FIRST_BYTE, PACKET_TYPE } from '../../mqtt/packet-types.ts';
import type { AckPacket } from '../../mqtt/packets.ts';
import { REASON } from '../../mqtt/reason-codes.ts';
import type { SignedIn } from '../connection/connection.ts';
import { logReceivedAck } from '../connection/packet-words.ts';

/** handlePubrel forgets the identifier; the message itself was delivered when it came (4.3.3, method B). */
export function handlePubrel(connection: SignedIn, packet: AckPacket): void {
  const session = connection.session;
  const { packetId } = packet;
  logReceivedAck(connection, PACKET_TYPE.PUBREL, packet);
  const known = session.incoming?.delete(packetId) === true;
  const { journal } = session;
  if (known) journal?.dropIncoming(session, packetId);
  if (known && connection.unreleased > 0) connection.unreleased--; // it may be of an earlier connection
  connection.acks.sendKept(FIRST_BYTE.PUBCOMP, packetId, known ? REASON.SUCCESS : REASON.PACKET_IDENTIFIER_NOT_FOUND, journal); // [MQTT-4.3.3-11]; see journal.ts
}
