// PUBACK, MQTT 5 3.4: the client has a QoS 1 message.

import { protocolError } from '../../mqtt/reason-codes.ts';
import type { Connection } from '../connection.ts';

/** handlePuback ends the exchange; an unknown identifier is ignored, as mosquitto does. */
export function handlePuback(connection: Connection, packetId: number): void {
  const session = connection.session!; // connected
  if (session.outgoing.qosInFlight(packetId) === 2) throw protocolError('PUBACK for a QoS 2 message');
  session.outgoing.acknowledge(packetId);
  if (connection.broker.log.enabled.debug)
    connection.broker.log.log('debug', `Received PUBACK from ${connection.id} (Mid: ${packetId}, RC:0)`);
}
