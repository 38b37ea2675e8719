// The `topic` lines of a bridge as subscriptions at both brokers, and as rules for names.

import type { Qos } from '../mqtt/packet-types.ts';
import type { SubscriptionRequest } from '../mqtt/packets.ts';
import { isSharedFilter } from '../mqtt/topics.ts';
import type { BridgeOptions, BridgeTopic } from './options.ts';
import type { TopicRule } from './topic-map.ts';

/** localRequests are the subscriptions of the local session. `retainHandling` as in 3.8.3.1. */
export function localRequests({ topics }: BridgeOptions, retainHandling: 0 | 2): SubscriptionRequest[] {
  const isMutual = topics.some(comesIn);
  return topics.filter(goesOut).map((topic) => request(localFilter(topic), topic.qos, isMutual, retainHandling));
}

/** request is one subscription. `retainHandling` as in 3.8.3.1. */
export function request(topicFilter: string, qos: Qos, noLocal: boolean, retainHandling: 0 | 2 = 0): SubscriptionRequest {
  return { topicFilter, qos, noLocal: noLocal && !isSharedFilter(topicFilter), retainAsPublished: true, retainHandling };
}

/** goesOut tells whether messages of a topic go to the other broker. */
export function goesOut({ direction }: BridgeTopic): boolean {
  return direction !== 'in';
}

/** comesIn tells whether messages of a topic come from the other broker. */
export function comesIn({ direction }: BridgeTopic): boolean {
  return direction !== 'out';
}

/** ruleForOther is what the other broker's account needs here for a topic, in the words of an ACL file. */
export function ruleForOther(topic: BridgeTopic): { readonly access: 'read' | 'write' | 'readwrite'; readonly filter: string } {
  const access = topic.direction === 'both' ? 'readwrite' : goesOut(topic) ? 'read' : 'write';
  return { access, filter: localFilter(topic) };
}

/** localFilter is what a topic is subscribed to here. */
export function localFilter({ localPrefix, pattern }: BridgeTopic): string {
  return localPrefix + pattern;
}

/** remoteFilter is what a topic is subscribed to there. */
export function remoteFilter({ remotePrefix, pattern }: BridgeTopic): string {
  return remotePrefix + pattern;
}

/** outRule gives what goes out its name there. */
export function outRule(topic: BridgeTopic): TopicRule {
  return { filter: localFilter(topic), prefix: topic.localPrefix, otherPrefix: topic.remotePrefix };
}

/** inRule gives what comes in its name here. */
export function inRule(topic: BridgeTopic): TopicRule {
  return { filter: remoteFilter(topic), prefix: topic.remotePrefix, otherPrefix: topic.localPrefix };
}
