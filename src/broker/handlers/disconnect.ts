// DISCONNECT, MQTT 5 3.14: a client says good-bye.

import type { DisconnectPacket } from '../../mqtt/packets.ts';
import { protocolError, REASON } from '../../mqtt/reason-codes.ts';
import type { SignedIn } from '../connection/connection.ts';
import { allowedExpiry } from '../session/expiry.ts';

/** handleDisconnect drops the will unless the client asks for it (0x04), and takes a new Session Expiry Interval [MQTT-3.14.4-3]. */
export function handleDisconnect(connection: SignedIn, packet: DisconnectPacket): void {
  const session = connection.session;
  const expiry = packet.properties.sessionExpiryInterval;
  if (expiry !== undefined) {
    if (session.expiryInterval === 0 && expiry !== 0) throw protocolError('Session Expiry Interval set after it was 0'); // 3.14.2.2.2
    session.expiryInterval = allowedExpiry(expiry, connection.broker.options);
  }
  const { log } = connection.broker;
  if (log.enabled.debug) log.log('debug', `Received DISCONNECT from ${connection.id}`);
  if (packet.reasonCode === REASON.SUCCESS) session.will = null; // [MQTT-3.1.2-10]
  connection.closeFor('');
}
