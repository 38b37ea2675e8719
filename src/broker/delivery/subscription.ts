// One client's wish for the messages of one topic filter.

import type { Block } from '../../mqtt/block.ts';
import type { ProtocolVersion, Qos } from '../../mqtt/packet-types.ts';
import type { Message, Publisher } from '../message.ts';
import type { Framing } from '../transport.ts';

/** SubscriptionOptions are MQTT 5 3.8.3.1 and the Subscription Identifier (0 = none). */
export interface SubscriptionOptions {
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly identifier: number;
}

/** Share names the group of a shared subscription, MQTT 5 4.8.2: `$share/NAME/FILTER`. */
export interface Share {
  readonly name: string;
  /** With the mount point. */
  readonly topicFilter: string;
}

/** Subscriber is the session of a subscription, as delivery knows it. */
export interface Subscriber extends Publisher {
  /** Absent = it is away. */
  readonly connection: SubscriberConnection | null;
  readonly outgoing: SubscriberMessages;
  /** Seconds that it is kept without a connection; 0 = it ends with it. */
  readonly expiryInterval: number;
  /** QoS 0 messages reach it with the QoS of its subscription. */
  readonly upgradesQos: boolean;
  /** It has ended: nothing reaches it any more. */
  readonly isOver: boolean;
}

/** SubscriberConnection takes whole PUBLISH packets as they came, when it is plain and they are small enough. */
export interface SubscriberConnection {
  readonly version: ProtocolVersion;
  readonly output: {
    readonly isPlain: boolean;
    /** Bytes. */
    readonly maximumPacketSize: number;
    readonly framing: Framing | null;
    sendRun(bytes: Buffer, start: number, end: number, block: Block | null, count: number, payloadBytes: number): void;
  };
}

/** SubscriberMessages takes a message for its client, now or when it is there. */
export interface SubscriberMessages {
  readonly isOnline: boolean;
  /** A QoS 1 or 2 message would go out at once. */
  readonly isReady: boolean;
  /** One could neither be sent nor queued now. */
  readonly isFull: boolean;
  deliver(message: Message, subscription: Subscription): void;
  readonly backlog: { noteDropped(count: number): void };
}

/** Subscription is immutable: subscribing again replaces it. */
export class Subscription {
  readonly session: Subscriber;
  /** Without `$share/GROUP/`, with the mount point. */
  readonly topicFilter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly identifier: number;
  readonly group: Share | null;
  /** The overlapping subscriptions that this one stands for in a Route, or null. */
  readonly merged: readonly Subscription[] | null;
  /** A QoS 0 message goes out to it exactly as to every other plain subscriber: the fast path. */
  readonly plain: boolean;

  constructor(
    session: Subscriber,
    topicFilter: string,
    options: SubscriptionOptions,
    group: Share | null,
    merged: readonly Subscription[] | null,
  ) {
    this.session = session;
    this.topicFilter = topicFilter;
    this.qos = options.qos;
    this.noLocal = options.noLocal;
    this.retainAsPublished = options.retainAsPublished;
    this.identifier = options.identifier;
    this.group = group;
    this.merged = merged;
    this.plain = !options.noLocal && options.identifier === 0 && merged === null && !(session.upgradesQos && options.qos > 0);
  }

  /** qosFor gives the QoS at which a message that was published with `published` reaches this subscriber [MQTT-3.8.4-8]. */
  qosFor(published: Qos): Qos {
    return published < this.qos && !this.session.upgradesQos ? published : this.qos;
  }

  /** identifiers gives the Subscription Identifiers that a message carries to this subscriber, or null [MQTT-3.3.4-3] [MQTT-3.3.4-4]. */
  identifiers(): readonly number[] | null {
    if (this.merged === null) return this.identifier === 0 ? null : [this.identifier];
    const all: number[] = [];
    for (const one of this.merged) if (one.identifier !== 0) all.push(one.identifier);
    return all.length === 0 ? null : all;
  }
}

/** mergeSubscriptions makes one of the overlapping subscriptions of one session: the highest QoS, all identifiers [MQTT-3.3.4-2]. */
export function mergeSubscriptions(overlapping: readonly Subscription[]): Subscription {
  const first = overlapping[0]!; // never empty
  if (overlapping.length === 1) return first;
  let qos: Qos = 0;
  let retainAsPublished = false;
  for (const one of overlapping) {
    if (one.qos > qos) qos = one.qos;
    if (one.retainAsPublished) retainAsPublished = true;
  }
  const noLocal = overlapping.some((one) => one.noLocal);
  return new Subscription(first.session, first.topicFilter, { qos, noLocal, retainAsPublished, identifier: 0 }, null, overlapping);
}
