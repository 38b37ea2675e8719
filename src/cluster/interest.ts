// What the clients of this broker want, as the other brokers are told: one QoS per topic filter, whoever and however many have it.

import type { Subscription } from '../broker/delivery/subscription.ts';
import type { TreeWatcher } from '../broker/delivery/subscription-tree.ts';
import { CLUSTER_LISTENER } from '../broker/options.ts';
import type { Qos } from '../mqtt/packet-types.ts';

/** Wish is a topic filter with the highest QoS that somebody asks for; -1 = nobody does any more. */
export type Wish = readonly [topicFilter: string, qos: Qos | -1];

/** Interest follows the subscription tree. Subscriptions of other brokers in it do not count: nothing goes on from broker to broker. */
export class Interest implements TreeWatcher {
  /** Counts by QoS. */
  readonly #wanted = new Map<string, [number, number, number]>();
  readonly #changed = new Set<string>();
  readonly #announce: (wishes: readonly Wish[]) => void;
  #isTurnAwaited = false;

  /** `announce` gets the changes of a turn of the event loop. */
  constructor(announce: (wishes: readonly Wish[]) => void) {
    this.#announce = announce;
  }

  /** all gives what is wanted now. */
  all(): Wish[] {
    return Array.from(this.#wanted, ([topicFilter, counts]) => [topicFilter, highest(counts)]);
  }

  added(subscription: Subscription): void {
    this.#count(subscription, 1);
  }

  removed(subscription: Subscription): void {
    this.#count(subscription, -1);
  }

  #count({ session, topicFilter, qos }: Subscription, change: 1 | -1): void {
    if (session.listener === CLUSTER_LISTENER || staysHere(topicFilter)) return;
    let counts = this.#wanted.get(topicFilter);
    const before = counts === undefined ? -1 : highest(counts);
    if (counts === undefined) {
      counts = [0, 0, 0];
      this.#wanted.set(topicFilter, counts);
    }
    counts[qos] += change;
    const after = highest(counts);
    if (after < 0) this.#wanted.delete(topicFilter);
    if (after === before) return;
    this.#changed.add(topicFilter);
    if (this.#isTurnAwaited) return;
    this.#isTurnAwaited = true;
    setImmediate(() => this.#tell());
  }

  #tell(): void {
    this.#isTurnAwaited = false;
    const wishes = Array.from(this.#changed, (topicFilter): Wish => {
      const counts = this.#wanted.get(topicFilter);
      return [topicFilter, counts === undefined ? -1 : highest(counts)];
    });
    this.#changed.clear();
    this.#announce(wishes);
  }
}

/** staysHere tells whether a topic, or the topics of a filter, are about one broker: `$SYS`, and requests to it. */
export function staysHere(topicFilter: string): boolean {
  return topicFilter.startsWith('$SYS') || topicFilter.startsWith('$CONTROL');
}

function highest(counts: readonly [number, number, number]): Qos | -1 {
  return counts[2] > 0 ? 2 : counts[1] > 0 ? 1 : counts[0] > 0 ? 0 : -1;
}
