// AUTH, MQTT 5 3.15: enhanced authentication, of which we know no method.

import type { AuthPacket } from '../../mqtt/packets.ts';
import { protocolError } from '../../mqtt/reason-codes.ts';
import type { SignedIn } from '../connection/connection.ts';

/** handleAuth refuses: a client that gave no Authentication Method in CONNECT may not send AUTH [MQTT-4.12.0-6]. */
export function handleAuth(_connection: SignedIn, _packet: AuthPacket): void {
  throw protocolError('AUTH without an Authentication Method in CONNECT');
}
