// What the clients of this broker want, as the other brokers are told: one QoS per topic filter, whoever and however many have it. A shared
// subscription is told as such, with how many members are connected: another broker has ours take turns with its own.

import type { Subscription } from '../broker/delivery/subscription.ts';
import type { TreeWatcher } from '../broker/delivery/subscription-tree.ts';
import { CLUSTER_LISTENER } from '../broker/options.ts';
import type { Qos } from '../mqtt/packet-types.ts';

/** Members up to here are told exactly. */
const ROUGH_FROM = 4;

/**
 * Wish is a topic filter, or `$share/NAME/FILTER`, with the highest QoS that somebody asks for; -1 = nobody does any more. Of a shared one
 * with the members that are connected, roughly where they are many.
 */
export type Wish = readonly [topicFilter: string, qos: Qos | -1, members?: number];

/** Wanted is what is known of one filter. */
interface Wanted {
  /** Counts by QoS. */
  readonly counts: [number, number, number];
  /** Of a shared subscription. */
  readonly members: Set<Subscription> | null;
  /** As they were told. */
  online: number;
}

/** Interest follows the subscription tree. Subscriptions of other brokers in it do not count: nothing goes on from broker to broker. */
export class Interest implements TreeWatcher {
  readonly #wanted = new Map<string, Wanted>();
  /** Those of shared subscriptions. */
  readonly #shared = new Map<string, Wanted>();
  readonly #changed = new Set<string>();
  readonly #announce: (wishes: readonly Wish[]) => void;
  #isTurnAwaited = false;

  /** `announce` gets the changes of a turn of the event loop. */
  constructor(announce: (wishes: readonly Wish[]) => void) {
    this.#announce = announce;
  }

  /** all gives what is wanted now. */
  all(): Wish[] {
    return Array.from(this.#wanted.keys(), (filter) => this.#wishFor(filter));
  }

  added(subscription: Subscription): void {
    this.#count(subscription, 1);
  }

  removed(subscription: Subscription): void {
    this.#count(subscription, -1);
  }

  /** look finds members of shared subscriptions that have come or gone. */
  look(): void {
    for (const [filter, wanted] of this.#shared) if (onlineIn(wanted) !== wanted.online) this.#change(filter);
  }

  #count(subscription: Subscription, change: 1 | -1): void {
    const { session, topicFilter, qos, group } = subscription;
    if (session.listener === CLUSTER_LISTENER || staysHere(topicFilter)) return;
    const filter = group === null ? topicFilter : `$share/${group.name}/${topicFilter}`;
    const wanted = this.#wanted.get(filter) ?? this.#begin(filter, group !== null);
    const before = highest(wanted.counts);
    wanted.counts[qos] += change;
    if (change > 0) wanted.members?.add(subscription);
    else wanted.members?.delete(subscription);
    const after = highest(wanted.counts);
    if (after < 0) {
      this.#wanted.delete(filter);
      this.#shared.delete(filter);
    }
    if (after !== before || onlineIn(wanted) !== wanted.online) this.#change(filter);
  }

  #begin(filter: string, isShared: boolean): Wanted {
    const wanted: Wanted = { counts: [0, 0, 0], members: isShared ? new Set() : null, online: 0 };
    this.#wanted.set(filter, wanted);
    if (isShared) this.#shared.set(filter, wanted);
    return wanted;
  }

  #change(filter: string): void {
    this.#changed.add(filter);
    if (this.#isTurnAwaited) return;
    this.#isTurnAwaited = true;
    setImmediate(() => this.#tell());
  }

  #tell(): void {
    this.#isTurnAwaited = false;
    const wishes = Array.from(this.#changed, (filter) => this.#wishFor(filter));
    this.#changed.clear();
    this.#announce(wishes);
  }

  #wishFor(filter: string): Wish {
    const wanted = this.#wanted.get(filter);
    if (wanted === undefined) return [filter, -1];
    if (wanted.members === null) return [filter, highest(wanted.counts)];
    wanted.online = onlineIn(wanted);
    return [filter, highest(wanted.counts), wanted.online];
  }
}

/** Many are counted roughly: the other brokers need not hear of each that comes or goes. */
function onlineIn({ members }: Wanted): number {
  let count = 0;
  for (const { session } of members ?? []) if (session.outgoing.isOnline) count++;
  return count <= ROUGH_FROM ? count : 2 ** Math.floor(Math.log2(count));
}

/** staysHere tells whether a topic, or the topics of a filter, are about one broker: `$SYS`, requests to it, and what brokers tell each other. */
export function staysHere(topicFilter: string): boolean {
  return topicFilter.startsWith('$SYS') || topicFilter.startsWith('$CONTROL') || topicFilter.startsWith('$cluster');
}

function highest(counts: readonly [number, number, number]): Qos | -1 {
  return counts[2] > 0 ? 2 : counts[1] > 0 ? 1 : counts[0] > 0 ? 0 : -1;
}
