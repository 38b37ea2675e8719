// PUBCOMP, MQTT 5 3.7: a QoS 2 message has arrived exactly once.

import { protocolError } from '../../mqtt/reason-codes.ts';
import type { Connection } from '../connection.ts';

/** handlePubcomp ends the exchange; an unknown identifier is ignored, one that waits for something else is an error. */
export function handlePubcomp(connection: Connection, packetId: number): void {
  const session = connection.session!; // connected
  if (!session.outgoing.awaitsPubcomp(packetId)) throw protocolError('PUBCOMP before PUBREC, or for a QoS 1 message');
  session.outgoing.acknowledge(packetId);
}
