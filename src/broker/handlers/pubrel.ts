// PUBREL, MQTT 5 3.6: the client releases the identifier of a QoS 2 message that we have.

import { REASON } from '../../mqtt/reason-codes.ts';
import type { Connection } from '../connection.ts';

const PUBCOMP = 0x70;

/** handlePubrel forgets the identifier; the message itself was delivered when it came (4.3.3, method B). */
export function handlePubrel(connection: Connection, packetId: number): void {
  const known = connection.session?.incoming?.delete(packetId) === true;
  connection.sendAck(PUBCOMP, packetId, known ? REASON.SUCCESS : REASON.PACKET_IDENTIFIER_NOT_FOUND); // [MQTT-4.3.3-11]
}
