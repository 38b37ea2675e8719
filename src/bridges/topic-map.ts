// Which messages of one side go to the other, and what their topics are called there.
//
//   topic PATTERN DIRECTION QOS LOCAL REMOTE        here: LOCAL + PATTERN        there: REMOTE + PATTERN
//   topic sensors/# out 1 home/ barn/               home/sensors/t  ->  barn/sensors/t

import type { FlowMap, Way } from '../broker/client/flow.ts';
import type { Topic } from '../broker/topic.ts';
import { filterMatches, isTopicName } from '../mqtt/topics.ts';

/** Slots of the cache: a power of two. */
const CACHE_SLOTS = 1024;

/** TopicRule takes the topics that match a filter, and puts another prefix in the place of theirs. */
export interface TopicRule {
  readonly filter: string;
  /** Both are '' or stand before the pattern; with an empty pattern they are the whole topics. */
  readonly prefix: string;
  readonly otherPrefix: string;
}

/** TopicWay is the way of one topic by the rules of a bridge. */
export class TopicWay implements Way {
  readonly topic: Topic;
  readonly bytes: Buffer | null;
  readonly isSame: boolean;
  readonly isMutual: boolean;

  constructor(topic: Topic, name: string | null, isMutual: boolean) {
    this.topic = topic;
    this.bytes = name === null ? null : Buffer.from(name, 'utf8');
    this.isSame = name === topic.name;
    this.isMutual = isMutual;
  }
}

/** TopicMap is one direction of a bridge. The first rule that matches counts, as in mosquitto. */
export class TopicMap implements FlowMap {
  readonly #rules: readonly TopicRule[];
  /** Filters, on the other side, of what comes from there. */
  readonly #returning: readonly string[];
  /** A topic of this side whose messages never go over. */
  readonly #excluded: string | null;
  readonly #slots: (TopicWay | null)[] = new Array(CACHE_SLOTS).fill(null);

  constructor(rules: readonly TopicRule[], returning: readonly string[], excluded: string | null) {
    this.#rules = rules;
    this.#returning = returning;
    this.#excluded = excluded;
  }

  /** wayOf gives what becomes of a topic's messages. */
  wayOf(topic: Topic): Way {
    const slot = topic.hash & (CACHE_SLOTS - 1);
    const known = this.#slots[slot];
    if (known !== null && known !== undefined && (known.topic === topic || known.topic.name === topic.name)) return known;
    const name = this.#nameOf(topic.name);
    const isMutual = name !== null && this.#returning.some((filter) => filterMatches(filter, name));
    const way = new TopicWay(topic, name, isMutual);
    this.#slots[slot] = way;
    return way;
  }

  /** `home/#` matches `home` too, which has no name without the prefix `home/`: it stays here. */
  #nameOf(name: string): string | null {
    if (name === this.#excluded) return null;
    for (const { filter, prefix, otherPrefix } of this.#rules) {
      if (!name.startsWith(prefix) || !filterMatches(filter, name)) continue;
      const other = otherPrefix + name.slice(prefix.length);
      if (isTopicName(other)) return other;
    }
    return null;
  }
}
