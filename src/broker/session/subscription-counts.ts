// How many subscriptions of which kind a session has, for its limits.

import { isSharedFilter } from '../../mqtt/topics.ts';
import type { BrokerOptions } from '../options.ts';

/** SubscriptionLimit is the setting that does not allow one more. */
export type SubscriptionLimit = 'max_subscriptions' | 'max_shared_subscriptions' | 'max_wildcard_levels' | 'memory_limit';

/** SubscriptionCounts counts filters as the client sent them. */
export class SubscriptionCounts {
  all = 0;
  /** Of the filters' texts, in the session and in the tree. */
  bytes = 0;
  shared = 0;
  /** Levels from the first `+` on, of all filters. */
  wildcardLevels = 0;

  /** add counts a filter that came (1) or went (-1). */
  add(topicFilter: string, change: 1 | -1): void {
    this.all += change;
    this.bytes += change * 2 * topicFilter.length;
    if (isSharedFilter(topicFilter)) this.shared += change;
    this.wildcardLevels += change * wildcardLevels(topicFilter);
  }

  /** limitFor names the limit that one more filter would break, or null. */
  limitFor(topicFilter: string, options: BrokerOptions): SubscriptionLimit | null {
    const { maxSubscriptions, maxSharedSubscriptions, maxWildcardLevels } = options;
    if (isReached(this.all, maxSubscriptions)) return 'max_subscriptions';
    if (isSharedFilter(topicFilter) && isReached(this.shared, maxSharedSubscriptions)) return 'max_shared_subscriptions';
    const levels = wildcardLevels(topicFilter);
    if (levels > 0 && isReached(this.wildcardLevels + levels - 1, maxWildcardLevels)) return 'max_wildcard_levels';
    return null;
  }
}

function isReached(count: number, limit: number): boolean {
  return limit > 0 && count >= limit;
}

/** levelsOf counts the levels of a filter as the client sent it. */
export function levelsOf(topicFilter: string): number {
  let levels = 1;
  for (let at = topicFilter.indexOf('/'); at >= 0; at = topicFilter.indexOf('/', at + 1)) levels++;
  return levels;
}

/** `#` is at the end of a filter only, and costs no more than a level. */
function wildcardLevels(topicFilter: string): number {
  const first = topicFilter.indexOf('+');
  if (first < 0) return 0;
  return levelsOf(topicFilter.slice(first));
}
