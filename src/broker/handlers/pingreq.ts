// PINGREQ, MQTT 5 3.12.

import { PINGRESP } from '../../mqtt/encode.ts';
import type { SignedIn } from '../connection/connection.ts';

/** handlePingreq answers [MQTT-3.12.4-1]. */
export function handlePingreq(connection: SignedIn): void {
  const { log } = connection.broker;
  if (log.enabled.debug) log.log('debug', `Received PINGREQ from ${connection.id}`);
  connection.output.send(PINGRESP);
  if (log.enabled.debug) log.log('debug', `Sending PINGRESP to ${connection.id}`);
  connection.broker.emit('ping', { cmd: 'pingreq' }, connection);
}
