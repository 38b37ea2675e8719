// The session of a bridge at our own broker: made before the other broker is reached for the first time, so that what is published
// meanwhile waits in it.

import type { Broker } from '../broker/broker.ts';
import { inProcessStream } from '../broker/client/in-process-stream.ts';
import { MqttClient, NOBODY } from '../broker/client/mqtt-client.ts';
import type { ConnectionOrigin } from '../broker/options.ts';
import { NO_EXPIRY } from '../broker/session/expiry.ts';
import { MAX_REMAINING_LENGTH } from '../mqtt/decoder.ts';
import type { BridgeOptions } from './options.ts';
import { localRequests } from './topics.ts';

/** limitQueue has what waits in the session keep to the limits of its block. */
export function limitQueue({ sessions }: Broker, { localClientId, queueExpiry, maxQueuedBytes }: BridgeOptions): void {
  const outgoing = sessions.get(localClientId)?.outgoing;
  if (outgoing !== undefined) outgoing.backlog.limits = { maxMessages: null, maxBytes: maxQueuedBytes, expiry: queueExpiry };
}

/** prepareLocalSession makes the session, or gives the one that is there the subscriptions of these options; throws LinkError. */
export async function prepareLocalSession(broker: Broker, options: BridgeOptions, origin: ConnectionOrigin): Promise<void> {
  const requests = localRequests(options, 2);
  const wanted = new Set(requests.map(({ topicFilter }) => topicFilter));
  const session = broker.sessions.get(options.localClientId);
  const former = [...(session?.subscriptions.keys() ?? [])].filter((topicFilter) => !wanted.has(topicFilter));
  const isComplete =
    session !== null && former.length === 0 && requests.every((one) => session.subscriptions.get(one.topicFilter)?.qos === one.qos);
  if (options.localCleanSession || isComplete) return;
  const [near, far] = inProcessStream();
  const client = new MqttClient(near, NOBODY, MAX_REMAINING_LENGTH);
  broker.open(far, origin);
  const properties = { sessionExpiryInterval: NO_EXPIRY, receiveMaximum: 1 }; // what comes is left unanswered, and comes again
  const { localClientId: clientId, localUsername: username } = options;
  await client.connect({
    version: 5,
    bridge: false,
    cleanStart: false,
    keepAlive: 0,
    clientId,
    will: null,
    username,
    password: null,
    properties,
  });
  client.release();
  if (former.length > 0) await client.unsubscribe(former);
  if (requests.length > 0) await client.subscribe(requests);
  client.close();
}

/** endLocalSession forgets the session with all that waits in it. */
export function endLocalSession(broker: Broker, { localClientId }: BridgeOptions): void {
  const session = broker.sessions.get(localClientId);
  session?.connection?.destroy();
  if (session !== null) broker.sessions.end(session);
}
