// PUBACK, MQTT 5 3.4: the client has a QoS 1 message.

import { PACKET_TYPE } from '../../mqtt/packet-types.ts';
import type { AckPacket } from '../../mqtt/packets.ts';
import { protocolError } from '../../mqtt/reason-codes.ts';
import type { SignedIn } from '../connection/connection.ts';
import { logReceivedAck } from '../connection/packet-words.ts';

/** handlePuback ends the exchange; an unknown identifier is ignored, as mosquitto does. */
export function handlePuback(connection: SignedIn, packet: AckPacket): void {
  const session = connection.session;
  const { packetId } = packet;
  logReceivedAck(connection, PACKET_TYPE.PUBACK, packet);
  if (session.outgoing.qosInFlight(packetId) === 2) throw protocolError('PUBACK for a QoS 2 message');
  session.outgoing.acknowledge(packetId);
}
