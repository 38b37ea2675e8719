// UNSUBSCRIBE, MQTT 5 3.10.

import { encodeUnsuback } from '../../mqtt/encode.ts';
import type { UnsubscribePacket } from '../../mqtt/packets.ts';
import { MalformedPacket, REASON } from '../../mqtt/reason-codes.ts';
import type { SignedIn } from '../connection/connection.ts';
import { eachFilter } from '../connection/fair-turns.ts';

/** handleUnsubscribe ends subscriptions and answers UNSUBACK once that is kept; what is in flight for them goes on [MQTT-3.10.4-2]. */
export function handleUnsubscribe(connection: SignedIn, packet: UnsubscribePacket): void {
  const broker = connection.broker;
  const session = connection.session;
  const { mountPoint } = connection.origin.policy;
  const { debug } = broker.log.enabled;
  if (debug) broker.log.log('debug', `Received UNSUBSCRIBE from ${connection.id}`);
  if (packet.unread > 0 && connection.version !== 5)
    throw new MalformedPacket('UNSUBSCRIBE with too many Topic Filters', REASON.IMPLEMENTATION_SPECIFIC_ERROR); // its answer could not say so
  const reasons: number[] = [];
  const endOne = (at: number): string => {
    const topicFilter = packet.topicFilters[at]!; // at < length
    if (debug) broker.log.log('debug', `\t${topicFilter}`);
    if (broker.authorizer?.mayUnsubscribe?.(session, mountPoint + topicFilter) === false) {
      reasons.push(REASON.NOT_AUTHORIZED);
      return topicFilter;
    }
    const existed = broker.sessions.unsubscribe(session, topicFilter);
    if (broker.log.enabled.unsubscribe) broker.log.log('unsubscribe', `${session.clientId} ${topicFilter}`);
    reasons.push(existed ? REASON.SUCCESS : REASON.NO_SUBSCRIPTION_EXISTED);
    return topicFilter;
  };
  connection.reading.workThrough(eachFilter(broker.effort, packet.topicFilters.length, endOne, () => answer(connection, packet, reasons)));
}

function answer(connection: SignedIn, packet: UnsubscribePacket, reasons: number[]): void {
  const { broker } = connection;
  const session = connection.session;
  for (let unread = packet.unread; unread > 0; unread--) reasons.push(REASON.IMPLEMENTATION_SPECIFIC_ERROR);
  connection.acks.answerKept(encodeUnsuback(connection.version, packet.packetId, reasons), session.journal, () => {
    if (broker.log.enabled.debug) broker.log.log('debug', `Sending UNSUBACK to ${connection.id}`); // [MQTT-3.10.4-4]
  });
  broker.emit('unsubscribe', packet.topicFilters, connection);
}
