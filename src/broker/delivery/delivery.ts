// From one message to everybody who should get it.

import { HeardMessage } from '../aedes-slots.ts';
import { BYTES_SHIFT, type Effort } from '../connection/fair-turns.ts';
import type { Counters } from '../counters.ts';
import type { Message } from '../message.ts';
import { type BrokerOptions, CLUSTER_LISTENER } from '../options.ts';
import type { Requester } from '../ports.ts';
import type { Delivery } from '../session/outgoing-window.ts';
import type { Route } from './route.ts';
import { groupMark, type SharedGroup } from './shared-group.ts';
import { mergeSubscriptions, type Subscription } from './subscription.ts';
import type { SubscriptionTree } from './subscription-tree.ts';

/** Deliverer is what delivery needs of the engine. */
export interface Deliverer {
  readonly counters: Counters;
  readonly effort: Effort;
  readonly options: BrokerOptions;
  readonly tree: SubscriptionTree;
  mayReceive(requester: Requester, topicName: string): boolean;
}

/** deliver hands a message to all of a route. */
export function deliver(broker: Deliverer, message: Message, route: Route): void {
  const subscribers = route.subscribers;
  broker.effort.spent += route.weight * (1 + (message.payloadLength >> BYTES_SHIFT));
  for (let index = 0; index < subscribers.length; index++) deliverTo(subscribers[index]!, message); // index < length
  if (route.shared !== null || route.listeners !== null) deliverToOthers(broker, route, message);
}

/** deliverTo hands a message to one subscriber, unless it is its own and it does not want those [MQTT-3.8.3-3]. */
export function deliverTo(subscription: Subscription, message: Message): void {
  if (!subscription.noLocal || !isOwn(subscription, message)) {
    subscription.session.outgoing.deliver(message, subscription);
    return;
  }
  const local = subscription.merged?.filter((one) => !one.noLocal) ?? [];
  if (local.length > 0) subscription.session.outgoing.deliver(message, mergeSubscriptions(local));
}

/** The brokers of a cluster are one client in this respect: each brings its messages to all others itself. */
function isOwn({ session }: Subscription, { publisher }: Message): boolean {
  if (session === publisher) return true;
  return publisher !== null && publisher.listener === CLUSTER_LISTENER && session.listener === CLUSTER_LISTENER;
}

/** deliverToOthers hands a message to one member of each shared group, and to in-process listeners. */
export function deliverToOthers(broker: Deliverer, route: Route, message: Message): void {
  if (message.publisher?.listener !== CLUSTER_LISTENER) for (const group of route.shared ?? []) deliverToGroup(broker, group, message);
  if (route.listeners === null) return;
  const packet = new HeardMessage(message);
  for (const listener of route.listeners) listener(packet, noted);
}

/** Nobody waits for a listener. */
function noted(): void {}

/** deliverToMarked hands a message to one shared group of a route: another broker of the cluster has chosen a member here. */
export function deliverToMarked(broker: Deliverer, message: Message, route: Route): void {
  const group = route.shared?.find(({ name, topicFilter }) => groupMark(name, topicFilter) === message.groupMark);
  if (group !== undefined) deliverToGroup(broker, group, message);
  else broker.counters.publishDropped++; // all members have left, here and elsewhere
}

/** deliverToGroup chooses a member. Nobody connected and nobody kept: the message is dropped, as for any subscription without a session. */
export function deliverToGroup(broker: Deliverer, group: SharedGroup, message: Message): void {
  const canWait = (one: Subscription) => one.qosFor(message.qos) > 0 || broker.options.queueQos0Messages;
  const mayReceive = (one: Subscription) => broker.mayReceive(one.session, message.topic.name);
  const isCarried = message.publisher?.listener === CLUSTER_LISTENER;
  const isHere = (one: Subscription) => one.session.listener !== CLUSTER_LISTENER && mayReceive(one);
  const member = (isCarried ? group.next(canWait, isHere) : null) ?? group.next(canWait, mayReceive); // it is not sent round
  if (member === null) broker.counters.publishDropped++;
  else member.session.outgoing.deliver(message, member);
}

/** redeliverShared gives what a leaving member had not acknowledged to the others of the group it came by [MQTT-4.8.2-4]. */
export function redeliverShared(broker: Deliverer, deliveries: readonly Delivery[]): void {
  for (const { message, group } of deliveries) {
    if (group !== null) deliverToGroup(broker, broker.tree.group(group.name, group.topicFilter), message); // it may have been left by all and made again
  }
}
