// Where the messages of one topic go: the answer of the subscription tree, kept at the Topic until a subscription changes.

import type { Listener } from '../aedes-packet.ts';
import type { FoundRoute } from '../topic.ts';
import type { SharedGroup } from './shared-group.ts';
import type { Subscription } from './subscription.ts';

/** Route is immutable. One entry per session: overlapping subscriptions are merged. */
export class Route implements FoundRoute {
  readonly generation: number;
  readonly subscribers: readonly Subscription[];
  /** One message per group goes to one of its members. Null = none. */
  readonly shared: readonly SharedGroup[] | null;
  readonly listeners: readonly Listener[] | null;
  /** Deliveries of one message. */
  readonly weight: number;

  constructor(
    generation: number,
    subscribers: readonly Subscription[],
    shared: readonly SharedGroup[] | null,
    listeners: readonly Listener[] | null,
  ) {
    this.generation = generation;
    this.subscribers = subscribers;
    this.shared = shared;
    this.listeners = listeners;
    this.weight = subscribers.length + (shared?.length ?? 0);
  }

  /** isEmpty tells that nobody subscribes: v5 publishers hear 0x10. */
  get isEmpty(): boolean {
    return this.subscribers.length === 0 && this.shared === null && this.listeners === null;
  }
}
