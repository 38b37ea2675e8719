// SUBSCRIBE, MQTT 5 3.8.

import { encodeSuback } from '../../mqtt/encode.ts';
import type { SubscribePacket, SubscriptionRequest } from '../../mqtt/packets.ts';
import { REASON, type ReasonCode } from '../../mqtt/reason-codes.ts';
import { isSharedFilter, parseSharedFilter } from '../../mqtt/topics.ts';
import type { SignedIn } from '../connection/connection.ts';
import { eachFilter } from '../connection/fair-turns.ts';
import { Subscription } from '../delivery/subscription.ts';
import type { Broker } from '../engine.ts';
import { SUBSCRIPTION_BYTES } from '../memory-budget.ts';
import type { Session } from '../session/session.ts';

/** Filters whose retained messages are wanted. */
type WithRetained = Map<string, Subscription>;

/** handleSubscribe makes or replaces subscriptions, answers SUBACK once they are kept, then sends the retained messages [MQTT-3.8.4-1]. */
export function handleSubscribe(connection: SignedIn, packet: SubscribePacket): void {
  const broker = connection.broker;
  const identifier = packet.properties.subscriptionIdentifier?.[0] ?? 0;
  const { debug } = broker.log.enabled;
  if (debug) broker.log.log('debug', `Received SUBSCRIBE from ${connection.id}`);
  const reasons: number[] = [];
  const withRetained: WithRetained = new Map();
  const takeOne = (at: number): string => {
    const request = packet.requests[at]!; // at < length
    const reason = subscribe(connection, request, identifier, withRetained);
    reasons.push(reason);
    if (debug) broker.log.log('debug', `\t${request.topicFilter} (QoS ${request.qos})`);
    if (reason < 0x80 && broker.log.enabled.subscribe) broker.log.log('subscribe', `${connection.id} ${reason} ${request.topicFilter}`);
    return request.topicFilter;
  };
  connection.reading.workThrough(
    eachFilter(broker.effort, packet.requests.length, takeOne, () => answer(connection, packet, reasons, withRetained)),
  );
}

function answer(connection: SignedIn, packet: SubscribePacket, reasons: number[], withRetained: WithRetained): void {
  const { broker } = connection;
  const session = connection.session;
  for (let unread = packet.unread; unread > 0; unread--) reasons.push(REASON.QUOTA_EXCEEDED);
  const suback = encodeSuback(connection.version, packet.packetId, reasons); // [MQTT-3.8.4-5] [MQTT-3.8.4-6]
  connection.acks.answerKept(suback, session.journal, () => {
    if (broker.log.enabled.debug) broker.log.log('debug', `Sending SUBACK to ${connection.id}`);
    for (const [topicFilter, subscription] of withRetained) {
      if (session.subscriptions.has(topicFilter)) broker.retainedWalks.begin(session, subscription); // it may have been ended meanwhile
    }
  });
  broker.emit('subscribe', packet.requests, connection);
}

/** One filter: its reason code, and whether its retained messages are wanted. */
function subscribe(connection: SignedIn, request: SubscriptionRequest, identifier: number, withRetained: WithRetained): ReasonCode {
  const broker = connection.broker;
  const session = connection.session;
  const { topicFilter } = request;
  const share = isSharedFilter(topicFilter) ? parseSharedFilter(topicFilter) : null;
  if (isOneTooMany(broker, session, topicFilter)) return REASON.QUOTA_EXCEEDED;
  const mounted = connection.origin.policy.mountPoint + (share?.topicFilter ?? topicFilter);
  if (broker.authorizer !== null && !broker.authorizer.maySubscribe(session, mounted)) return REASON.NOT_AUTHORIZED;
  const qos = request.qos > connection.origin.policy.maxQos ? connection.origin.policy.maxQos : request.qos; // 3.9.3: a lower one may be granted
  const group = share === null ? null : { name: share.group, topicFilter: mounted };
  const noLocal = request.noLocal || connection.isBridge; // as mosquitto: messages would go round, and lose their retain flag
  const retainAsPublished = request.retainAsPublished || connection.isBridge;
  const options = { qos, noLocal, retainAsPublished, identifier };
  const subscription = new Subscription(session, mounted, options, group, null);
  const isNew = broker.sessions.subscribe(session, topicFilter, subscription); // [MQTT-3.8.4-3]
  const wantsRetained = request.retainHandling === 0 || (request.retainHandling === 1 && isNew); // [MQTT-3.3.1-9] to [MQTT-3.3.1-11]
  if (group === null && wantsRetained) withRetained.set(topicFilter, subscription); // 4.8.2: shared subscriptions get none
  return qos;
}

function isOneTooMany({ budget, options }: Broker, session: Session, topicFilter: string): boolean {
  if (session.subscriptions.has(topicFilter)) return false;
  const limit = budget.hasRoom(SUBSCRIPTION_BYTES + topicFilter.length, session.account)
    ? session.subscriptionCounts.limitFor(topicFilter, options)
    : 'memory_limit';
  if (limit === null) return false;
  session.noteTooManySubscriptions(limit);
  return true;
}
