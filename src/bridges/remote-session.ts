// The session of a bridge at the other broker, when the bridge is taken out of the configuration: nobody would come back for it.

import type { Duplex } from 'node:stream';
import { MqttClient, NOBODY } from '../broker/client/mqtt-client.ts';
import { MAX_REMAINING_LENGTH } from '../mqtt/decoder.ts';
import type { Manner } from './manner.ts';
import type { BridgeOptions } from './options.ts';

/** endRemoteSession has the other broker forget subscriptions and messages: a clean start does that in every version. Throws LinkError. */
export async function endRemoteSession(stream: Duplex, options: BridgeOptions, { version, bridgeBit }: Manner): Promise<void> {
  const { keepAlive, remoteClientId: clientId, remoteUsername: username, remotePassword } = options;
  const client = new MqttClient(stream, NOBODY, MAX_REMAINING_LENGTH);
  await client.connect({
    version,
    bridge: bridgeBit,
    cleanStart: true,
    keepAlive,
    clientId,
    will: null,
    username,
    password: remotePassword === null ? null : Buffer.from(remotePassword),
    properties: {},
  });
  client.close();
}
