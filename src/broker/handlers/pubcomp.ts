// PUBCOMP, MQTT 5 3.7: a QoS 2 message has arrived exactly once.

import type { Connection } from '../connection.ts';

/** handlePubcomp ends the exchange; an unknown identifier is ignored. */
export function handlePubcomp(connection: Connection, packetId: number): void {
  const session = connection.session!; // connected
  if (session.qosInFlight(packetId) === 2) session.acknowledge(packetId);
}
